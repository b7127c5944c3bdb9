#!/usr/bin/env python3
"""What holds for every program: properties.py COULER [--n 500] [--first 1]

For random programs (gen.py), all examples and all goldens that compile:
  format     `couler fmt` is idempotent, and the formatted text gives the same IR, places aside
  json       IR JSON reads back to the same bytes
  same       compiling twice gives the same bytes
Last line: `N passed, N failed`, one result a program and property.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gen  # noqa: E402


def run(*argv, cwd=None, text=None):
	p = subprocess.run(argv, cwd=cwd, input=text, capture_output=True, text=True, timeout=120)
	return p.returncode, p.stdout, p.stderr


def bare(x):
	"""An IR document without places: spans, and the lines in the names of regions."""
	if isinstance(x, dict):
		return {k: bare(v) for k, v in x.items() if k not in ("span", "sources") and not k.endswith("_span")}
	if isinstance(x, list):
		return [bare(v) for v in x]
	if isinstance(x, str):
		return re.sub(r"\b(if|for|fail)@\d+", r"\1@", x)
	return x


def check(couler, path):
	"""[(property, what is wrong or None)]"""
	folder, name = os.path.split(os.path.abspath(path))
	code, ir, err = run(couler, "compile", name, "-t", "ir", cwd=folder)
	if code:
		return [("compile", "exit %d: %s" % (code, err[:400]))]
	results = [("same", None if run(couler, "compile", name, "-t", "ir", cwd=folder)[1] == ir else "two compilations differ")]
	source = open(path, encoding="utf-8").read()
	code, once, err = run(couler, "fmt", "-", text=source)
	bad = None if code == 0 else "fmt: exit %d: %s" % (code, err[:300])
	if not bad and run(couler, "fmt", "-", text=once)[1] != once:
		bad = "fmt is not idempotent"
	if not bad:
		beside = os.path.join(folder, ".formatted-%d-%s" % (os.getpid(), name))
		with open(beside, "w", encoding="utf-8") as f:
			f.write(once)
		try:
			code, again, err = run(couler, "compile", os.path.basename(beside), "-t", "ir", cwd=folder)
		finally:
			os.remove(beside)
		if code:
			bad = "the formatted text does not compile: %s" % err[:300]
		else:
			a, b = bare(json.loads(ir)), bare(json.loads(again))
			a.pop("file", None), b.pop("file", None)
			bad = None if a == b else "the formatted text gives another IR"
	results.append(("format", bad))
	with tempfile.NamedTemporaryFile("w", suffix=".json", dir=folder, prefix=".ir-", encoding="utf-8") as f:
		f.write(ir)
		f.flush()
		code, back, err = run(couler, "compile", os.path.basename(f.name), "-t", "ir", cwd=folder)
	results.append(("json", None if code == 0 and back == ir else "exit %d: %s" % (code, err[:300]) if code else "reads back to other bytes"))
	return results


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("--n", type=int, default=500)
	ap.add_argument("--first", type=int, default=1)
	o = ap.parse_args()
	couler = os.path.abspath(o.couler)
	folder = tempfile.mkdtemp(prefix="couler-prop-")
	for seed in range(o.first, o.first + o.n):
		with open(os.path.join(folder, "seed%d.cw" % seed), "w", encoding="utf-8") as f:
			f.write(gen.generate(seed, pods=20, files=seed % 2 == 0))
	files = sorted(glob.glob("examples/*.cw") + glob.glob(folder + "/*.cw") + [f for f in glob.glob("tests/golden/*.cw") if not os.path.exists(f[:-3] + ".err")])
	passed = failed = 0
	with concurrent.futures.ThreadPoolExecutor(3) as ex:
		for path, results in zip(files, ex.map(lambda f: check(couler, f), files)):
			for what, bad in results:
				passed, failed = passed + (bad is None), failed + (bad is not None)
				if bad:
					print("%s: %s: %s" % (os.path.basename(path), what, bad))
	shutil.rmtree(folder, ignore_errors=True)
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
