#!/usr/bin/env python3
"""--set argo.memoize=on under the engine's controller: memoize.py COULER

A workflow is run, run again, and run with another parameter, in one cluster: what did not change is taken from the first
run, file and all; what the budget of the pass `cache` excludes, and what has no identity that the engine knows, runs every
time. Last line: `N passed, N failed`.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

BIN = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "couler-dev", "bin")
FOLDER = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "golden"))
COULER = os.path.abspath(sys.argv[1])
passed = failed = 0


def ok(cond, name, more=""):
	global passed, failed
	passed += bool(cond)
	failed += not cond
	if not cond:
		print("FAIL %s %s" % (name, str(more)[-600:]))


def compiled(path, *more):
	p = subprocess.run([COULER, "compile", "-t", "argo", *more, "--remarks", "argo_memo.cw", "-o", path], cwd=FOLDER, capture_output=True, text=True, env=dict(os.environ, NO_COLOR="1"))
	ok(p.returncode == 0, "compiles with " + " ".join(more), p.stderr)
	return open(path, encoding="utf-8").read(), p.stderr


def kept(text):
	"""Templates with a memoize."""
	return {t.split("\n")[0] for t in re.split(r"^  - name: ", text, flags=re.M)[1:] if re.search(r"^    memoize:", t, re.M)}


def documents(text):
	at, out = 0, []
	while text[at:].strip():
		at += len(text[at:]) - len(text[at:].lstrip())
		d, at = json.JSONDecoder().raw_decode(text, at)
		out += d if isinstance(d, list) else [d]
	return out


def main():
	work = tempfile.mkdtemp(prefix="couler-memo-")
	budget = ["--set", "cache.budget=10MB", "--set", "cache.profile=argo_memo.jsonl"]
	on = ["--set", "argo.memoize=on"]
	text, _ = compiled(os.path.join(work, "plain.yaml"), *budget)
	ok(kept(text) == set(), "nothing is kept unless it is asked for", kept(text))
	text, said = compiled(os.path.join(work, "all.yaml"), *on)
	ok(kept(text) == {"features", "copy", "scale"}, "without a budget all that can be kept", kept(text))
	for step in ("load", "names", "each"):
		ok("'%s' runs every time" % step in said, "a remark says why %s is not" % step, said)
	text, said = compiled(os.path.join(work, "a.yaml"), *on, *budget)
	ok(kept(text) == {"features", "scale"} and "'copy' is not kept" in said, "the budget excludes copy", kept(text))
	text, _ = compiled(os.path.join(work, "n.yaml"), *on, "--set", "cache.budget=0", "--set", "cache.profile=argo_memo.jsonl")
	ok(kept(text) == set(), "a budget of 0 keeps nothing", kept(text))
	changed, _ = compiled(os.path.join(work, "c.yaml"), *on, *budget)
	with open(os.path.join(work, "c.yaml"), "w", encoding="utf-8") as f:
		f.write(re.sub(r'(name: "?n"?\n +value: )"3"', r'\1"4"', changed))
	shutil.copy(os.path.join(work, "a.yaml"), os.path.join(work, "b.yaml"))
	p = subprocess.run([os.path.join(BIN, "argo-oracle"), *(os.path.join(work, n + ".yaml") for n in ("plain", "all", "a", "c"))], capture_output=True, text=True)
	for line in p.stdout.splitlines():
		ok(json.loads(line)["ok"], "the engine's own code accepts it", line)
	p = subprocess.run([os.path.join(BIN, "argo-run"), "-timeout", "5m", *(os.path.join(work, n + ".yaml") for n in "abc")], capture_output=True, text=True)
	runs = documents(p.stdout)
	ok(len(runs) == 3 and all(r["phase"] == "Succeeded" for r in runs), "three runs succeed", p.stderr[-300:] + p.stdout[-300:])
	hits = [{n["name"]: n["memoization"].get("hit", False) for n in r["nodes"] if n.get("memoization")} for r in runs]
	ok(hits == [{"features": False, "scale": False}, {"features": True, "scale": True}, {"features": False, "scale": False}], "the second run takes both, the third, of other parameters, none", hits)
	values = [{n["name"]: {p["name"]: p.get("value") for p in n.get("outputs", {}).get("parameters", [])} for n in r["nodes"] if n["type"] == "Pod"} for r in runs]
	ok(values[0]["scale"] == values[1]["scale"] == {"v": "42"} and values[2]["scale"] == {"v": "52"}, "values of what was kept", values)
	ok(values[1]["load"] == {"rows": "1"}, "a step reads the file of a step that did not run", values[1].get("load"))
	shutil.rmtree(work, ignore_errors=True)
	print("%d passed, %d failed" % (passed, failed))
	sys.exit(1 if failed else 0)


main()
