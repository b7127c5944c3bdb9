#!/usr/bin/env python3
"""Runs that end well with and without retries of transient faults: retry_faults.py COULER [--runs 30] [--rate 0.08]

Each step of a workflow runs under a wrapper that makes an attempt fail with a given chance, with a message of a passing fault
(the same faults for both, drawn from the seed, the step and the attempt). Also: a fault that does not pass, and a step
with an effect, are not tried again. Then the same over 100,000 simulated runs. Last line: `N passed, N failed`.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

SAYINGS = ["read: Connection reset by peer", "HTTP 503 Service Unavailable", "429 Too Many Requests", "pods is forbidden: exceeded quota", "Temporary failure in name resolution"]

WRAPPER = '''import hashlib, os, sys
seed, step, rate = sys.argv[1], sys.argv[2], float(sys.argv[3])
h = hashlib.sha256(("%s.%s.%s" % (seed, step, os.environ.get("COULER_ATTEMPT", "1"))).encode()).digest()
if int.from_bytes(h[:4], "big") / 2 ** 32 < rate:
    print(SAYINGS[h[5] % len(SAYINGS)], file=sys.stderr)
    sys.exit(1)
'''


def workflow(work, seed, steps, rate):
	wrapper = os.path.join(work, "wrapper.py")
	with open(wrapper, "w", encoding="utf-8") as f:
		f.write("SAYINGS = %r\n" % SAYINGS + WRAPPER)
	lines = ["workflow faults {"]
	for i in range(steps):
		after = "after = [s%d]; " % (i - 1) if i else ""
		lines.append('  step s%d { %sout v: int; run = """python3 %s %d %d %g && echo 1 > "$v" """ }' % (i, after, wrapper, seed, i, rate))
	return "\n".join(lines + ["}"]) + "\n"


def run(couler, work, text, more):
	path, out = os.path.join(work, "w.cw"), os.path.join(work, "o.json")
	shutil.rmtree(os.path.join(work, "cache"), ignore_errors=True)
	with open(path, "w", encoding="utf-8") as f:
		f.write(text)
	p = subprocess.run([couler, "run", path, "-q", "--no-cache", "--outputs-json", out, *more], env=dict(os.environ, COULER_CACHE=os.path.join(work, "cache")), capture_output=True, text=True, timeout=120)
	return p.returncode, json.load(open(out, encoding="utf-8"))["steps"] if os.path.exists(out) else {}


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("--runs", type=int, default=30)
	ap.add_argument("--steps", type=int, default=5)
	ap.add_argument("--rate", type=float, default=0.08)
	o = ap.parse_args()
	couler, work = os.path.abspath(o.couler), tempfile.mkdtemp(prefix="couler-faults-")
	asked = ["--set", "retry.limit=3", "--set", "retry.backoff=0s"]
	whole = {0: 0, 1: 0}
	bad = []
	for seed in range(o.runs):
		text = workflow(work, seed, o.steps, o.rate)
		for k, more in enumerate(([], asked)):
			whole[k] += run(couler, work, text, more)[0] == 0
	print("%d of %d runs end well without retries, %d with (%g%% of the attempts fail, %d steps)" % (whole[0], o.runs, whole[1], 100 * o.rate, o.steps))
	if not whole[1] > whole[0] or whole[1] < o.runs - 1:
		bad.append("retries did not help as they should")
	rc, steps = run(couler, work, 'workflow w { step a { out v: int; run = """echo no such column >&2; exit 1""" } }\n', asked)
	if rc != 6 or steps["a"]["attempts"] != 1:
		bad.append("a fault that does not pass was tried again: %r" % steps)
	rc, steps = run(couler, work, 'workflow w { step a { out v: int; cache = off; run = """echo Connection reset by peer >&2; exit 1""" } }\n', asked)
	if rc != 6 or steps["a"]["attempts"] != 1:
		bad.append("an effect was done again: %r" % steps)
	rc, steps = run(couler, work, 'workflow w { step a { out v: int; cache = off; run = """exit 75""" } }\n', asked + ["--set", "retry.effects=on"])
	if rc != 6 or steps["a"]["attempts"] != 4:
		bad.append("retry.effects=on and exit code 75: %r" % steps)
	rc, steps = run(couler, work, 'workflow w { step a { out v: int; retry { limit = 2; on = transient }; run = """exit 143""" } }\n', [])
	if rc != 6 or steps["a"]["attempts"] != 3:
		bad.append("on = transient: %r" % steps)
	shutil.rmtree(work, ignore_errors=True)
	r, n, once, more = random.Random(1), 100000, 0, 0
	for _ in range(n):
		faults = [[r.random() < 0.006 for _ in range(4)] for _ in range(30)]
		once += not any(f[0] for f in faults)
		more += not any(all(f) for f in faults)
	print("simulated, 30 steps, 0.6%% of the attempts fail: %.1f%% of %d runs end well without retries, %.1f%% with" % (100 * once / n, n, 100 * more / n))
	for b in bad:
		print(b)
	print("%d passed, %d failed" % (5 - len(bad), len(bad)))
	return 1 if bad else 0


if __name__ == "__main__":
	sys.exit(main())
