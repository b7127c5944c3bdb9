#!/bin/sh
# What the documentation and examples/ci show, run.
set -u
a=$(python3 tests/docs.py "$B/couler"); x=$?
b=$(sh tests/ci_step.sh "$B/couler"); y=$?
printf '%s\n%s\n' "$a" "$b"
printf '%s\n%s\n' "$a" "$b" | awk '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3 } END { printf "%d passed, %d failed\n", p, f }'
[ $x -eq 0 ] && [ $y -eq 0 ]
