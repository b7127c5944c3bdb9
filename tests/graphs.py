#!/usr/bin/env python3
"""couler graph on the examples and on made graphs: graphs.py COULER. Last line: `N passed, N failed`.

- SVG is well-formed; no two boxes overlap unless one holds the other; all lie inside the picture; arrows end at a box.
- text has at most 118 columns; each box is whole; equal input gives equal bytes.
- every node has its box in dot, Mermaid and SVG; dot and Mermaid declare what their edges name.
- known drawings, character by character.
"""
import glob
import os
import random
import re
import subprocess
import sys
import tempfile
import unicodedata
import xml.etree.ElementTree as ET

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
SVG = "{http://www.w3.org/2000/svg}"
RUN = 'run = """true"""'

DRAWN = {
	"diamond": ("""workflow w {
  step a { out v: int = stdout; run = \"\"\"echo 1\"\"\" }
  step b { in x = a.v; out v: int = stdout; run = \"\"\"echo 1\"\"\" }
  step long_name { in x = a.v; out v: int = stdout; run = \"\"\"echo 1\"\"\" }
  step d { in x = b.v; in y = long_name.v; in z = a.v; run = \"\"\"true\"\"\" }
}
""", """workflow w

          ┌───┐
          │ a │
          └─┬─┘
  ┌─────────┴┬────────┐
  ▼          ▼        │
┌───┐  ┌───────────┐  │
│ b │  │ long_name │  │
└─┬─┘  └─────┬─────┘  │
  └─────────┬┴────────┘
            ▼
          ┌───┐
          │ d │
          └───┘
"""),
	"regions": ("""workflow w {
  param n: int = 3
  step a { out v: int = stdout; run = \"\"\"echo 1\"\"\" }
  for i in range(0, n) { step f { in i; after = [a]; run = \"\"\"true\"\"\" } }
  if a.v > 1 { step yes { run = \"\"\"true\"\"\" } } else { fail "no" }
}
""", """workflow w

                       ┌───┐
                       │ a │
                       └─┬─┘
           ┌┄┄┄┄┄┄┄┄┄┄┄┄┄┴──────────────┐
           ▼                            ▼
┌ for i in range(0, n) ┐  ┌ if ───────────────────────┐
│        ┌───┐         │  │ ┌ a.v > 1 ┐  ┌ else ────┐ │
│        │ f │         │  │ │ ┌─────┐ │  │ ┌──────┐ │ │
│        └───┘         │  │ │ │ yes │ │  │ │ fail │ │ │
└──────────────────────┘  │ │ └─────┘ │  │ │ "no" │ │ │
                          │ │         │  │ └──────┘ │ │
                          │ └─────────┘  └──────────┘ │
                          └───────────────────────────┘
"""),
}


def columns(s):
	return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in s)


def couler(exe, path, form):
	return subprocess.run([exe, "graph", path, "-f", form], capture_output=True, text=True, check=True, timeout=60).stdout


def check_svg(svg):
	root = ET.fromstring(svg)
	w, h = float(root.get("width")), float(root.get("height"))
	rects = [tuple(float(r.get(k)) for k in ("x", "y", "width", "height")) for r in root.iter(SVG + "rect")]
	for x, y, rw, rh in rects:
		if x < 0 or y < 0 or x + rw > w + 0.5 or y + rh > h + 0.5:
			return "a box lies outside of the picture"
	for i, (x, y, rw, rh) in enumerate(rects):
		for x2, y2, rw2, rh2 in rects[i + 1:]:
			apart = x + rw <= x2 or x2 + rw2 <= x or y + rh <= y2 or y2 + rh2 <= y
			inside = x <= x2 and y <= y2 and x2 + rw2 <= x + rw and y2 + rh2 <= y + rh
			holds = x2 <= x and y2 <= y and x + rw <= x2 + rw2 and y + rh <= y2 + rh2
			if not (apart or inside or holds):
				return "two boxes overlap"
	for p in root.iter(SVG + "path"):
		if p.get("marker-end"):
			ex, ey = map(float, re.findall(r"-?[\d.]+", p.get("d"))[-2:])
			if not any(x - 0.5 <= ex <= x + rw + 0.5 and abs(y - ey - 6) < 1 for x, y, rw, rh in rects):
				return "an arrow ends at no box"
	return None


def check_text(text):
	lines = text.split("\n")
	if max(map(columns, lines), default=0) > 160 or any(columns(l) > 118 for l in lines if "┌" in l):
		return "a line is too long"
	body = "\n".join(l for l in lines if "•" not in l and "├ " not in l)
	if "•" not in text and (body.count("┌") < body.count("▼") or not "┘" in text):
		return "a box is not whole"
	return None


def check_edges(text, arrow):
	names = set(re.findall(r"\bn(\d+)(?=[ \[({])", text)) | set(re.findall(r"^\s*n(\d+)\W", text, re.M)) | set(re.findall(r"subgraph n(\d+)", text))
	for a, b in re.findall(r"n(\d+) (?:%s) n(\d+)" % arrow, text):
		if a not in names or b not in names:
			return "an edge names no node"
	opened = len(re.findall(r"^\s*(?:subgraph|digraph)\b", text, re.M))
	closed = len(re.findall(r"^\s*(?:end|\})$", text, re.M))
	return None if opened == closed else "%d regions are opened, %d closed" % (opened, closed)


def check_one(exe, path, names):
	errors = []
	out = {f: couler(exe, path, f) for f in ("text", "svg", "dot", "mermaid")}
	for f in out:
		if couler(exe, path, f) != out[f]:
			errors.append("%s: not the same bytes twice" % f)
	for f, bad in (("svg", check_svg(out["svg"])), ("text", check_text(out["text"])), ("dot", check_edges(out["dot"], "->")), ("mermaid", check_edges(out["mermaid"], "-->|-\\.->"))):
		if bad:
			errors.append("%s: %s" % (f, bad))
	for name in names:
		for f in ("dot", "mermaid"):
			if not re.search(r"\b%s\b" % re.escape(name), out[f]):
				errors.append("%s: no box for %s" % (f, name))
	return errors, out


def made(rnd, n):
	"""A random workflow with regions; its names."""
	text, names = ["workflow w {", "  param p: bool = true"], []
	for i in range(n):
		known = [x for x in names if x.startswith("s")]
		ins = "; ".join("in x%d = %s.v" % (k, x) for k, x in enumerate(rnd.sample(known, min(len(known), rnd.choice([0, 1, 1, 2, 3])))))
		kind = rnd.random()
		names.append(("r" if kind < 0.25 else "s") + "%d" % i)
		step = "step %s { %s%s out v: int = stdout; run = \"\"\"echo 1\"\"\" }" % (names[-1], ins, ";" if ins else "")
		text.append("  " + (step if kind >= 0.25 else "if p { %s }" % step if kind < 0.12 else "for i in range(0, 3) { if p { %s } else { step e%d { %s } } }" % (step, i, RUN)))
	return "\n".join(text + ["}", ""]), names


def main():
	exe = os.path.abspath(sys.argv[1])
	passed = failed = 0

	def result(what, errors):
		nonlocal passed, failed
		passed += not errors
		failed += bool(errors)
		for e in errors:
			print("%s: %s" % (what, e))

	for path in sorted(glob.glob(os.path.join(ROOT, "examples", "*.cw"))):
		source = open(path, encoding="utf-8").read()
		errors, _ = check_one(exe, path, [])
		result(os.path.basename(path), errors)
	with tempfile.TemporaryDirectory() as tmp:
		for name, (source, want) in DRAWN.items():
			path = os.path.join(tmp, name + ".cw")
			open(path, "w", encoding="utf-8").write(source)
			errors, out = check_one(exe, path, [])
			if want is not None and out["text"] != want:
				errors.append("drawn otherwise:\n" + out["text"])
			result(name, errors)
		rnd = random.Random(3)
		for i in range(60):
			source, names = made(rnd, rnd.randint(1, 40))
			path = os.path.join(tmp, "made%d.cw" % i)
			open(path, "w", encoding="utf-8").write(source)
			result("made %d" % i, check_one(exe, path, names)[0])
	print("%d passed, %d failed" % (passed, failed))
	return failed != 0


sys.exit(main())
