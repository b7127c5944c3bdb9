#!/bin/sh
# Unit tests (Check), plain and under ASan and UBSan.
set -u
p=0 f=0
run() {
	for t in "$1"/unit/test_*; do
		[ -x "$t" ] && [ -f "$t" ] || continue
		out=$(ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 CK_DEFAULT_TIMEOUT=120 "$t" 2>&1)
		code=$?
		line=$(printf '%s\n' "$out" | grep -E 'Checks: [0-9]+, Failures' | tail -n 1)
		n=$(printf '%s' "$line" | sed -n 's/.*Checks: \([0-9]*\),.*/\1/p')
		bad=$(printf '%s' "$line" | sed -n 's/.*Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 \2/p' | awk '{print $1 + $2}')
		if [ -z "$n" ] || { [ "$code" -ne 0 ] && [ "${bad:-0}" -eq 0 ]; }; then
			n=1 bad=1
		fi
		p=$((p + n - bad)) f=$((f + bad))
		echo "$t: $n checks, $bad bad"
		[ "$bad" -eq 0 ] || printf '%s\n' "$out" | grep -v ':P:'
	done
}
make -s -j2 B="$B" unit || exit 1
run "$B"
make -s -j2 B="$B/san" CC=clang CFLAGS="-O1 -g -fno-omit-frame-pointer" SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined" unit || exit 1
run "$B/san"
echo "$p passed, $f failed"
[ "$f" -eq 0 ]
