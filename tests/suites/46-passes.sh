#!/bin/sh
# Passes keep meaning: random programs run locally with and without each; the cache policies against the optimum; search = llm.
set -u
p=0 f=0
run() {
	out=$("$@" 2>&1)
	code=$?
	printf '%s\n' "$out"
	line=$(printf '%s\n' "$out" | grep -E '^[0-9]+ passed, [0-9]+ failed' | tail -n 1)
	good=$(printf '%s' "$line" | sed -n 's/^\([0-9]*\) passed.*/\1/p')
	bad=$(printf '%s' "$line" | sed -n 's/.* \([0-9]*\) failed.*/\1/p')
	if [ -z "$line" ] || { [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
		good=${good:-0} bad=$((${bad:-0} + 1))
	fi
	p=$((p + good)) f=$((f + bad))
}
make -s "$B/couler" || exit 1
run python3 tests/pass_property.py "$B/couler" cse --n "${N:-300}" --twins 0.4 --names
run python3 tests/pass_property.py "$B/couler" fold --n "${N:-100}"
run python3 tests/pass_property.py "$B/couler" fold,cse,reduce --n "${N:-100}" --first 5000 --twins 0.3
run python3 tests/pass_property.py "$B/couler" cse,split --n "${N:-100}" --first 9000 --twins 0.4 --names "--options=--split-steps 6"
run python3 tests/explain_check.py "$B/couler"
run python3 tests/bench/pack.py "$B/couler" --quick
run python3 tests/sim_cache.py "$B/couler"
run python3 tests/nl/predict.py "$B/couler"
echo "$p passed, $f failed"
[ "$f" -eq 0 ]
