#!/usr/bin/env python3
"""Makes the small traces of this folder from WfCommons instances: derive.py INSTANCE.json... (see README.md)

Keeps what a cache looks at: who follows whom, run times, the bytes each task writes (one file a task).
"""
import json
import os
import sys


def derive(path):
	doc = json.load(open(path, encoding="utf-8"))["workflow"]
	tasks = doc["specification"]["tasks"]
	size = {f["id"]: f.get("sizeInBytes", 0) for f in doc["specification"]["files"]}
	seconds = {t["id"]: t["runtimeInSeconds"] for t in doc["execution"]["tasks"]}
	short = {t["id"]: "t%d" % i for i, t in enumerate(tasks)}
	rows = [json.dumps({"id": short[t["id"]], "children": [short[c] for c in t["children"]], "outputFiles": ["f%d" % i]}, separators=(",", ":")) for i, t in enumerate(tasks)]
	files = [json.dumps({"id": "f%d" % i, "sizeInBytes": sum(size.get(f, 0) for f in t.get("outputFiles", []))}, separators=(",", ":")) for i, t in enumerate(tasks)]
	runs = [json.dumps({"id": short[t["id"]], "runtimeInSeconds": round(seconds[t["id"]], 3)}, separators=(",", ":")) for t in tasks]
	return '{"name":%s,"schemaVersion":"1.5","workflow":{"specification":{"tasks":[\n%s\n],"files":[\n%s\n]},"execution":{"tasks":[\n%s\n]}}}\n' % (
		json.dumps(os.path.basename(path)[:-5]), ",\n".join(rows), ",\n".join(files), ",\n".join(runs))


for path in sys.argv[1:]:
	out = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.path.basename(path))
	with open(out, "w", encoding="utf-8") as f:
		f.write(derive(path))
