#!/bin/sh
# Airflow: ruff and mypy on the loader, its tests and the programs, in real Airflow 2.11 and 3.3.
set -u
here=tests/engine/airflow
sh $here/setup.sh 3.3.2 2.11.2 >"$B/airflow-envs" || exit 1
new=$(sed -n 1p "$B/airflow-envs") old=$(sed -n 2p "$B/airflow-envs")
p=0 f=0
result() {
	if [ "$1" -eq 0 ]; then p=$((p + 1)); else f=$((f + 1)); echo "FAILED: $2"; fi
}
total() {
	awk '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3; n++ } END { if (n < want) f += want - n; print p + 0, f + 0 }' want="$1"
}
"$new/bin/ruff" check -q --config $here/ruff.toml backends/airflow/couler_airflow.py $here/*.py; result $? "ruff"
"$new/bin/mypy" --strict --cache-dir "$B/mypy" backends/airflow/couler_airflow.py; result $? "mypy"
# Each Airflow on a core of its own.
version() {
	"$2/bin/python" $here/loader_test.py "$B/couler" 2>&1 | grep -v Warning
	[ "$2" = "$old" ] || "$2/bin/python" $here/reuse_test.py "$B/couler" 2>&1 | grep -v Warning
	python3 $here/run.py --couler "$B/couler" --airflow "$1" --local $here/programs
}
version 2.11.2 "$old" >"$B/log/44-airflow-2.log" 2>&1 &
version 3.3.2 "$new" >"$B/log/44-airflow-3.log" 2>&1
wait $!
cat "$B/log/44-airflow-2.log" "$B/log/44-airflow-3.log"
# shellcheck disable=SC2046
set -- $(cat "$B/log/44-airflow-2.log" "$B/log/44-airflow-3.log" | total 5)
p=$((p + $1)) f=$((f + $2))
echo "$p passed, $f failed"
[ "$f" -eq 0 ]
