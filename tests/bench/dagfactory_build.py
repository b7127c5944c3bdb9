"""Builds the layered DAG of N tasks with dag-factory: dagfactory_build.py N FOLDER. FOLDER is for its YAML and Airflow's home.

Runs in the Airflow 2.11 environment of tests/engine/airflow/setup.sh, with dag-factory on PYTHONPATH. CPU seconds of the
build alone go to standard output.
"""
import os
import sys
import time

n, folder = int(sys.argv[1]), sys.argv[2]
os.environ.update(AIRFLOW_HOME=os.path.join(folder, "home"), AIRFLOW__CORE__LOAD_EXAMPLES="False")


def parents(i):
	layer, at = divmod(i, 100)
	return [] if layer == 0 else sorted({(layer - 1) * 100 + at, (layer - 1) * 100 + (at * 7 + 3) % 100})


path = os.path.join(folder, "layered.yaml")
with open(path, "w", encoding="utf-8") as f:
	f.write("layered:\n  default_args: {owner: bench, start_date: 2026-01-01}\n  schedule: null\n  tasks:\n")
	for i in range(n):
		f.write("    s%d:\n      operator: airflow.operators.bash.BashOperator\n      bash_command: echo step %d\n" % (i, i))
		if parents(i):
			f.write("      dependencies: [%s]\n" % ", ".join("s%d" % p for p in parents(i)))

import dagfactory  # noqa: E402  (after the environment)

start = time.process_time()
made = {}
dagfactory.load_yaml_dags(globals_dict=made, config_filepath=path)
assert len(made["layered"].tasks) == n
print(time.process_time() - start)
