#!/bin/sh
# The local engine under faults: steps, disks and damage, signals and terminals,
# jobs, containers, services, gates, locks and limits, runs that are said again, KILLS (50) kills; `make soak` runs 1,000.
set -u
code=0 all=
for t in "steps.py" "store.py" "signals.py" "jobs.py" "containers.py" "same.py" "kill.py --n ${KILLS:-50}"; do
	# shellcheck disable=SC2086
	set -- $t
	name=$1
	shift
	out=$(python3 "tests/fault/$name" "$B/couler" "$@" 2>&1) || code=1
	printf '%s\n' "$out"
	all="$all$(printf '%s\n' "$out" | grep -E '^[0-9]+ passed, [0-9]+ failed$' || echo '0 passed, 1 failed')
"
done
printf '%s' "$all" | awk '{ p += $1; f += $3 } END { printf "%d passed, %d failed\n", p, f }'
exit $code
