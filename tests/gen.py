#!/usr/bin/env python3
"""Random well-typed workflows: gen.py SEED [-o FILE] [--pods N] [--plain] [--twins P] [--files]

Every program passes `couler check`, runs anywhere sh does, and ends by itself; some steps fail on purpose under
allow_failure. Values are chosen to be troublesome (quotes, braces, line ends, wide characters, numbers at their limits).
--pods N bounds the number of steps that run; --plain leaves out what only some engines carry (loops, calls, sweeps).
--twins P writes a share P of the steps a second time under another name, cacheable both.
--files hands files and folders on, too: lists of them, some that may not be there, as states of loops.
"""
import argparse
import random
import re
import sys

STRINGS = ["", " ", "a", "x y", "it's", '"q"', "$HOME", "`id`", "$(id)", "{{x}}", "{{=1+1}}", "{% z %}", "\\", "\\n", "a\nb", "tab\t.", "é😀", "*", "#c", "%s", "$$", "no", "1e3", "~", "0x1F",
	"2001-01-01", "-x", "a,b;c", "[1]", "'; exit 1; '", "null", "}}", "{{"]
OUTPUT = re.compile(r"s\d+\.[oh]\d*$")
PATH = re.compile(r"s\d+\.[fd]$")
TYPES = ["int", "float", "string", "bool"]


def quote(s):
	out = ""
	for c in s:
		out += {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "$": "\\$"}.get(c, c)
	return '"%s"' % out


class Program:
	def __init__(self, seed, pods, plain, twins=0.0, files=False):
		self.files = files
		self.r = random.Random(seed)
		self.pods, self.plain = pods, plain
		self.twins, self.twin = twins, random.Random("twins %d" % seed)
		self.names = 0
		self.lines = []
		self.outs = []

	def name(self, stem):
		self.names += 1
		return "%s%d" % (stem, self.names)

	def literal(self, t):
		r = self.r
		if t == "int":
			return str(r.choice([0, 1, 2, 3, 7, -1, -5, 10, 1000, 9007199254740991 // 4, r.randrange(-100, 100)]))
		if t == "float":
			return r.choice(["0.0", "0.5", "1.25", "-2.75", "0.1", "1e-7", "1e21", "3.0", "%.6f" % r.uniform(-10, 10)])
		if t == "bool":
			return r.choice(["true", "false"])
		return quote(r.choice(STRINGS))

	def expr(self, t, scope, depth=0):
		"""An expression of type t over scope: [(text, type)]."""
		r = self.r
		have = [e for e, k in scope if k == t]
		if have and r.random() < (0.55 if depth else 0.5):
			return r.choice(have)
		if depth > 2 or r.random() < 0.25:
			return self.literal(t)
		sub = lambda k: self.expr(k, scope, depth + 1)
		if t == "int":
			return r.choice([lambda: "((%s %% 1000) %s (%s %% 1000))" % (sub("int"), r.choice("+-*"), sub("int")), lambda: "len(%s)" % sub("string"), lambda: "(%s ? %s : %s)" % (sub("bool"), sub("int"), sub("int")),
				lambda: "max(%s, %s)" % (sub("int"), sub("int")), lambda: "(%s %% 7)" % sub("int")])()
		if t == "float":
			return r.choice([lambda: "(%s + %s)" % (sub("float"), sub("float")), lambda: "(%s * 0.5)" % sub("float"), lambda: "(%s / 3)" % sub("int"), lambda: "min(%s, %s)" % (sub("float"), sub("float"))])()
		if t == "bool":
			k = r.choice(["int", "string", "float"])
			return r.choice([lambda: "(%s %s %s)" % (sub(k), r.choice(["==", "!=", "<", ">=", ">", "<="]), sub(k)), lambda: "!%s" % sub("bool"), lambda: "(%s %s %s)" % (sub("bool"), r.choice(["&&", "||"]), sub("bool")),
				lambda: "contains(%s, %s)" % (sub("string"), sub("string")), lambda: "(%s in [1, 2, 3])" % sub("int")])()
		return r.choice([lambda: '"<${%s}|${%s}>"' % (sub("int"), sub("bool")), lambda: "str(%s)" % sub("int"), lambda: "(%s ? %s : %s)" % (sub("bool"), sub("string"), sub("string")),
			lambda: "replace(%s, \"a\", \"bb\")" % sub("string"), lambda: "pad(%s, 4, \"0\")" % sub("int")])()

	def emit(self, depth, text):
		self.lines.append("  " * depth + text)

	def step(self, depth, scope, fails=False):
		"""A step, and its twin in some programs; their outputs as [(ref, type)]."""
		first, at = len(self.lines), self.names
		outs = self.one_step(depth, scope, fails)
		if not self.twins or self.twin.random() >= self.twins:
			return outs
		name, twin, text = "s%d" % (at + 1), self.name("s"), self.lines[first:]
		self.pods -= 1
		cache = "  " * (depth + 1) + "cache = on"
		self.lines[first + 1:first + 1] = [cache]
		self.lines += [text[0].replace(name, twin, 1), cache] + text[1:]
		if fails:
			self.outs.append("%s.status" % twin)
		return outs + [(re.sub(r"\b%s\b" % name, twin, e), t) for e, t in outs]

	def one_step(self, depth, scope, fails):
		"""A step that hands its inputs on; its outputs as [(ref, type)]."""
		r, name = self.r, self.name("s")
		self.pods -= 1
		kinds = [r.choice(TYPES) for _ in range(r.randrange(1, 4))]
		self.emit(depth, "step %s {" % name)
		outs = []
		for i, t in enumerate(kinds):
			self.emit(depth + 1, "in  i%d: %s = %s" % (i, t, self.expr(t, scope)))
			self.emit(depth + 1, "out o%d: %s" % (i, t))
			outs.append(("%s.o%d" % (name, i), t))
		script = ['printf \'%%s\' "$i%d" > "$o%d"' % (i, i) for i in range(len(kinds))]
		if r.random() < (0.6 if self.files else 0.3):
			self.emit(depth + 1, "out f: file")
			script.append('printf \'%s\\n\' "$i0" > "$f"')
			outs.append(("%s.f" % name, "file"))
		files = [e for e, t in scope if t == "file"]
		if files and r.random() < 0.6:
			self.emit(depth + 1, "in  g = %s" % r.choice(files))
			self.emit(depth + 1, "out h: string")
			script.append('cat "$g" > "$h"')
			outs.append(("%s.h" % name, "string"))
		if self.files:
			outs += self.paths(depth + 1, name, scope, script)
		if fails:
			self.emit(depth + 1, "allow_failure = true")
			script.append("exit %d" % r.choice([1, 3, 42]) if r.random() < 0.5 else "true")
		self.emit(depth + 1, 'run = """')
		for line in script:
			self.emit(depth + 2, line)
		self.emit(depth + 1, '"""')
		self.emit(depth, "}")
		if fails:
			self.outs.append("%s.status" % name)
			return [("(%s ?? %s)" % (e, self.literal(t)), t) for e, t in outs if t in TYPES] + self.instead(outs, scope) + [("%s.exit_code" % name, "int"), ("%s.status" % name, "string")]
		return outs

	def paths(self, depth, name, scope, script):
		"""More of a step: a folder that it makes, folders and lists that it reads."""
		r, outs = self.r, []
		if r.random() < 0.3:
			self.emit(depth, "out d: dir")
			script.append('mkdir -p "$d/x"; printf %s "$i0" > "$d/x/a"')
			outs.append(("%s.d" % name, "dir"))
		for kind, line in (("dir", 'cat "$%s/x/a"'), ("list<file>", 'for x in "$%s"/*; do [ ! -f "$x" ] || cat "$x"; done'), ("list<dir>", 'for x in "$%s"/*; do [ ! -d "$x" ] || cat "$x/x/a"; done')):
			have = [e for e, t in scope if t == kind]
			if have and r.random() < 0.6:
				k = self.name("k")
				self.emit(depth, "in  %s: %s = %s" % (k, kind, r.choice(have)))
				self.emit(depth, "out %so: string" % k)
				script.append((line % k) + ' > "$%so"' % k)
		return outs

	def instead(self, made, scope):
		"""Files and folders that may not be there, each with one that is."""
		out = []
		for e, t in made if self.files else []:
			base = [b for b, k in scope if k == t and t in ("file", "dir") and PATH.match(b)]
			if base and PATH.match(e):
				out.append(("(%s ?? %s)" % (e, self.r.choice(base)), t))
		return out

	def body(self, depth, scope, n):
		made = []
		for _ in range(n):
			if self.pods <= 0:
				break
			made += self.statement(depth, scope + made, made)
		return made

	def statement(self, depth, scope, made):
		"""One statement; what it gives to those after it."""
		r = self.r
		what = r.random()
		if depth > 3 or self.pods < 3 or what < 0.5:
			return self.step(depth, scope)
		if what < 0.6:
			return self.step(depth, scope, fails=True)
		if what < 0.75:
			self.emit(depth, "if %s {" % self.expr("bool", scope))
			a = self.body(depth + 1, scope, 1)
			self.emit(depth, "} else {")
			b = self.body(depth + 1, scope, 1)
			self.emit(depth, "}")
			return [("(%s ?? %s)" % (e, self.literal(t)), t) for e, t in (a + b) if t in TYPES and OUTPUT.match(e)] + self.instead(a + b, scope)
		if what < 0.9 or self.plain:
			n = r.randrange(0, 3) if self.pods > 6 else 1
			item = self.name("x")
			t = r.choice(["int", "string"])
			values = "[%s]" % ", ".join(self.literal(t) for _ in range(n)) if n else "range(0, %d)" % r.randrange(0, 3)
			if not n:
				t = "int"
			self.pods -= max(0, n - 1)
			self.emit(depth, "for %s in %s {" % (item, values))
			inner = self.step(depth + 1, scope + [(item, t)])
			self.emit(depth, "}")
			return [("len(%s)" % e, "int") for e, k in inner if k in TYPES and OUTPUT.match(e)] + [("join(%s, \"|\")" % e, "string") for e, k in inner if k == "string" and depth == 1 and OUTPUT.match(e)] + [
				(e, "list<%s>" % k) for e, k in inner if self.files and depth == 1 and k in ("file", "dir") and PATH.match(e)]
		name = self.name("l")
		self.pods -= 1
		self.emit(depth, "loop %s {" % name)
		self.emit(depth + 1, "max = %d" % r.randrange(1, 4))
		self.emit(depth + 1, "state i: int = 0")
		self.emit(depth + 1, "state acc: string = %s" % self.expr("string", scope))
		first = [e for e, t in scope if t == "file"] if self.files else []
		if first:
			self.emit(depth + 1, "state file: file = %s" % r.choice(first))
		self.emit(depth + 1, "while i < 2")
		inner = self.step(depth + 1, [("i", "int"), ("acc", "string")] + ([("file", "file")] if first else []))
		strings, files = [e for e, t in inner if t == "string"], [e for e, t in inner if t == "file"]
		self.emit(depth + 1, "next { i = i + 1%s%s }" % ("; acc = %s" % r.choice(strings) if strings else "", "; file = %s" % r.choice(files) if first and files else ""))
		self.emit(depth, "}")
		return ([("%s.file" % name, "file")] if first else []) + [("%s.i" % name, "int"), ("%s.acc" % name, "string"), ("%s.iterations" % name, "int")]

	def whole(self):
		self.emit(0, "workflow generated {")
		scope = []
		for _ in range(self.r.randrange(0, 4)):
			n, t = self.name("p"), self.r.choice(TYPES)
			self.emit(1, "param %s: %s = %s" % (n, t, self.literal(t)))
			scope.append((n, t))
		self.emit(1, 'defaults { image = "debian:12-slim" }')
		scope += self.body(1, scope, self.r.randrange(2, 6))
		for e, t in scope:
			if t in TYPES and not e.startswith("p"):
				self.emit(1, "out v%d = %s" % (len(self.outs), e))
				self.outs.append(e)
		self.emit(0, "}")
		return "\n".join(self.lines) + "\n"


def generate(seed, pods=12, plain=False, twins=0.0, files=False):
	return Program(seed, pods, plain, twins, files).whole()


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("seed", type=int)
	ap.add_argument("-o", "--output")
	ap.add_argument("--pods", type=int, default=12)
	ap.add_argument("--plain", action="store_true")
	ap.add_argument("--twins", type=float, default=0.0)
	ap.add_argument("--files", action="store_true")
	o = ap.parse_args()
	text = generate(o.seed, o.pods, o.plain, o.twins, o.files)
	if o.output:
		with open(o.output, "w", encoding="utf-8") as f:
			f.write(text)
	else:
		sys.stdout.write(text)


if __name__ == "__main__":
	main()
