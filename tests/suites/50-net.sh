#!/bin/sh
# The network layer against a server that speaks S3, servers that fail, and TLS; the shared cache; couler push.
set -u
cache=${XDG_CACHE_HOME:-$HOME/.cache}/couler-dev
venv=$cache/net-$(sha256sum tests/net/requirements.txt | cut -c1-12)
python=$venv/bin/python
if ! "$python" -c 'import moto.server, boto3, cryptography' 2>/dev/null; then
	rm -rf "$venv"
	mkdir -p "$cache"
	python3 -m venv "$venv" && "$python" -m pip -q --disable-pip-version-check install --no-deps -r tests/net/requirements.txt || exit 1
fi
sh tests/engine/argo/build.sh run || exit 1
make -s B="$B" "$B/couler" lib || exit 1
# shellcheck disable=SC2046
${CC:-cc} -std=c11 -D_GNU_SOURCE -Iinclude -Wall -Wextra -g -o "$B/objects" tests/net/objects.c "$B/libcouler.a" $(pkg-config --libs libcrypto jansson) -lpthread -ldl -lm || exit 1
ARGO_RUN=$cache/bin/argo-run
export ARGO_RUN
exec "$python" tests/net/run.py "$B/couler" "$B/objects"
