#!/bin/sh
# The Argo oracle's own tests: manifests with one mistake each, the engine's examples, evaluation.
set -u
sh tests/engine/argo/build.sh oracle || exit 1
out=$(sh tests/engine/argo/build.sh test -v ./oracle 2>&1)
code=$?
printf '%s\n' "$out"
printf '%s\n' "$out" | awk '/^ *--- PASS/ { p++ } /^ *--- FAIL/ { f++ } END { printf "%d passed, %d failed\n", p, f }'
exit $code
