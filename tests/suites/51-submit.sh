#!/bin/sh
# couler submit, by an Argo Server that lets the engine's own controller run what comes, and by kubectl.
set -u
sh tests/engine/argo/build.sh run || exit 1
make -s B="$B" "$B/couler" || exit 1
ARGO_RUN=${XDG_CACHE_HOME:-$HOME/.cache}/couler-dev/bin/argo-run
export ARGO_RUN
exec python3 tests/net/submit.py "$B/couler"
