#!/bin/sh
# Elastic input pipelines: the broker and its workers under faults, the Python helper, the example, the simulator.
set -u
python3 tests/elastic.py "$B/couler"
