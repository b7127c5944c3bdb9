#!/bin/sh
# Splitting, retries and sizes: programs whole and in parts do the same, mistakes are named, and Argo's own code takes what comes out.
set -u
sh tests/engine/argo/build.sh oracle >&2 || exit 1
a=$(python3 tests/split_property.py "$B/couler" --n "${N:-40}"); x=$?
b=$(sh tests/split_errors.sh "$B/couler"); y=$?
c=$(python3 tests/engine/argo/accept_split.py "$B/couler" --n 12); z=$?
d=$(python3 tests/retry_faults.py "$B/couler"); v=$?
e=$(python3 tests/rightsize_check.py "$B/couler"); w=$?
printf '%s\n%s\n%s\n%s\n%s\n' "$a" "$b" "$c" "$d" "$e" | grep -v '^[0-9]* passed, [0-9]* failed$'
printf '%s\n%s\n%s\n%s\n%s\n' "$a" "$b" "$c" "$d" "$e" | awk '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3 } END { printf "%d passed, %d failed\n", p, f }'
[ $x -eq 0 ] && [ $y -eq 0 ] && [ $z -eq 0 ] && [ $v -eq 0 ] && [ $w -eq 0 ]
