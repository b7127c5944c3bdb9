#!/bin/sh
# Jobs of a cluster: compiled, and run under the engine's controller with stand-ins for the operators.
set -u
sh tests/engine/argo/build.sh oracle >&2 || exit 1
sh tests/engine/argo/build.sh run >&2 || exit 1
exec python3 tests/engine/argo/jobs.py "$B/couler"
