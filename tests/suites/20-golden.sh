#!/bin/sh
# Golden outputs of examples and of tests/golden, with the plain build and under sanitizers.
set -u
make -s -j2 B="$B/san" CC=clang CFLAGS="-O1 -g -fno-omit-frame-pointer" SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined" || exit 1
plain=$(python3 tests/golden.py "$B/couler")
a=$?
printf '%s\n' "$plain"
san=$(python3 tests/golden.py "$B/san/couler")
b=$?
printf '%s\n' "$san"
printf '%s\n%s\n' "$plain" "$san" | awk '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3 } END { printf "%d passed, %d failed\n", p, f }'
[ $a -eq 0 ] && [ $b -eq 0 ]
