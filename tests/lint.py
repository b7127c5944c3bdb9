#!/usr/bin/env python3
"""The rules of the house that a machine can see: lint.py

headers   a stage includes its input header, its output header and the base layer, nothing else (docs/design.md)
engines   nothing outside backends/NAME branches on the name of an engine
length    a file of C has at most 800 lines
words     nothing left open in the text
Last line: `N passed, N failed`, one result a file and rule.
"""
import glob
import os
import re
import sys

BASE = {"arena", "vec", "str", "diag", "diag_codes", "opt", "program", "ptrmap", "seen", "type", "value"}
IR = BASE | {"expr", "ir", "transient"}
ALLOWED = {
	"src/base": BASE,
	"src/front": IR | {"token", "ast", "front", "project", "help"},
	"src/ir": IR | {"graph"},
	"src/passes": IR | {"pass", "backend", "graph", "elastic", "cachepolicy"},
	"src/elastic": IR | {"elastic", "net"},
	"src/run": IR | {"run", "backend", "graph", "net", "objects", "cachepolicy", "elastic", "nl"},
	"src/net": BASE | {"cluster", "net", "objects"},
	"src/cache": IR | {"cachepolicy"},
	"src/sim": BASE | {"cachepolicy", "cachesim", "elastic"},
	"src/nl": IR | {"nl", "front", "ast", "token", "backend", "pass", "net", "graph"},
	"backends": IR | {"backend"},
	"src/cli": None,
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def folder_of(path):
	return max((f for f in ALLOWED if path.startswith(f + "/")), key=len, default=None)


def headers(path, text):
	folder = folder_of(path)
	allowed = ALLOWED.get(folder)
	if folder is None:
		return "no rule for this folder in tests/lint.py"
	for name in INCLUDE.findall(text):
		if name.startswith("couler/"):
			stem = name[len("couler/"):-2]
			if allowed is not None and stem not in allowed:
				return "includes %s, which is no header of this stage" % name
		elif not os.path.exists(os.path.join(os.path.dirname(path), name)):
			return "includes %s, which is not beside it" % name
	return None


def engines(path, text):
	if path.startswith("backends/"):
		return None
	m = re.search(r'str(?:n?cmp|_eq)\([^)\n]*"(argo|airflow|shell)"', text)
	return "branches on the name of an engine: %s" % m.group(0) if m else None


def length(path, text):
	n = text.count("\n")
	return "%d lines, at most 800" % n if n > 800 else None


def words(path, text):
	m = re.search(r"\b(TODO|FIXME|XXX|HACK)\b|not (yet )?implemented|unimplemented", text)
	return "left open: %s" % m.group(0) if m else None


def main():
	os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
	files = sorted(f for p in ("src/**/*.[ch]", "backends/**/*.[ch]", "include/**/*.h") for f in glob.glob(p, recursive=True))
	passed = failed = 0
	for path in files:
		text = open(path, encoding="utf-8").read()
		for rule in (headers, engines, length, words):
			if rule is headers and path.startswith("include/"):
				continue
			bad = rule(path, text)
			if bad:
				failed += 1
				print("%s: %s: %s" % (path, rule.__name__, bad))
			else:
				passed += 1
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
