#!/usr/bin/env python3
"""The local runner against its peers: bench_run.py COULER [--n 10000] [--repeat 5] [--cases cold,script,...] [--jobs 2]

Each case is run by every tool in turn, as often as --repeat says, so that what else the machine does meets all alike.
Shown are the minimum and the median of the wall time, the median of the ratio to the floor of the same round (posix_spawn
and wait of the same commands; for scripts, of `sh -c`), CPU seconds of the median, and the largest process.
Tools that are not on PATH are left out, and named. --slow also takes Snakemake where it is.
"""
import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

NO = os.open(os.devnull, os.O_RDWR)


def measure(floor, argv, cwd, kill_after=None):
	"""(wall, cpu, bytes of the largest process, exit code). Through a small process, since rusage counts that of who starts, too."""
	rss = floor + ".rss"
	start = time.perf_counter()
	pid = os.posix_spawn(floor, [floor, "1", "1", *argv], {**os.environ, "PWD": cwd, "SPAWN_RSS": rss}, file_actions=[(os.POSIX_SPAWN_DUP2, NO, k) for k in (0, 1, 2)], setpgroup=0)
	if kill_after is not None:
		time.sleep(kill_after)
		os.killpg(pid, signal.SIGKILL)
	_, status, ru = os.wait4(pid, 0)
	wall = time.perf_counter() - start
	if kill_after is not None:
		return wall, 0, 0, 0
	with open(rss, encoding="ascii") as f:
		return wall, ru.ru_utime + ru.ru_stime, int(f.read()) * 1024, os.waitstatus_to_exitcode(status)


# ---- the same DAG for each tool: nodes are (name, names it needs) ----


def independent(n):
	return [("s%d" % k, []) for k in range(n)]


def fan(n):
	return [("first", [])] + [("s%d" % k, ["first"]) for k in range(n)] + [("last", ["s%d" % k for k in range(n)])]


def chain(n):
	return [("s%d" % k, ["s%d" % (k - 1)] if k else []) for k in range(n)]


SHAPES = {"independent": independent, "fan": fan, "chain": chain}
TRUE, TOUCH, SCRIPT = "true", "touch", "script"


def couler_file(nodes, what, changed=None):
	out = ["workflow w {"]
	for name, needs in nodes:
		after = " after = [%s];" % ", ".join(needs) if needs else ""
		if what == TOUCH:
			key = "again" if name == changed else name
			out.append('  step %s {%s cache { mode = on; key = ["%s"] }; out o: file; command = ["touch", "${o}"] }' % (name, after, key))
		elif what == SCRIPT:
			out.append('  step %s {%s run = """x=1; true "$x" """ }' % (name, after))
		else:
			out.append('  step %s {%s command = ["true"] }' % (name, after))
	return "\n".join(out + ["}", ""])


def couler_for(n, what):
	body = {TOUCH: 'in i; cache = on; out o: file; command = ["touch", "${o}"]', TRUE: 'command = ["true"]', SCRIPT: 'run = """x=1; true "$x" """'}[what]
	return "workflow w {\n  for i in range(%d) { step s { %s } }\n}\n" % (n, body)


def ninja_file(nodes, what, changed=None):
	command = {TRUE: "true", TOUCH: "touch $more $out", SCRIPT: "x=1; true \"$$x\""}[what]
	out = ["rule r", "  command = " + command]
	for name, needs in nodes:
		out.append("build o/%s: r%s" % (name, "".join(" o/" + d for d in needs)))
		if name == changed:
			out.append("  more = -c")
	return "\n".join(out + [""])


def make_file(nodes, what):
	command = {TRUE: "@true", TOUCH: "@touch $@", SCRIPT: "@x=1; true \"$$x\""}[what]
	out = ["all: " + " ".join("o/" + n for n, _ in nodes)]
	for name, needs in nodes:
		out.append("o/%s: %s\n\t%s" % (name, " ".join("o/" + d for d in needs), command))
	return "\n".join(out + [""])


def snake_file(nodes, what):
	command = {TRUE: "touch {output}", TOUCH: "touch {output}", SCRIPT: "x=1; true $x; touch {output}"}[what]
	out = ["rule all:\n  input: " + ", ".join('"o/%s"' % n for n, _ in nodes)]
	for name, needs in nodes:
		out.append('rule %s:\n  input: [%s]\n  output: "o/%s"\n  shell: "%s"' % (name, ", ".join('"o/%s"' % d for d in needs), name, command))
	return "\n".join(out + [""])


class Bench:
	def __init__(self, a):
		self.a = a
		self.dir = tempfile.mkdtemp(prefix="couler-bench-")
		self.couler = os.path.abspath(a.couler)
		self.floor = os.path.join(self.dir, "spawn_floor")
		here = os.path.dirname(os.path.abspath(__file__))
		subprocess.run([os.environ.get("CC", "cc").split()[-1], "-O2", "-o", self.floor, os.path.join(here, "spawn_floor.c")], check=True)
		wanted = ["ninja", "samu", "make", "xargs"] + (["snakemake"] if a.slow else [])
		self.have = [t for t in wanted if shutil.which(t)]
		self.lack = [t for t in wanted if t not in self.have]

	def put(self, folder, name, text):
		os.makedirs(os.path.join(folder, "o"), exist_ok=True)
		with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
			f.write(text)

	def tools(self, shape, n, what):
		"""{name: (argv, folder)}; the folder holds the tool's file and what it leaves."""
		j, nodes, t = str(self.a.jobs), SHAPES[shape](n), {}
		total = len(nodes)

		def tool(name, argv, file=None, text=None):
			folder = os.path.join(self.dir, name.replace(" ", "-"))
			shutil.rmtree(folder, ignore_errors=True)
			os.makedirs(folder)
			if file:
				self.put(folder, file, text)
			t[name] = (argv, folder)

		if shape == "independent" and what != TOUCH:
			tool("floor", [self.floor, str(total), j, *(["true"] if what == TRUE else ["sh", "-c", 'x=1; true "$x"'])])
		elif what != TOUCH:
			tool("floor", [self.floor, str(total), "1" if shape == "chain" else j, *(["true"] if what == TRUE else ["sh", "-c", 'x=1; true "$x"'])])
		tool("couler", [self.couler, "run", "-q", "-j" + j, "w.cw"], "w.cw", couler_file(nodes, what))
		if shape == "independent":
			tool("couler for", [self.couler, "run", "-q", "-j" + j, "w.cw"], "w.cw", couler_for(n, what))
		for name in ("ninja", "samu"):
			if name in self.have:
				tool(name, [name, "-j" + j], "build.ninja", ninja_file(nodes, what))
		if "make" in self.have:
			tool("make", ["make", "-rRs", "-j" + j], "Makefile", make_file(nodes, what))
		if "xargs" in self.have and shape == "independent" and what == TRUE:
			self.put(self.dir, "numbers", "\n".join(map(str, range(total))) + "\n")
			tool("xargs", ["xargs", "-a", os.path.join(self.dir, "numbers"), "-n1", "-P" + j, "true"])
		if "snakemake" in self.have:
			tool("snakemake", ["snakemake", "-q", "--cores", j], "Snakefile", snake_file(nodes, what))
		return t

	def run(self, argv, folder, **more):
		here = os.getcwd()
		os.chdir(folder)
		try:
			return measure(self.floor, argv, folder, **more)
		finally:
			os.chdir(here)

	def fresh(self, folder):
		for left in (".couler", ".ninja_log", ".ninja_deps", ".snakemake", "o"):
			path = os.path.join(folder, left)
			if os.path.isdir(path):
				shutil.rmtree(path)
			elif os.path.exists(path):
				os.remove(path)
		os.makedirs(os.path.join(folder, "o"), exist_ok=True)

	def rounds(self, tools, before):
		"""{name: [(wall, cpu, bytes)]}, the tools in turn."""
		seen = {name: [] for name in tools}
		for _ in range(self.a.repeat):
			for name, (argv, folder) in tools.items():
				more = before(name, argv, folder) or {}
				wall, cpu, rss, code = self.run(argv, folder, **more)
				if code:
					raise SystemExit("%s ended with %d: %s in %s" % (name, code, " ".join(argv), folder))
				seen[name].append((wall, cpu, rss))
		return seen

	def show(self, title, seen, base):
		print("\n### %s\n\n| tool | minimum, s | median, s | to %s, median | CPU, s | largest process, MB |\n|---|---:|---:|---:|---:|---:|" % (title, base))
		for name, runs in seen.items():
			wall = [r[0] for r in runs]
			ratio = statistics.median(w / b[0] for w, b in zip(wall, seen[base]))
			print("| %s | %.3f | %.3f | %.2f | %.2f | %.0f |" % (name, min(wall), statistics.median(wall), ratio, statistics.median(r[1] for r in runs), max(r[2] for r in runs) / 1e6), flush=True)

	def case(self, case, n):
		a = self.a
		if case in ("cold", "script", "fan", "chain"):
			shape = case if case in ("fan", "chain") else "independent"
			m = n if shape == "independent" else min(n, 1000)
			tools = self.tools(shape, m, SCRIPT if case == "script" else TRUE)
			seen = self.rounds(tools, lambda name, argv, folder: self.fresh(folder))
			what = {"cold": "{:,} independent steps, `true`", "script": "{:,} independent steps, a script", "fan": "1 → {:,} → 1, `true`", "chain": "a chain of {:,}, `true`"}[case].format(m)
			self.show("Cold: %s, -j%d" % (what, a.jobs), seen, "floor")
		elif case == "nothing":
			tools = self.tools("independent", n, TOUCH)
			for name, (argv, folder) in tools.items():
				self.run(argv, folder)
			self.show("Nothing to do: {:,} independent steps with an output each".format(n), self.rounds(tools, lambda *_: None), "ninja" if "ninja" in tools else "couler")
		elif case == "leaf":
			tools = {k: v for k, v in self.tools("independent", n, TOUCH).items() if k in ("couler", "ninja", "samu")}
			nodes, turn = independent(n), [0]
			for name, (argv, folder) in tools.items():
				self.run(argv, folder)

			def change(name, argv, folder):
				turn[0] += 1
				changed = "s%d" % (turn[0] * 7 % n)
				if name == "couler":
					self.put(folder, "w.cw", couler_file(nodes, TOUCH, changed).replace('"again"', '"again %d"' % turn[0]))
				else:
					self.put(folder, "build.ninja", ninja_file(nodes, TOUCH, changed))
			self.show("One leaf changed: of {:,} independent steps".format(n), self.rounds(tools, change), "ninja" if "ninja" in tools else "couler")
		elif case == "resume":
			m = min(n, 2000)
			tools = {k: v for k, v in self.tools("independent", m, TOUCH).items() if k in ("couler", "ninja", "samu", "make")}
			cold = self.rounds(tools, lambda name, argv, folder: self.fresh(folder))

			def half(name, argv, folder):
				self.fresh(folder)
				self.run(argv, folder, kill_after=statistics.median(c[0] for c in cold[name]) / 2)
				time.sleep(0.5)
			rest = self.rounds(tools, half)
			print("\n### After SIGKILL at half: {:,} independent steps with an output each\n\n| tool | cold, s | the rest, s | the rest to cold |\n|---|---:|---:|---:|".format(m))
			for name in tools:
				c, r = statistics.median(x[0] for x in cold[name]), statistics.median(x[0] for x in rest[name])
				print("| %s | %.2f | %.2f | %.2f |" % (name, c, r, r / c), flush=True)
		else:
			raise SystemExit("no case '%s'" % case)


def main():
	p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	p.add_argument("couler")
	p.add_argument("--n", type=int, default=10000)
	p.add_argument("--repeat", type=int, default=5)
	p.add_argument("--jobs", type=int, default=2)
	p.add_argument("--cases", default="cold,script,fan,chain,nothing,leaf,resume")
	p.add_argument("--slow", action="store_true")
	b = Bench(p.parse_args())
	try:
		if b.lack:
			print("not on PATH, left out: %s" % ", ".join(b.lack))
		for case in b.a.cases.split(","):
			b.case(case, b.a.n)
	finally:
		shutil.rmtree(b.dir, ignore_errors=True)


if __name__ == "__main__":
	sys.exit(main())
