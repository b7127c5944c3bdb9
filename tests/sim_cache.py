#!/usr/bin/env python3
"""couler sim cache as a user meets it: sim_cache.py COULER. Last line: `N passed, N failed`."""
import glob
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

COULER = os.path.abspath(sys.argv[1])
results = []


def sim(*args):
	return subprocess.run([COULER, "sim", "cache", *args], capture_output=True, text=True)


def check(what, good, said=""):
	results.append(bool(good))
	if not good:
		print("FAILED: %s %s" % (what, said))


traces = sorted(glob.glob("tests/data/wfcommons/*.json"))
small = [t for t in traces if os.path.getsize(t) < 10000]
a = sim("-f", "json", "--seeds", "4", "--budget", "2%,10%,40%", *small)
check("traces play", a.returncode == 0 and len(small) >= 4, a.stderr)
check("equal seeds, equal bytes", a.stdout == sim("-f", "json", "--seeds", "4", "--budget", "2%,10%,40%", *small).stdout)
doc = json.loads(a.stdout)
check("every trace, edit model and budget", len(doc["cells"]) == len(small) * 2 * 3)
check("nothing beats the bound", all(p["seconds"] >= c["bound"] * 0.999999 for c in doc["cells"] for n, p in c["policies"].items() if n != "all"))
b = json.loads(sim("-f", "json", "--seeds", "5").stdout)
check("the three scenarios", {(c["workload"], c["steps"]) for c in b["cells"]} == {("multimodal", 37), ("segmentation", 15), ("language", 21)})
standing = b["first"]["couler+"]
check("couler+ is first on 80 % of the cells", standing["first"] >= 0.8 * standing["cells"], str(standing))
check("couler+ is never behind lru", standing["not_behind_lru"] == standing["cells"], str(standing))
check("couler+ is never behind the paper's policy", standing["not_behind_couler"] == standing["cells"], str(standing))
svg = sim("-f", "svg", "--seeds", "2", "--no-bound", "segmentation")
root = xml.etree.ElementTree.fromstring(svg.stdout)
check("a picture with a line a policy and panel", len(root.findall("{http://www.w3.org/2000/svg}polyline")) == 2 * 11)
check("text names the winner", "couler+" in sim("--seeds", "1", "--no-bound", "segmentation").stdout)
with tempfile.TemporaryDirectory() as d:
	for name, text, word in (("a.json", "{", "line 1"), ("b.json", "{}", "specification.tasks"), ("c.json", '{"workflow":{"specification":{"tasks":[{"id":"x","children":["y"]}]},"execution":{"tasks":[{"id":"x","runtimeInSeconds":1}]}}}', "'y'"),
			("d.json", '{"workflow":{"specification":{"tasks":[{"id":"x","children":["x"]}]},"execution":{"tasks":[{"id":"x","runtimeInSeconds":1}]}}}', "circle"),
			("e.json", '{"workflow":{"specification":{"tasks":[{"id":"x","children":[]}]},"execution":{"tasks":[{"id":"z"}]}}}', "not executed")):
		path = os.path.join(d, name)
		with open(path, "w", encoding="utf-8") as f:
			f.write(text)
		r = sim(path)
		check("a bad trace: %s" % name, r.returncode == 3 and word in r.stderr, r.stderr)
	check("a trace that is not there", sim(os.path.join(d, "no.json")).returncode == 3)
for args, word in ((("multimodel",), "multimodal"), (("--policy", "lruu"), "lru"), (("--budget", "-3"), "--budget"), (("--budget", "101%"), "--budget"), (("--seeds", "0"), "--seeds"), (("--edits", "x"), "uniform"), (("-f", "png"), "svg")):
	r = sim(*args)
	check("wrong use: %s" % (args,), r.returncode == 2 and word in r.stderr, r.stderr)
check("a budget of nothing", sim("--budget", "0", "--seeds", "1", "segmentation").returncode == 0)
print("%d passed, %d failed" % (sum(results), len(results) - sum(results)))
sys.exit(not all(results))
