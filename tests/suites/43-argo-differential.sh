#!/bin/sh
# The same program here and under Argo's own controller: 60 random programs, the examples that run here (regions fails at its first step, in both). Without the right to mount it fails and says so.
set -u
sh tests/engine/argo/build.sh run >&2 || exit 1
a=$(python3 tests/engine/argo/differential.py "$B/couler" --n "${N:-60}" --pods 4); x=$?
b=$(python3 tests/engine/argo/differential.py "$B/couler" examples/diamond.cw examples/coinflip.cw examples/word_count.cw examples/sqlite_etl.cw examples/churn.cw examples/regions.cw tests/differential/times.cw tests/differential/json_text.cw tests/differential/choice.cw tests/differential/no_files.cw); y=$?
printf '%s\n%s\n' "$a" "$b"
printf '%s\n%s\n' "$a" "$b" | awk '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3 } END { printf "%d passed, %d failed\n", p, f }'
[ $x -eq 0 ] && [ $y -eq 0 ]
