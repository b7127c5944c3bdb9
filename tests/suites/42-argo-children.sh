#!/bin/sh
# Workflows of more nodes than one run should have: parts that are runs of their own, under the engine's controller.
set -u
sh tests/engine/argo/build.sh oracle >&2 || exit 1
sh tests/engine/argo/build.sh run >&2 || exit 1
exec python3 tests/engine/argo/children.py "$B/couler" --n "${N:-4}"
