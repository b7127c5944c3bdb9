#!/bin/sh
# What -t ir writes, and what the reader takes, against grammar/ir.schema.json.
set -u
python=python3
if ! python3 -c 'import jsonschema' 2>/dev/null; then
	venv=${XDG_CACHE_HOME:-$HOME/.cache}/couler-dev/jsonschema
	python=$venv/bin/python
	if ! "$python" -c 'import jsonschema' 2>/dev/null; then
		python3 -m venv "$venv" && "$python" -m pip -q --disable-pip-version-check install jsonschema || exit 1
	fi
fi
exec "$python" tests/ir_schema.py "$B/couler"
