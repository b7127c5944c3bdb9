#!/bin/sh
# The table of docs/engines.md, each of its cells, and engines outside of the tree.
set -u
a=$(python3 tests/engines.py "$B/couler"); x=$?
b=$(python3 tests/backends.py "$B/couler"); y=$?
printf '%s\n%s\n' "$a" "$b"
printf '%s\n%s\n' "$a" "$b" | awk '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3; n++ } END { if (n < 2) f += 2 - n; printf "%d passed, %d failed\n", p, f }'
[ $x -eq 0 ] && [ $y -eq 0 ]
