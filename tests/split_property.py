#!/usr/bin/env python3
"""A split workflow does what it did in one piece: split_property.py COULER [--n 40] [--first 1]

Runs random workflows (split_gen.py) whole, and split by steps, by pods and by the depth-first walk, and compares the exit,
the state of every step, every value and the SHA-256 of every file. A workflow whose steps must stay together in more than
a part holds is counted as refused; more than a fifth of them is a failure. Last line: `N passed, N failed`.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import split_gen  # noqa: E402

WAYS = [["--split-steps", "6"], ["--split-steps", "4", "--split", "dfs"], ["--split-pods", "24"], ["--split-steps", "5"]]


def bare(v):
	"""Without the places of files, which differ from run to run."""
	if isinstance(v, dict):
		return {k: bare(x) for k, x in v.items() if k != "path"}
	return [bare(x) for x in v] if isinstance(v, list) else v


def run(couler, path, work, more):
	out = os.path.join(work, "out.json")
	shutil.rmtree(os.path.join(work, "cache"), ignore_errors=True)
	if os.path.exists(out):
		os.unlink(out)
	env = dict(os.environ, COULER_CACHE=os.path.join(work, "cache"), NO_COLOR="1")
	p = subprocess.run([couler, "run", path, "--outputs-json", out, "-q", "-j", "2", "--remarks", *more], env=env, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
	if not os.path.exists(out):
		return {"exit": p.returncode, "said": p.stderr}
	doc = json.load(open(out, encoding="utf-8"))
	return {"exit": p.returncode, "said": p.stderr, "steps": bare(doc["steps"]), "outputs": bare(doc["outputs"])}


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("--n", type=int, default=40)
	ap.add_argument("--first", type=int, default=1)
	ap.add_argument("--steps", type=int, default=30)
	o = ap.parse_args()
	couler = os.path.abspath(o.couler)
	work = tempfile.mkdtemp(prefix="couler-split-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
	passed = failed = refused = parts = 0
	for seed in range(o.first, o.first + o.n):
		path = os.path.join(work, "big.cw")
		with open(path, "w", encoding="utf-8") as f:
			f.write(split_gen.generate(seed, o.steps))
		way = WAYS[seed % len(WAYS)]
		a, b = run(couler, path, work, []), run(couler, path, work, way)
		if b["exit"] == 1 and "CW1205" in b["said"]:
			refused += 1
			continue
		parts += b["said"].count("remark: split:")
		bad = [k for k in ("exit", "steps", "outputs") if a.get(k) != b.get(k) or k not in a]
		failed += bool(bad)
		passed += not bad
		if bad:
			print("seed %d %s: %s differ: %s" % (seed, " ".join(way), ", ".join(bad), b["said"][-300:]))
	shutil.rmtree(work, ignore_errors=True)
	print("%d refused, %d graphs split" % (refused, parts))
	if refused * 5 > o.n:
		failed += 1
		print("too many were refused")
	if not parts:
		failed += 1
		print("nothing was split")
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
