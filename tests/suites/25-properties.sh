#!/bin/sh
# Formatter, IR JSON and equal bytes over 500 random programs, the examples and the goldens.
exec python3 tests/properties.py "$B/couler" --n "${N:-500}"
