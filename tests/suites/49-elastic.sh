#!/bin/sh
# Elastic input pipelines: the broker and its workers under faults, the Python helper, the example, the simulator.
set -u
cache=${XDG_CACHE_HOME:-$HOME/.cache}/couler-dev
venv=$cache/elastic-$(cat python/pyproject.toml python/couler_data/*.py | sha256sum | cut -c 1-12)
if [ ! -e "$venv/ready" ]; then
	python3 -m venv "$venv" && "$venv/bin/pip" -q --disable-pip-version-check install ./python && : > "$venv/ready" || exit 1
	rm -rf python/build python/couler_data.egg-info
fi
PATH=$venv/bin:$PATH
export PATH
python3 tests/elastic.py "$B/couler" ${ELASTIC_TESTS:-}
