#!/bin/sh
# couler nl: the lake, a scripted endpoint, --offline.
set -u
p=0 f=0
for s in grammar/lake/*.cw; do
	if "$B/couler" check "$s" && "$B/couler" fmt --check "$s" && "$B/couler" compile -t argo "$s" -o /dev/null && "$B/couler" compile -t shell "$s" -o /dev/null; then
		p=$((p + 1))
	else
		echo "FAIL $s"
		f=$((f + 1))
	fi
done
out=$(python3 tests/nl/loop.py "$B/couler")
printf '%s\n' "$out"
# shellcheck disable=SC2046
set -- $(printf '%s\n' "$out" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p')
echo "$((p + ${1:-0})) passed, $((f + ${2:-1})) failed"
[ $((f + ${2:-1})) -eq 0 ]
