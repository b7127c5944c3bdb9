#!/bin/sh
# The same program everywhere: random ones and the examples that run here, by `couler run`, as a shell plan under dash,
# busybox and bash, and in real Airflow. Plans are clean under shellcheck.
set -u
programs=tests/engine/airflow/programs
examples="examples/diamond.cw examples/coinflip.cw examples/word_count.cw examples/sqlite_etl.cw examples/churn.cw"
{
	python3 tests/differential.py "$B/couler" --n "${N:-200}" --with dash,busybox,bash/4,airflow-3.3.2,airflow-2.11.2/8
	# shellcheck disable=SC2086
	python3 tests/differential.py "$B/couler" --with dash,busybox,bash,airflow-3.3.2 --airflows 1 $examples tests/differential/*.cw
	python3 tests/differential.py "$B/couler" --with dash,busybox,bash "$programs"/*.cw
	p=0 f=0
	for file in $examples "$programs"/*.cw tests/differential/*.cw; do
		"$B/couler" compile "$file" -t shell -o "$B/plan.sh" 2>/dev/null || continue
		if shellcheck -s sh "$B/plan.sh"; then p=$((p + 1)); else f=$((f + 1)); echo "FAILED: shellcheck of the plan of $file"; fi
	done
	echo "$p passed, $f failed"
} >"$B/log/45-parts.log" 2>&1
cat "$B/log/45-parts.log"
awk '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3; n++ } END { if (n < 4) f += 4 - n; printf "%d passed, %d failed\n", p, f; exit f != 0 }' "$B/log/45-parts.log"
