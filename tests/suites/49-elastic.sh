#!/bin/sh
# Elastic input pipelines: the broker and its workers under faults, the Python helper, the example, the simulator.
set -u
cache=${XDG_CACHE_HOME:-$HOME/.cache}/couler-dev
venv=$cache/elastic
[ -x "$venv/bin/python3" ] || python3 -m venv "$venv" || exit 1
"$venv/bin/pip" -q --disable-pip-version-check install --force-reinstall ./python || exit 1
rm -rf python/build python/couler_data.egg-info
PATH=$venv/bin:$PATH
export PATH
python3 tests/elastic.py "$B/couler"
