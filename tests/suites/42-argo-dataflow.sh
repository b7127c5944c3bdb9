#!/bin/sh
# Elastic input pipelines on a cluster: run under the engine's controller, their workers as pods of a Job.
set -u
sh tests/engine/argo/build.sh oracle >&2 || exit 1
sh tests/engine/argo/build.sh run >&2 || exit 1
exec python3 tests/engine/argo/dataflow.py "$B/couler"
