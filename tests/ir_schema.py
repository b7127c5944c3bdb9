#!/usr/bin/env python3
"""The JSON form of the IR against grammar/ir.schema.json: ir_schema.py COULER [FILE.cw...] [--mutants 300]

valid    what `couler compile -t ir` writes, with and without passes, is valid
mutants  a document with one random change that the schema refuses is refused by couler, too, with a diagnostic
Without files: the examples and the goldens that compile. Needs the PyPI package jsonschema (setup: tests/suites/26-ir-schema.sh).
Last line: `N passed, N failed`.
"""
import argparse
import copy
import glob
import json
import os
import random
import re
import subprocess
import sys
import tempfile

import jsonschema

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def run(*argv, cwd=None, text=None):
	return subprocess.run(argv, cwd=cwd, input=text, capture_output=True, text=True, timeout=120)


def innermost(error):
	"""The reason within a choice that came furthest."""
	while error.context:
		error = max(error.context, key=lambda e: len(e.absolute_path))
	return "%s: %s" % (error.json_path, error.message[:300])


def places(doc, out):
	"""All (container, key) below a document; the text of sources apart."""
	items = doc.items() if isinstance(doc, dict) else enumerate(doc)
	for k, v in items:
		out.append((doc, k))
		if isinstance(v, (dict, list)) and k != "sources":
			places(v, out)
	return out


def mutate(doc, rnd):
	"""A copy with one change, and what it is."""
	doc = copy.deepcopy(doc)
	at, key = rnd.choice(places(doc, []))
	kind = rnd.choice(["delete", "null", "text", "number", "huge", "negative", "list", "object", "unknown", "swap", "word"])
	new = {"null": None, "text": "nosuch", "number": 7, "huge": 1e300, "negative": -3, "list": [], "object": {}, "word": "step"}
	if kind == "delete" and isinstance(at, dict):
		del at[key]
	elif kind == "unknown" and isinstance(at, dict):
		at["colour"] = "blue"
	elif kind == "swap" and isinstance(at, list) and len(at) > 1:
		at.reverse()
	elif kind in new:
		at[key] = new[kind]
	else:
		at[key] = copy.deepcopy(doc.get("tasks"))
	return doc, "%s at %s" % (kind, key)


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("files", nargs="*")
	ap.add_argument("--mutants", type=int, default=300)
	o = ap.parse_args()
	couler = os.path.abspath(o.couler)
	with open(os.path.join(ROOT, "grammar", "ir.schema.json"), encoding="utf-8") as f:
		schema = json.load(f)
	jsonschema.Draft202012Validator.check_schema(schema)
	validator = jsonschema.Draft202012Validator(schema)
	passed = failed = 0
	docs = []
	for path in o.files or sorted(glob.glob(os.path.join(ROOT, "examples", "*.cw")) + glob.glob(os.path.join(ROOT, "tests", "golden", "*.cw"))):
		folder, name = os.path.split(os.path.abspath(path))
		for flags in ([], ["-O0"]):
			p = run(couler, "compile", name, "-t", "ir", *flags, cwd=folder)
			if p.returncode:
				if o.files:
					failed += 1
					print("%s: exit %d: %s" % (path, p.returncode, p.stderr[:300]))
				continue
			doc = json.loads(p.stdout)
			docs.append(doc)
			errors = [innermost(e) for e in validator.iter_errors(doc)]
			passed += not errors
			failed += bool(errors)
			for e in errors[:3]:
				print("%s: %s" % (path, e))
	rnd = random.Random(5)
	small = sorted(docs, key=lambda d: len(json.dumps(d)))[: max(8, len(docs) // 2)]
	with tempfile.TemporaryDirectory() as tmp:
		path = os.path.join(tmp, "mutant.ir.json")
		for _ in range(o.mutants if small else 0):
			doc, what = mutate(rnd.choice(small), rnd)
			with open(path, "w", encoding="utf-8") as f:
				json.dump(doc, f)
			p = run(couler, "compile", path, "-t", "ir", "-O0", "-o", os.path.join(tmp, "out"))
			bad = None
			if p.returncode not in (0, 1) or (p.returncode == 1 and not re.search(r"error\[CW11\d\d\]", p.stderr)):
				bad = "exit %d: %s" % (p.returncode, p.stderr[-300:])
			elif p.returncode == 0 and not validator.is_valid(doc):
				bad = "couler takes what the schema refuses: %s" % innermost(next(validator.iter_errors(doc)))
			passed += not bad
			failed += bool(bad)
			if bad:
				print("%s: %s" % (what, bad))
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
