#!/usr/bin/env python3
"""What couler compiles, Argo's own code accepts: accept.py COULER [--n 500] [FILE.cw|FOLDER...]

Compiles each program for Argo, as what its schedule asks for and as a WorkflowTemplate, those that are not random for an
artifact repository of Azure's kind, too, and gives all manifests to argo-oracle at once. Programs are those given, else the examples, the goldens and N random ones. Exit 4 of couler (what Argo
cannot carry) is counted as refused and must name what to do. Last line: `N passed, N failed`.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import gen  # noqa: E402

ORACLE = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "couler-dev", "bin", "argo-oracle")

KINDS = {"default": [], "template": ["--as", "template"], "azure": ["--set", "argo.repository=azure"]}


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("files", nargs="*")
	ap.add_argument("--n", type=int, default=500)
	ap.add_argument("--first", type=int, default=1)
	o = ap.parse_intermixed_args()
	couler = os.path.abspath(o.couler)
	work = tempfile.mkdtemp(prefix="couler-accept-")
	programs = []
	for f in o.files:
		programs += sorted(glob.glob(f + "/*.cw")) if os.path.isdir(f) else [f]
	if not programs:
		programs = sorted(glob.glob(ROOT + "/examples/*.cw")) + [f for f in sorted(glob.glob(ROOT + "/tests/golden/*.cw")) if os.path.exists(f[:-3] + ".argo.yaml")]
		for seed in range(o.first, o.first + o.n):
			programs.append(os.path.join(work, "seed%d.cw" % seed))
			with open(programs[-1], "w", encoding="utf-8") as fh:
				fh.write(gen.generate(seed, pods=20, files=seed % 2 == 0))
	out = os.path.join(work, "out")
	os.mkdir(out)
	passed = failed = refused = 0

	def compile_(job):
		path, kind = job
		name = "%s.%s.yaml" % (os.path.basename(path)[:-3], kind)
		more = KINDS[kind]
		p = subprocess.run([couler, "compile", os.path.basename(path), "-t", "argo", "-o", os.path.join(out, name), *more], cwd=os.path.dirname(os.path.abspath(path)), capture_output=True, text=True)
		return path, kind, name, p

	jobs = [(p, k) for p in programs for k in KINDS if k != "azure" or not p.startswith(work)]
	with concurrent.futures.ThreadPoolExecutor(3) as ex:
		for path, kind, name, p in ex.map(compile_, jobs):
			if p.returncode == 4 and "mend: " in p.stderr:
				refused += 1
				print("%s: refused: %s" % (os.path.basename(path), p.stderr.splitlines()[0]))
			elif p.returncode:
				failed += 1
				print("%s: exit %d: %s" % (path, p.returncode, p.stderr[:400]))
	manifests = sorted(glob.glob(out + "/*.yaml"))
	p = subprocess.run([ORACLE, "-supplied", *manifests], capture_output=True, text=True)
	seen = 0
	for line in p.stdout.splitlines():
		r = json.loads(line)
		seen += 1
		if r["ok"]:
			passed += 1
		else:
			failed += 1
			kept = os.path.join(tempfile.gettempdir(), os.path.basename(r["file"]))
			shutil.copyfile(r["file"], kept)
			print("%s: %s" % (kept, "; ".join("%s %s: %s" % (e["stage"], e.get("path", ""), e["message"]) for e in r["errors"][:3])))
	if seen != len(manifests):
		failed += 1
		print("the oracle looked at %d of %d files: %s" % (seen, len(manifests), p.stderr[:400]))
	shutil.rmtree(work, ignore_errors=True)
	print("%d refused by the engine" % refused)
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed or not passed else 0


if __name__ == "__main__":
	sys.exit(main())
