#!/bin/sh
# The same program here and as a shell plan: 120 random programs under dash and busybox, the examples that run here.
set -u
a=$(python3 tests/differential.py "$B/couler" --n "${N:-100}" --shells dash,busybox); x=$?
b=$(python3 tests/differential.py "$B/couler" --shells dash,bash examples/diamond.cw examples/coinflip.cw examples/word_count.cw examples/sqlite_etl.cw examples/churn.cw); y=$?
printf '%s\n%s\n' "$a" "$b"
for f in examples/churn.cw examples/word_count.cw examples/coinflip.cw; do
	"$B/couler" compile "$f" -t shell | shellcheck -s sh - && p=$((${p:-0} + 1)) || q=$((${q:-0} + 1))
done
printf '%s\n%s\n%s passed, %s failed\n' "$a" "$b" "${p:-0}" "${q:-0}" | awk '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3 } END { printf "%d passed, %d failed\n", p, f }'
[ $x -eq 0 ] && [ $y -eq 0 ] && [ "${q:-0}" -eq 0 ]
