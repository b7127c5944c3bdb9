#!/usr/bin/env python3
"""Writes pods.csv and use.csv of this folder: derive.py openb_pod_list_default.csv INSTANCE.json...

pods.csv: every fifth pod of the trace that ran between a minute and a day, by its creation: its start (s after the first), its
seconds, the CPUs and the MiB it asked for. use.csv: what tasks of one process took (mean CPU, peak of memory), as a share of
the most that one of them took; processes of at least 8 tasks.
"""
import collections
import csv
import json
import os
import re
import sys


def main():
	here = os.path.dirname(os.path.abspath(__file__))
	pods = []
	with open(sys.argv[1], encoding="utf-8") as f:
		for p in csv.DictReader(f):
			if p["scheduled_time"] and p["deletion_time"]:
				s = int(float(p["deletion_time"])) - int(float(p["scheduled_time"]))
				if 60 <= s <= 86400:
					pods.append((int(float(p["creation_time"])), s, int(p["cpu_milli"]) / 1000, int(p["memory_mib"])))
	pods = sorted(pods)[::5]
	with open(os.path.join(here, "pods.csv"), "w", encoding="utf-8") as f:
		f.write("start,seconds,cpu,mib\n")
		f.writelines("%d,%d,%g,%d\n" % (t - pods[0][0], s, c, m) for t, s, c, m in pods)
	use = collections.defaultdict(list)
	for path in sys.argv[2:]:
		d = json.load(open(path, encoding="utf-8"))
		for t in d["workflow"]["execution"]["tasks"]:
			if t.get("memoryInBytes", 0) > 0 and t.get("avgCPU", 0) > 0:
				use[os.path.basename(path).split("-")[0] + "/" + re.sub(r"[^A-Za-z_:]*[0-9].*$|\s*\(.*$", "", t["id"])].append((t["avgCPU"], t["memoryInBytes"]))
	with open(os.path.join(here, "use.csv"), "w", encoding="utf-8") as f:
		f.write("process,cpu,memory\n")
		for name, v in enumerate((use[k] for k in sorted(use) if len(use[k]) >= 8), 1):
			f.writelines("%d,%.3f,%.3f\n" % (name, c / max(x[0] for x in v), m / max(x[1] for x in v)) for c, m in v)


main()
