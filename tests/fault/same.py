#!/usr/bin/env python3
"""A run that is said again without a look at each step is the run that would have been: same.py COULER [--n 30] [--seed 1]

Two folders hold the same random workflow. What is changed in one is changed in the other: sources, inputs, code,
parameters, files beside, the cache and what is in it, with and without a trace in size or time. After each change one
runs as users do, the other with --full. They must say the same, give the same outputs, reuse and run the same steps.
Also: how often the short way was taken, since a test in which it never is would show nothing.
Last line: `N passed, N failed`, one result a program.
"""
import argparse
import collections
import json
import os
import random
import re
import shutil
import subprocess
import sys

from fault import Box

LONG = "long way"
SHORT = "short way"


class Program:
	"""A random workflow with its files."""

	def __init__(self, rnd):
		self.rnd = rnd
		self.files = {"in.txt": "first\n", "data/a.txt": "a\n", "data/b.txt": "b\n", "tool.sh": "echo tool; cat \"$1\"\n", "lib/part.cw": self.part(), "more.json": '{"n": 2}\n'}
		self.traits = {t for t in ("input", "folder", "code", "beside", "import", "for", "list", "if", "call", "loop", "many") if rnd.random() < 0.5}
		if rnd.random() < 0.25:
			self.traits.add(rnd.choice(["to", "ttl", "lock", "time", "wait", "never", "warned", "allowed"]))
		self.files["w.cw"] = self.text()

	@staticmethod
	def part():
		return 'task part { in n: int; cache = on; out o: string; run = """echo "part $n" > "$o" """ }\n'

	def text(self):
		t, out = self.traits, []
		if "import" in t:
			out.append('import "lib/part.cw" as lib')
		if "call" in t:
			out.append("workflow sub {\n  param k: int\n  step inner { in k; cache = on; out o: int; run = \"\"\"echo \"$((k + 1))\" > \"$o\" \"\"\" }\n  out o = inner.o\n}")
		out.append("workflow w {\n  param n: int = 3\n  step first { in n; cache = on; out o: file; out s: string; run = \"\"\"echo \"n=$n\" > \"$o\"; echo \"v$n\" > \"$s\" \"\"\" }")
		outs = ["out s = first.s", "out o = first.o"]

		def step(name, body, gives="s: string", more=""):
			out.append('  step %s { %s cache = on; out %s; run = """%s""" }' % (name, more, gives, body))
			outs.append("out %s = %s.%s" % (name, name, gives.split(":")[0]))
		if "input" in t:
			step("reads", 'cat "$f" > "$s"', more='in f: file = "in.txt";')
		if "folder" in t:
			step("folder", 'cat "$d"/* | wc -l > "$s"', more='in d: dir = "data";')
		if "code" in t:
			step("coded", 'sh ./tool.sh tool.sh | wc -c > "$s"', more='code = ["tool.sh", "data/"];')
		if "beside" in t:
			step("beside", 'test -e other.txt && cat other.txt > "$s" || echo none > "$s"')
		if "import" in t:
			out.append("  step imported = lib.part(n = n)")
			outs.append("out imported = imported.o")
		if "for" in t:
			out.append('  for i in range(4) {\n    step each { in i; in o = first.o; cache = on; out q: int; run = """cat "$o" >/dev/null; echo "$((i * i))" > "$q" """ }\n  }')
			outs.append("out each = each.q")
		if "list" in t:
			out.append('  step made { in n; cache = on; out l: list<int>; run = """echo "[1, $n]" > "$l" """ }')
			out.append('  for i in made.l {\n    step listed { in i; cache = on; out q: int; run = """echo "$((i + 1))" > "$q" """ }\n  }')
			outs.append("out listed = listed.q")
		if "if" in t:
			out.append('  if first.s == "v3" {\n    step yes { cache = on; out q: string; run = """echo yes > "$q" """ }\n  } else {\n    step no { cache = on; out q: string; run = """echo no > "$q" """ }\n  }')
			outs.append("out yes = yes.q ?? \"not\"")
		if "call" in t:
			out.append("  step called = sub(k = n)")
			outs.append("out called = called.o")
		if "loop" in t:
			out.append('  loop l {\n    max = 4\n    state x: int = n\n    while x < 8\n    step more { in x; cache = on; out q: int; run = """echo "$((x + 2))" > "$q" """ }\n    next { x = more.q }\n  }')
			outs.append("out looped = l.x")
		if "many" in t:
			step("tree", 'mkdir "$d"; for k in 1 2 3; do echo "$k" > "$d/$k"; done', gives="d: dir")
		if "to" in t:
			out.append('  step published { cache = on; out p: file to "out/p.txt"; run = """echo p > "$p" """ }')
		if "ttl" in t:
			out.append('  step aged { cache { mode = on; ttl = 1h }; out p: file; run = """echo p > "$p" """ }')
		if "lock" in t:
			out.append('  step locked { lock = "one"; cache = on; out p: file; run = """echo p > "$p" """ }')
		if "time" in t:
			out.append('  step timed { in t = format_time(workflow.start_time, "%Y"); cache = on; out p: string; run = """echo "$t" > "$p" """ }')
		if "wait" in t:
			out.append("  wait short { for = 0s }")
		if "never" in t:
			out.append('  step never { run = """true""" }')
		if "allowed" in t:
			out.append('  step allowed { allow_failure = true; cache = on; run = """false""" }')
		if "warned" in t:
			out.append('  step warned { in unused_name: int = 1; cache = on; out p: file; command = ["touch", "${p}"] }')
		return "\n".join(out + ["  " + o for o in outs]) + "\n}\n"


class Twin:
	def __init__(self, couler, program, name, more):
		self.box, self.more = Box(couler, name), more
		for path, text in program.files.items():
			os.makedirs(os.path.dirname(self.box.path(path)), exist_ok=True)
			self.box.put(path, text)
		os.makedirs(self.box.path("elsewhere"), exist_ok=True)

	def kept(self):
		"""What is kept of whole runs, by name and inode."""
		top = self.box.path(".couler", "same")
		return {n: os.stat(os.path.join(top, n)).st_ino for n in os.listdir(top)} if os.path.isdir(top) else {}

	def run(self, args, env):
		before = self.kept()
		runs = len(self.box.runs()) if os.path.isdir(self.box.path(".couler", "runs")) else 0
		r = self.box.do("run", "w.cw", *args, *self.more, env=env)
		after = self.kept()
		took = SHORT if r.code == 0 and after == before and any(True for _ in before) and "--full" not in self.more else LONG
		return self.said(r, runs), took

	def said(self, r, runs):
		"""What it said, without what each run has of its own."""
		def plain(text):
			text = text.replace(self.box.dir, "DIR").replace(os.path.realpath(self.box.dir), "DIR")
			text = re.sub(r"\d{8}-\d{6}-[0-9a-f]{4}", "RUN", text)
			return re.sub(r"(after|in|done) [\d.:]+( s)?", r"\1 TIME", text)
		lines = [re.sub(r"^\[\d+/\d+\] ", "", line) for line in plain(r.err).splitlines() if "to run it again" not in line]
		assert r.code in (1, 2, 3) or runs < len(self.box.runs()), "no run was noted: %s" % r.err
		return r.code, plain(r.out), sorted(lines)

	def facts(self):
		"""What other commands know of the last run."""
		listed = self.box.do("runs", "--json").ended(0).out.splitlines()
		last = {k: v for k, v in json.loads(listed[-1]).items() if k not in ("id", "started", "seconds")}
		report = self.box.do("report", "last", "-o", "report.html")
		assert report.code == 0, report.err
		return last, len(listed)


def blobs(box):
	found = []
	for top, _, names in sorted(os.walk(box.path(".couler", "blobs"))):
		found += [os.path.join(top, n) for n in sorted(names)]
	return found


def rewrite(path, text, keep_times=False):
	st = os.stat(path) if keep_times else None
	with open(path, "r+" if os.path.exists(path) else "w", encoding="utf-8") as f:
		f.truncate()
		f.write(text)
	if st:
		os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))


# ---- changes: each gets a Box, what random says of it (the same for both), and gives (arguments, environment) ----


def nothing(box, x):
	return [], {}


def touch(box, x):
	os.utime(box.path(x.choice(["w.cw", "in.txt", "tool.sh", "data/a.txt"])))


def same_size(box, x):
	with open(box.path("in.txt"), encoding="utf-8") as f:
		text = f.read()
	rewrite(box.path("in.txt"), text[1:-1] + text[0] + "\n", keep_times=True)


def source_same_size(box, x):
	with open(box.path("w.cw"), encoding="utf-8") as f:
		text = f.read()
	a, b = ("n=", "m=") if "n=$n" in text else ("m=", "n=")
	rewrite(box.path("w.cw"), text.replace(a + "$n", b + "$n"), keep_times=True)


def param(box, x):
	return ["-p", "n=%d" % x.randrange(2, 5)], {}


def param_file(box, x):
	rewrite(box.path("more.json"), '{"n": %d}\n' % x.randrange(2, 5), keep_times=True)
	return ["--param-file", "more.json"], {}


def blob_gone(box, x):
	all_of = blobs(box)
	if all_of:
		os.remove(x.choice(all_of))


def blob_damaged(box, x):
	all_of = [b for b in blobs(box) if os.path.getsize(b)]
	if all_of:
		path = x.choice(all_of)
		with open(path, "rb") as f:
			data = f.read()
		st = os.stat(path)
		os.chmod(path, 0o644)
		with open(path, "wb") as f:
			f.write(bytes([data[0] ^ 1]) + data[1:])
		os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))
		os.chmod(path, 0o444)


def tree_damaged(box, x):
	for top, _, names in sorted(os.walk(box.path(".couler", "trees"))):
		if top.endswith("/d") and names:
			os.chmod(top, 0o755)
			os.remove(os.path.join(top, sorted(names)[0]))
			return


def environment(box, x):
	return [], {x.choice(["TZ", "LANG", "COULER_REMOTE_TOKEN", "FOO"]): "Europe/Berlin"}


def beside(box, x):
	path = box.path("other.txt")
	if os.path.exists(path) and x.random() < 0.4:
		os.remove(path)
	else:
		box.put("other.txt", "other %d\n" % x.randrange(3))


def beside_unnamed(box, x):
	box.put("note-%d.md" % x.randrange(2), "x\n")


def code(box, x):
	rewrite(box.path("tool.sh"), "echo TOOL; cat \"$1\"\n" if "tool;" in box.read("tool.sh") else "echo tool; cat \"$1\"\n", keep_times=True)


def code_mode(box, x):
	os.chmod(box.path("tool.sh"), x.choice([0o644, 0o755]))


def code_folder(box, x):
	path = box.path("data", "c.txt")
	if os.path.exists(path):
		os.remove(path)
	else:
		box.put("data/c.txt", "c\n")


def imported(box, x):
	rewrite(box.path("lib/part.cw"), Program.part().replace("part $n", x.choice(["part $n", "PART $n"])), keep_times=True)


def project_file(box, x):
	path = box.path("couler.yaml")
	if os.path.exists(path):
		os.remove(path)
	else:
		box.put("couler.yaml", x.choice(["jobs: 1\n", "param: { n: 4 }\n", "color: never\n"]))


def collected(box, x):
	box.do("cache", "gc", "--max-size", x.choice(["0", "1GB"]))


def other_run(box, x):
	box.put("elsewhere/o.cw", 'workflow o { step s { cache = on; out o: file; run = """echo %d > "$o" """ } }\n' % x.randrange(3))
	box.do("run", "-q", "elsewhere/o.cw", "--cache", ".couler")


def forced(box, x):
	return ["--force", "first"], {}


def no_cache(box, x):
	return ["--no-cache"], {}


def verbose(box, x):
	return ["-v"], {}


def quiet(box, x):
	return ["-q"], {}


def one_by_one(box, x):
	return ["-j1", "-k"], {}


def lost_actions(box, x):
	path = box.path(".couler", "actions")
	if os.path.exists(path):
		os.remove(path)


def cut_actions(box, x):
	path = box.path(".couler", "actions")
	if os.path.exists(path):
		with open(path, "ab") as f:
			f.write(b"what is cut short by a full disk looks like this")


def damaged_record(box, x):
	top = box.path(".couler", "same")
	at = x.random()
	for name in sorted(os.listdir(top)) if os.path.isdir(top) else []:
		with open(os.path.join(top, name), "r+b") as f:
			f.seek(int(at * os.path.getsize(f.name)))
			c = f.read(1)
			f.seek(-1, 1)
			f.write(bytes([c[0] ^ 0x40]))


def cut_record(box, x):
	top = box.path(".couler", "same")
	at = x.random()
	for name in sorted(os.listdir(top)) if os.path.isdir(top) else []:
		path = os.path.join(top, name)
		os.truncate(path, int(at * os.path.getsize(path)))


def input_link(box, x):
	path = box.path("in.txt")
	box.put("elsewhere/in.txt", "linked %d\n" % x.randrange(2))
	os.remove(path)
	if x.random() < 0.5:
		os.symlink("elsewhere/in.txt", path)
	else:
		shutil.copy(box.path("elsewhere", "in.txt"), path)


def broken(box, x):
	text = box.read("w.cw")
	rewrite(box.path("w.cw"), text.replace("workflow w {", "workflow w {\n  nonsense here") if "nonsense" not in text else text.replace("\n  nonsense here", ""))


def dumped(box, x):
	return ["--remarks"], {}


def history_lost(box, x):
	for name in os.listdir(box.path(".couler")) if os.path.isdir(box.path(".couler")) else []:
		if name.startswith("history.db"):
			os.remove(box.path(".couler", name))


CHANGES = [nothing] * 8 + [touch, same_size, source_same_size, param, param_file, blob_gone, blob_damaged, tree_damaged, environment, beside, beside_unnamed, code,
	code_mode, code_folder, imported, project_file, collected, other_run, forced, no_cache, verbose, quiet, one_by_one, lost_actions, cut_actions, damaged_record,
	cut_record, input_link, broken, dumped, history_lost]


def episode(couler, seed, steps, ways):
	rnd = random.Random(seed)
	program = Program(rnd)
	twins = [Twin(couler, program, "same-a", []), Twin(couler, program, "same-b", ["--full"])]
	told = []
	try:
		for k in range(steps):
			change, at = (nothing if k < 2 else rnd.choice(CHANGES)), rnd.random()
			results = []
			for t in twins:
				args, env = change(t.box, random.Random(at)) or ([], {})
				results.append(t.run(args, env))
			told.append(change.__name__)
			ways[results[0][1]] += 1
			assert results[0][0] == results[1][0], "after %s (%s)\n  %s\n  with --full:\n  %s" % (
				", ".join(told), results[0][1], results[0][0], results[1][0])
		if results[0][0][0] not in (1, 2):
			a, b = (t.facts() for t in twins)
			assert a == b, "after %s: `couler runs` differs:\n  %s\n  %s" % (", ".join(told), a, b)
	finally:
		for t in twins:
			t.box.clean()


def main():
	p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	p.add_argument("couler")
	p.add_argument("--n", type=int, default=30)
	p.add_argument("--steps", type=int, default=12)
	p.add_argument("--seed", type=int, default=1)
	a = p.parse_args()
	passed = failed = 0
	ways = collections.Counter()
	for k in range(a.n):
		try:
			episode(a.couler, a.seed * 100000 + k, a.steps, ways)
			passed += 1
		except (AssertionError, OSError, ValueError, KeyError, subprocess.TimeoutExpired) as e:
			failed += 1
			print("FAIL program %d (--seed %d): %s: %s" % (k, a.seed, type(e).__name__, e))
	print("%d runs the short way, %d the long" % (ways[SHORT], ways[LONG]))
	if ways[SHORT] * 10 < ways[LONG]:
		failed += 1
		print("FAIL the short way was hardly taken")
	print("%d passed, %d failed" % (passed, failed))
	return failed > 0


if __name__ == "__main__":
	sys.exit(main())
