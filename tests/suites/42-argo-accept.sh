#!/bin/sh
# Manifests of the examples, the goldens and 500 random programs, held against Argo's own code.
sh tests/engine/argo/build.sh oracle >&2 || exit 1
exec python3 tests/engine/argo/accept.py "$B/couler" --n "${N:-500}"
