#!/bin/sh
# Workflows in parts on Airflow 2.11 and 3.3: DAGs that trigger DAGs, against a local run, and under Airflow's own scheduler.
set -u
here=tests/engine/airflow
sh $here/setup.sh 3.3.2 2.11.2 >/dev/null || exit 1
# Each Airflow on a core of its own.
version() {
	python3 $here/run.py --couler "$B/couler" --airflow "$1" --local --parts --generate "${N:-2}" $here/parts
	python3 $here/scheduled.py "$B/couler" "$1"
}
version 2.11.2 >"$B/log/44-airflow-parts-2.log" 2>&1 &
version 3.3.2 >"$B/log/44-airflow-parts-3.log" 2>&1
wait $!
cat "$B/log/44-airflow-parts-2.log" "$B/log/44-airflow-parts-3.log"
# shellcheck disable=SC2046
set -- $(cat "$B/log/44-airflow-parts-2.log" "$B/log/44-airflow-parts-3.log" | awk '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3; n++ } END { if (n < 4) f += 4 - n; print p + 0, f + 0 }')
echo "$1 passed, $2 failed"
[ "$2" -eq 0 ]
