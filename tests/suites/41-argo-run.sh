#!/bin/sh
# argo-run's own tests: workflows under the engine's controller. Without the right to mount they fail and say so.
set -u
sh tests/engine/argo/build.sh run || exit 1
out=$(sh tests/engine/argo/build.sh test -v ./harness 2>&1)
code=$?
printf '%s\n' "$out"
printf '%s\n' "$out" | awk '/^ *--- PASS/ { p++ } /^ *--- FAIL/ { f++ } END { printf "%d passed, %d failed\n", p, f }'
exit $code
