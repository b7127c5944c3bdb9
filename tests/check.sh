#!/bin/sh
# Runs the test suites and adds up their results: check.sh [-j N] [SUITE...]. A suite is tests/suites/NAME.sh; its last
# line is `N passed, N failed`. One that ends without such a line, or with a bad exit code and no failure, counts as failed.
# Logs: build/log/NAME.log. Last line: `N passed, N failed` of all.
set -u
cd "$(dirname "$0")/.." || exit 2
unset MAKEFLAGS MFLAGS MAKELEVEL                          # what is tested is no child of this make
B=${B-build}
export B
logs=$B/log
mkdir -p "$logs"
if [ $# -eq 0 ]; then
	# shellcheck disable=SC2046
	set -- $(cd tests/suites && ls ./*.sh | sed 's|^\./||; s|\.sh$||' | LC_ALL=C sort)
fi
passed=0 failed=0 bad=
for suite; do
	[ -f "tests/suites/$suite.sh" ] || { echo "no suite '$suite' in tests/suites" >&2; exit 2; }
	start=$(date +%s)
	sh "tests/suites/$suite.sh" >"$logs/$suite.log" 2>&1
	code=$?
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$logs/$suite.log" | tail -n 1)
	p=$(echo "$last" | sed -n 's/^\([0-9]*\) passed.*/\1/p')
	f=$(echo "$last" | sed -n 's/^[0-9]* passed, \([0-9]*\) failed.*/\1/p')
	p=${p:-0} f=${f:-0}
	if [ -z "$last" ] || { [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; } || [ $((p + f)) -eq 0 ]; then
		f=$((f + 1))
	fi
	passed=$((passed + p)) failed=$((failed + f))
	printf '%-22s %6d passed %4d failed %5d s\n' "$suite" "$p" "$f" $(($(date +%s) - start))
	if [ "$f" -ne 0 ]; then
		bad="$bad $suite"
		echo "  log: $logs/$suite.log; its end:"
		tail -n 25 "$logs/$suite.log" | sed 's/^/  | /'
	fi
done
for suite in $bad; do                                     # a long log's end need not show what failed
	grep -E '^(FAIL|not ok)|: FAIL|:[FE]:|ERROR: |runtime error: ' "$logs/$suite.log" | head -n 20 | cut -c 1-400 | sed "s/^/$suite: /"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
