#!/bin/sh
# Examples that run here for real, in a Python with what examples/requirements.txt lists.
set -u
cache=${XDG_CACHE_HOME:-$HOME/.cache}/couler-dev
venv=$cache/examples-$(sha256sum examples/requirements.txt | cut -c 1-12)
if [ ! -e "$venv/ready" ]; then
	rm -rf "$venv"
	python3 -m venv "$venv" && "$venv/bin/python" -m pip -q --disable-pip-version-check install -r examples/requirements.txt && : > "$venv/ready" || exit 1
fi
exec python3 tests/examples.py "$B/couler" "$venv/bin"
