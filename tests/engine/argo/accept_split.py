#!/usr/bin/env python3
"""What couler splits for Argo, Argo's own code accepts, within its limits: accept_split.py COULER [--n 12]

Random workflows in parts of 6 steps, and layers, a chain, a fan and calls of one task with 1,000 steps each under the limits
of the engine itself: 200 templates and 1 MiB a document, 200 tasks a DAG. The last in runs of at most 300 pods, too, and 5,000
steps in runs of their own without being asked. Last line: `N passed, N failed`.
"""
import argparse
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "tests", "bench")]
import shapes  # noqa: E402
import split_gen  # noqa: E402

ORACLE = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "couler-dev", "bin", "argo-oracle")


def limits(text):
	"""What a document holds too much of."""
	bad = []
	for doc in text.split("\n---\n"):
		if len(doc.encode()) > 1048576:
			bad.append("%d bytes" % len(doc.encode()))
		templates = len(re.findall(r"^  - name: ", doc, re.M))
		if templates > 200:
			bad.append("%d templates" % templates)
		for dag in doc.split("\n    dag:\n")[1:]:
			n = len(re.findall(r"^      - name: ", dag.split("\n  - name: ")[0], re.M))
			if n > 200:
				bad.append("%d tasks" % n)
	return bad


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("--n", type=int, default=12)
	o = ap.parse_args()
	work = tempfile.mkdtemp(prefix="couler-accept-")
	jobs, passed, failed, refused = [], 0, 0, 0
	for seed in range(1, o.n + 1):
		jobs.append(("random%d" % seed, ["--split-steps", "6"] + (["--split", "dfs"] if seed % 3 == 0 else [])))
		with open(os.path.join(work, jobs[-1][0] + ".cw"), "w", encoding="utf-8") as f:
			f.write(split_gen.generate(seed, 30, soft=False))
	for shape in ("layered", "chain", "fan", "tasks"):
		jobs.append((shape, []))
		with open(os.path.join(work, shape + ".cw"), "w", encoding="utf-8") as f:
			shapes.write(shape, 1000, f)
	jobs.append(("runs", ["--split-pods", "300"]))
	with open(os.path.join(work, "runs.cw"), "w", encoding="utf-8") as f:
		shapes.write("tasks", 1000, f)
	with open(os.path.join(work, "many.cw"), "w", encoding="utf-8") as f:
		shapes.write("tasks", 5000, f)
	p = subprocess.run([o.couler, "compile", os.path.join(work, "many.cw"), "-t", "argo", "-o", os.path.join(work, "many")], capture_output=True, text=True)
	many = open(os.path.join(work, "many"), encoding="utf-8").read() if p.returncode == 0 else ""
	bad = limits(many) + ([] if many.count("workflowTemplateRef:") >= 2 else ["one run has all of 5,000 steps: " + p.stderr[:200]])
	failed += bool(bad)
	passed += not bad
	if bad:
		print("many: " + ", ".join(bad))
	for name, more in jobs:
		out = os.path.join(work, name + ".yaml")
		p = subprocess.run([o.couler, "compile", os.path.join(work, name + ".cw"), "-t", "argo", "-o", out, *more], capture_output=True, text=True)
		if p.returncode == 1 and "CW1205" in p.stderr:
			refused += 1
		elif p.returncode:
			failed += 1
			print("%s: exit %d: %s" % (name, p.returncode, p.stderr[:400]))
		else:
			text = open(out, encoding="utf-8").read()
			bad = limits(text) + ([] if ("workflowTemplateRef:" if "--split-pods" in more else "templateRef:") in text else ["it is in one piece"])
			failed += bool(bad)
			if bad:
				print("%s: %s" % (name, ", ".join(bad)))
	manifests = sorted(glob.glob(work + "/*.yaml"))
	p = subprocess.run([ORACLE, "-supplied", *manifests], capture_output=True, text=True)
	seen = 0
	for line in p.stdout.splitlines():
		r = json.loads(line)
		seen += 1
		passed += r["ok"]
		failed += not r["ok"]
		if not r["ok"]:
			print("%s: %s" % (os.path.basename(r["file"]), "; ".join("%s %s: %s" % (e["stage"], e.get("path", ""), e["message"]) for e in r["errors"][:2])))
	if seen != len(manifests) or refused * 5 > o.n:
		failed += 1
		print("the oracle looked at %d of %d files, %d were refused: %s" % (seen, len(manifests), refused, p.stderr[:400]))
	shutil.rmtree(work, ignore_errors=True)
	print("%d refused" % refused)
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed or not passed else 0


if __name__ == "__main__":
	sys.exit(main())
