#!/usr/bin/env python3
"""Splitting measured: passes_split.py COULER [--data FOLDER] [--sizes N,N] [--large]

For each shape and both ways of splitting (parts of at most 190 steps): parts, edges that cross, seconds on the longest path
against the unsplit bound (60 s a step, 10 s a part), and CPU seconds that splitting adds to `couler compile -t ir`.
--data: a folder of WfCommons instances (JSON), parts of at most 50 steps. --large: layers of 1,000,000 steps, too.
Writes a Markdown table.
"""
import argparse
import glob
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import shapes  # noqa: E402
import wfcommons  # noqa: E402

SAID = re.compile(r"split: (\d+) steps of workflow '[^']*' become (\d+) \w+ of their own and (\d+) that stay: (\d+) s on the longest path in place of (\d+) s, (\d+) edges cross")


def cpu(command):
	before = resource.getrusage(resource.RUSAGE_CHILDREN)
	p = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
	after = resource.getrusage(resource.RUSAGE_CHILDREN)
	return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, p


def random_dag(n, f):
	r = random.Random(7)
	f.write('task work {\n  in a: string = ""\n  in b: string = ""\n  out v: string\n  run = """echo "$a$b" | cksum > "$v" """\n}\n\nworkflow bench {\n')
	for i in range(n):
		ps = sorted({r.randrange(max(0, i - 2000), i) for _ in range(2)}) if i > 9 else []
		f.write("  step s%d = work(%s)\n" % (i, ", ".join("%s = s%d.v" % (x, p) for x, p in zip("ab", ps))))
	f.write("}\n")


def measure(couler, name, path, limit):
	base, _ = cpu([couler, "compile", path, "-t", "ir"])
	for way in ("acyclic", "dfs"):
		took, p = cpu([couler, "compile", path, "-t", "ir", "--split", way, "--split-steps", str(limit), "--remarks"])
		m = SAID.search(p.stderr)
		if not m:
			print("| %s | %s | %s |" % (name, way, "in one piece" if not p.returncode else p.stderr.strip().splitlines()[0]))
			continue
		steps, parts, stay, longest, bound, cut = map(int, m.groups())
		print("| %s | %d | %s | %d + %d | %d | %d | %d | %.2f | %.1f |" % (name, steps, way, parts, stay, cut, bound, longest, longest / bound, max(0, took - base)), flush=True)


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("--data")
	ap.add_argument("--sizes", type=lambda s: [int(x) for x in s.split(",")], default=[1000, 10000, 100000])
	ap.add_argument("--large", action="store_true")
	o = ap.parse_args()
	print("| graph | steps | way | parts + single steps | edges that cross | bound (s) | longest path (s) | ratio | CPU (s) |")
	print("|---|---|---|---|---|---|---|---|---|")
	with tempfile.TemporaryDirectory(prefix="couler-bench-") as work:
		path = os.path.join(work, "w.cw")
		for n in o.sizes + ([1000000] if o.large else []):
			for shape in ("layered", "chain", "fan", "random"):
				if (shape == "chain" and n > 10000) or (n == 1000000 and shape != "layered"):
					continue
				with open(path, "w", encoding="utf-8") as f:
					random_dag(n, f) if shape == "random" else shapes.write("tasks" if shape == "layered" else shape, n, f)
				measure(o.couler, shape, path, 190)
		for instance in sorted(glob.glob(os.path.join(o.data or "", "*.json"))) if o.data else []:
			with open(instance, encoding="utf-8") as f:
				text = wfcommons.convert(json.load(f), True)
			with open(path, "w", encoding="utf-8") as f:
				f.write(text if isinstance(text, str) else "\n".join(text))
			measure(o.couler, os.path.basename(instance)[:-5], path, 50)
	if o.data is None:
		print("\nWithout --data: no WfCommons instances.")


if __name__ == "__main__":
	main()
