#!/usr/bin/env python3
"""Passes keep meaning: pass_property.py COULER PASS[,PASS...] [--n 200] [--first 1] [--twins P] [--names]
    [--options="RUN-OPTIONS"]

Runs random programs (gen.py) locally without the passes (-O0) and with them (--passes=LIST and RUN-OPTIONS, such as
--set split.steps=3), each from an empty cache, and compares the exit, the outputs of the workflow, and the state and
outputs of every step that both runs name (--names: both must name the same). Also counts how many programs the passes
changed: a property of programs that nothing happens to says little.
Last line: `N passed, N failed`, one result a program, and one for having changed at least a tenth of them.
"""
import argparse
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gen  # noqa: E402
from differential import digest  # noqa: E402


def shown(v):
	"""A value of --outputs-json without what differs from run to run: paths."""
	if isinstance(v, dict) and set(v) == {"path", "sha256"}:
		return digest(v["path"])
	if isinstance(v, list):
		return [shown(x) for x in v]
	return v


def run(couler, file, work, options):
	out = os.path.join(work, "out.json")
	env = dict(os.environ, COULER_CACHE=os.path.join(work, "cache"), NO_COLOR="1")
	p = subprocess.run([couler, "run", file, "--outputs-json", out, "-q", "-j", "2", *options], env=env, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
	if not os.path.exists(out):
		return {"exit": p.returncode, "said": p.stderr[-600:], "outputs": {}, "steps": {}}
	doc = json.load(open(out, encoding="utf-8"))
	return {"exit": p.returncode, "said": p.stderr[-600:], "outputs": {k: shown(v) for k, v in doc["outputs"].items()},
		"steps": {k: (s["status"], s.get("exit_code"), {n: shown(v) for n, v in s["outputs"].items()}) for k, s in doc["steps"].items()}}


def compare(a, b, names):
	bad = [] if a["exit"] == b["exit"] else ["exit %d without, %d with: %s" % (a["exit"], b["exit"], b["said"])]
	for k in sorted(set(a["outputs"]) | set(b["outputs"])):
		if a["outputs"].get(k) != b["outputs"].get(k):
			bad.append("output %s: %r without, %r with" % (k, a["outputs"].get(k), b["outputs"].get(k)))
	for k in sorted(set(a["steps"]) & set(b["steps"])):
		if a["steps"][k] != b["steps"][k]:
			bad.append("step %s: %r without, %r with" % (k, a["steps"][k], b["steps"][k]))
	if names and set(a["steps"]) != set(b["steps"]):
		bad.append("steps of one run only: %s" % sorted(set(a["steps"]) ^ set(b["steps"])))
	return bad


def one(couler, seed, o):
	work = tempfile.mkdtemp(prefix="couler-pass-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
	file = os.path.join(work, "p.cw")
	try:
		with open(file, "w", encoding="utf-8") as f:
			f.write(gen.generate(seed, o.pods, twins=o.twins))
		ir = [subprocess.run([couler, "compile", file, "-t", "ir", "-O0", *extra], capture_output=True).stdout for extra in ((), ("--passes=" + o.passes, *o.options))]
		for name in "ab":
			os.mkdir(os.path.join(work, name))
		a = run(couler, file, os.path.join(work, "a"), ["-O0"])
		b = run(couler, file, os.path.join(work, "b"), ["--passes=" + o.passes, *o.options])
		bad = compare(a, b, o.names)
		if a["exit"] not in (0, 6):
			bad.append("couler run: exit %d: %s" % (a["exit"], a["said"]))
		return bad, ir[0] != ir[1]
	except (OSError, ValueError, subprocess.TimeoutExpired) as x:
		return ["%s: %s" % (type(x).__name__, x)], False
	finally:
		shutil.rmtree(work, ignore_errors=True)


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("passes")
	ap.add_argument("--n", type=int, default=200)
	ap.add_argument("--first", type=int, default=1)
	ap.add_argument("--pods", type=int, default=12)
	ap.add_argument("--twins", type=float, default=0.0)
	ap.add_argument("--names", action="store_true")
	ap.add_argument("--options", type=str.split, default=[], help="further options of couler, in one word: --options=\"--split-steps 6\"")
	o = ap.parse_args()
	couler = os.path.abspath(o.couler)
	passed = failed = changed = 0
	with concurrent.futures.ThreadPoolExecutor(2) as ex:
		for seed, (bad, differs) in zip(range(o.first, o.first + o.n), ex.map(lambda s: one(couler, s, o), range(o.first, o.first + o.n))):
			passed, failed, changed = passed + (not bad), failed + bool(bad), changed + differs
			if bad:
				print("%s, seed %d (gen.py %d --pods %d --twins %g):\n  %s" % (o.passes, seed, seed, o.pods, o.twins, "\n  ".join(bad[:6])))
	print("%s changed %d of %d programs" % (o.passes, changed, o.n))
	passed, failed = passed + (10 * changed >= o.n), failed + (10 * changed < o.n)
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
