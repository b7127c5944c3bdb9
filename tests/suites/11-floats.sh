#!/bin/sh
# Floats as text, against Python.
set -u
make -s -j2 B="$B" "$B/unit/test_values" || exit 1
exec python3 tests/floats.py "$B/unit/test_values" 300000
