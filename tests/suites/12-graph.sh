#!/bin/sh
# couler graph: what it draws, looked at by a program.
set -u
make -s -j2 B="$B" "$B/couler" || exit 1
exec python3 tests/graphs.py "$B/couler"
