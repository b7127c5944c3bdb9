#!/bin/sh
# Each fuzzer for a minute (FUZZ_SECONDS) on top of the examples and the goldens as seeds; a crash is kept in build/fuzz.
set -u
seconds=${FUZZ_SECONDS:-60}
san="-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined"
make -s -j2 B="$B/fuzzlib" CC=clang CFLAGS="-O1 -g" SAN="$san" lib || exit 1
libs="$(pkg-config --libs yaml-0.1 jansson libpcre2-8 sqlite3 libcrypto mpfr) -lpthread -lm -ldl"
mkdir -p "$B/fuzz"
p=0 f=0 pids=
for source in tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	# shellcheck disable=SC2086
	clang -std=c11 -D_GNU_SOURCE -O1 -g -Iinclude -fsanitize=address,undefined,fuzzer -fno-sanitize-recover=undefined -o "$B/fuzz/$name" "$source" "$B/fuzzlib/libcouler.a" $libs || exit 1
	seeds=$B/fuzz/$name.corpus
	mkdir -p "$seeds"
	case $name in
	*ir) for cw in examples/*.cw; do "$B/couler" compile "$cw" -t ir -o "$seeds/$(basename "$cw").json" 2>/dev/null; done ;;
	*) cp examples/*.cw tests/golden/*.cw "$seeds/" 2>/dev/null ;;
	esac
	dict=
	[ ! -f "tests/fuzz/$name.dict" ] || dict=-dict=tests/fuzz/$name.dict
	[ -n "$dict" ] || [ ! -f tests/fuzz/cw.dict ] || dict=-dict=tests/fuzz/cw.dict
	# shellcheck disable=SC2086
	"$B/fuzz/$name" "$seeds" $dict -max_len=20000 -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix="$B/fuzz/$name-" >"$B/log/$name.txt" 2>&1 &
	pids="$pids $!:$name"
done
for one in $pids; do
	if wait "${one%%:*}"; then
		p=$((p + 1))
		grep -E 'number_of_executed_units|peak_rss' "$B/log/${one#*:}.txt"
	else
		f=$((f + 1))
		echo "FAILED: ${one#*:}"
		tail -n 40 "$B/log/${one#*:}.txt"
	fi
done
echo "$p passed, $f failed"
[ "$f" -eq 0 ]
