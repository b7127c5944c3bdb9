#!/usr/bin/env python3
"""The table of docs/engines.md: engines.py COULER [--update]

fresh    the table in docs/engines.md is what `couler backends --table` prints (--update writes it there)
cells    for each construct a program that has it, and for each engine: taken where the table says so, refused with
         exit 4 and the construct's name where it says so; where it says `partly`, one program of each
Last line: `N passed, N failed`.
"""
import argparse
import os
import re
import stat
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PAGE = os.path.join(ROOT, "docs", "engines.md")
BEGIN, END = "<!-- table: couler backends --table -->\n", "<!-- end of the table -->\n"

STEP = 'step a { image = "i"; out x: int; run = """echo 1 > "$x" """ }\n'
TASK = 'task t { in lr: float; out loss: float; image = "i"; run = """echo "$lr" > "$loss" """ }\n'


def w(body, head=""):
	return "%sworkflow w {\n%s}\n" % (head, body)


def sweep(search, args="lr = uniform(0.1, 0.9)"):
	return w("sweep s = t(%s) { search = %s; minimize = loss }\n" % (args, search), TASK)


def job(kind, out=""):
	return w('step a { image = "i"; %sjob %s { workers = 2; run = """true""" } }\n' % (out, kind))


# construct: a program that has it. A text for ENGINE in PARTLY: one on which that engine answers otherwise.
PROGRAMS = {
	"RUN": w(STEP),
	"COMMAND": w('step a { image = "i"; command = ["true"] }\n'),
	"ARGS": w('step a { image = "i"; args = ["--help"] }\n'),
	"ARGO_BODY": w("step a {\n  argo = '''\n    suspend: {}\n  '''\n}\n"),
	"DATAFLOW": w('step a {\n  in  d: dir = "/data"\n  out m: file\n  image = "i"\n  dataflow {\n    source r = split(d)\n    op p { from = r; run = """cat""" }\n'
		'    trainer { from = p; run = """cat > "$m" """ }\n    workers { min = 1; max = 2; image = "i" }\n    runtime = tfdata\n  }\n}\n'),
	"JOB_PYTORCH": job("pytorch"),
	"JOB_TENSORFLOW": job("tensorflow"),
	"JOB_MPI": job("mpi"),
	"JOB_RAY": job("ray"),
	"JOB_KUBERNETES": w("step a {\n  job kubernetes {\n    action = create\n    manifest = '''\n      apiVersion: v1\n      kind: ConfigMap\n      metadata: { name: x }\n    '''\n  }\n}\n"),
	"IF": w(STEP + 'if a.x > 0 { step b { image = "i"; run = """true""" } }\n'),
	"FOR": w('for i in [1, 2] { step b { in i; image = "i"; run = """echo "$i" """ } }\n'),
	"FOR_RUNTIME": w('step a { image = "i"; out xs: list<int>; run = """echo "[1]" > "$xs" """ }\nfor i in a.xs { step b { in i; image = "i"; run = """echo "$i" """ } }\n'),
	"LOOP": w('loop l {\n  max = 3\n  state n: int = 0\n  while n < 2\n  step b { in n; out m: int; image = "i"; run = """echo $((n + 1)) > "$m" """ }\n  next { n = b.m }\n}\n'),
	"CALL": w('step u { image = "i"; out n: int; run = """echo 1 > "$n" """ }\nfor i in [1, 2] { step a = other(n = u.n) { allow_failure = true } }\n', 'workflow other { param n: int = 1\nstep b { in n; image = "i"; run = """sleep "$n" """ } }\n'),
	"SWEEP_GRID": sweep("grid()", "lr = choice(0.1, 0.2)"),
	"SWEEP_RANDOM": sweep("random(trials = 3)"),
	"SWEEP_HALVING": w('sweep s = t(lr = uniform(0.1, 0.9)) { search = halving(trials = 4, factor = 2, budget = n, min = 1, max = 2); minimize = loss }\n',
		TASK.replace("in lr: float;", "in lr: float; in n: int;")),
	"SWEEP_TPE": sweep("tpe(trials = 4)"),
	"SWEEP_LLM": sweep('llm(trials = 4, data_card = "d", model_card = "m")'),
	"WAIT_FOR": w("wait a { for = 1s }\n"),
	"WAIT_RUN": w('wait a { image = "i"; run = """true""" }\n'),
	"APPROVE": w('approve a { message = "go?" }\n'),
	"SERVICE": w('service s { image = "i"; port = 80 }\nstep a { in u: string = s.address; image = "i"; run = """echo "$u" """ }\n'),
	"FAIL": w('fail "no"\n'),
	"ON": w(STEP + 'on failure { step b { image = "i"; run = """true""" } }\n'),
	"SCHEDULE": w('schedule = "0 2 * * *"\n' + STEP),
	"SCHEDULE_MANY": w('schedule { cron = ["0 2 * * *", "0 4 * * *"] }\n' + STEP),
	"CATCHUP": w('schedule { cron = ["0 2 * * *"]; catchup = true }\n' + STEP),
	"OVERLAP_REPLACE": w('schedule { cron = ["0 2 * * *"]; overlap = replace }\n' + STEP),
	"ONLY_IF": w('param p: bool = true\nschedule { cron = ["0 2 * * *"]; only_if = p }\n' + STEP),
	"LOCATION_REMOTE": w('step a { in f: file = "s3://b/k"; image = "i"; run = """cat "$f" """ }\n'),
	"LOCATION_LOCAL": w('step a { in f: file = "data.txt"; image = "i"; run = """cat "$f" """ }\n'),
	"LOCATION_RUNTIME": w('for s in [{ r = "s3://b/k" }] { step a { in f: file = s.r; image = "i"; run = """cat "$f" """ } }\n'),
	"PUBLISH_REMOTE": w('step a { out f: file to "s3://b/k"; image = "i"; run = """echo 1 > "$f" """ }\n'),
	"PUBLISH_LOCAL": w('step a { out f: file to "out.txt"; image = "i"; run = """echo 1 > "$f" """ }\n'),
	"VOLUME": w('volume v { size = 1Gi }\n' + STEP),
	"MOUNTS": w('step a { image = "i"; mounts { "/v" = secret("s") }; run = """ls /v""" }\n'),
	"SECRET": w('step a { image = "i"; env { K = secret("s", "k") }; run = """echo "$K" """ }\n'),
	"CONFIG": w('step a { image = "i"; env { K = config("s", "k") }; run = """echo "$K" """ }\n'),
	"LOCK": w('step a { image = "i"; lock = "l"; run = """true""" }\n'),
	"POOL": w('step a { image = "i"; lock = pool("l", 2); run = """true""" }\n'),
	"FAIL_FAST": w("fail_fast = true\n" + STEP),
	"KEEP": w("keep = 7d\n" + STEP),
	"WORKFLOW_TIMEOUT": w("timeout = 1h\n" + STEP),
	"CODE_LARGE": w('step a { image = "i"; code = ["big.bin"]; run = """cat big.bin""" }\n'),
	"TIME_ZONE": w('param t: time = "2026-01-01T00:00:00Z"\nstep a { in s: string = format_time(t, "%H", "Europe/Berlin"); image = "i"; run = """echo "$s" """ }\n'),
	"CACHE_ON": w('step a { image = "i"; cache = on; out x: int; run = """echo 1 > "$x" """ }\n'),
}


def deep(n):
	"""n nested for loops."""
	text, item = 'step b { in i1; image = "i"; run = """echo "$i1" """ }\n', ""
	for i in range(1, n + 1):
		text = "for i%d in [1, 2] {\n%s}\n" % (i, text)
	return w(text) + item


PARTLY = {
	("ARGS", "airflow"): ["--set", "airflow.runtime=kubernetes"],
	("MOUNTS", "airflow"): ["--set", "airflow.runtime=kubernetes"],
	("CATCHUP", "airflow"): ["--set", "airflow.start_date=2026-01-01"],
	("VOLUME", "airflow"): (["--set", "airflow.runtime=kubernetes"], w('volume v { claim = "c" }\n' + STEP)),
	("SERVICE", "run"): w('service s { port = 80; run = """sleep 9""" }\nstep a { in u: string = s.address; run = """echo "$u" """ }\n'),
	("FOR", "shell"): deep(9),
	("ON", "argo"): w("step a = other()\n", 'workflow other { step b { image = "i"; run = """true""" }\non exit { step c { image = "i"; run = """true""" } } }\n'),
	("POOL", "argo"): w('param p: string = "l"\nstep a { image = "i"; lock = pool("x${p}", 2); run = """true""" }\n'),
	("LOOP", "argo"): w('loop l {\n  max = 3\n  state n: int = 0\n  step b { in n; out m: int; image = "i"; run = """echo $((n + 1)) > "$m" """ }\n  next { n = b.m }\n}\n').replace("max = 3", "max = 64").replace(
		"loop l {", "loop o {\n  max = 64\n  state k: int = 0\n  loop l {").replace("  next { n = b.m }\n}\n", "  next { n = b.m }\n}\n  next { k = l.n }\n}\n"),
	**{("JOB_" + k.upper(), "argo"): job(k, "out x: int; ") for k in ("pytorch", "tensorflow", "mpi", "ray")},
	("WAIT_RUN", "argo"): w('wait a { image = "i"; command = ["true"] }\n'),
}

REFUSER = """#!/bin/sh
cat >/dev/null
cat <<END
{"couler_backend": 1, "help": "refuses one construct", "suffix": ".x", "refuses": [{"feature": "$COULER_TEST_FEATURE", "why": "of the test", "instead": "x"}]}
END
"""


class Tests:
	def __init__(self, couler, tmp):
		self.couler, self.tmp = couler, tmp
		self.passed = self.failed = 0
		program = os.path.join(tmp, "couler-backend-refuser")
		with open(program, "w", encoding="utf-8") as f:
			f.write(REFUSER)
		os.chmod(program, stat.S_IRWXU)
		with open(os.path.join(tmp, "big.bin"), "wb") as f:
			f.write(b"\0" * 1000)
		with open(os.path.join(tmp, "data.txt"), "w", encoding="utf-8") as f:
			f.write("1\n")

	def result(self, ok, what):
		self.passed += bool(ok)
		self.failed += not ok
		if not ok:
			print("FAILED: " + what)

	def run(self, *argv, **env):
		env = dict(os.environ, PATH=self.tmp + ":" + os.environ["PATH"], COULER_CACHE=os.path.join(self.tmp, "cache"), NO_COLOR="1", **env)
		return subprocess.run([self.couler, *argv], cwd=self.tmp, env=env, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)

	def write(self, text):
		with open(os.path.join(self.tmp, "w.cw"), "w", encoding="utf-8") as f:
			f.write(text)

	def takes(self, engine, words, *more):
		"""True, False when it is refused for that construct, or what else happened."""
		if engine == "run":
			p = self.run("run", "-n", "w.cw", *more)
			return p.returncode != 4 or "cannot carry %s:" % words not in p.stderr
		p = self.run("compile", "w.cw", "-t", engine, "-o", "out", *more)
		if p.returncode == 0:
			return True
		if p.returncode == 4 and "cannot carry %s:" % words in p.stderr:
			return False
		return "exit %d: %s" % (p.returncode, p.stderr.strip()[:300])

	def cell(self, feature, words, engine, says):
		self.write(PROGRAMS[feature])
		got = self.takes(engine, words)
		if says in ("yes", "no"):
			self.result(got is (says == "yes"), "%s, %s: the table says %s, got %s" % (feature, engine, says, got))
			return
		other = PARTLY.get((feature, engine))
		if other is None:
			self.result(False, "%s, %s: the table says partly, and there is no program for the other answer" % (feature, engine))
			return
		more, text = other if isinstance(other, tuple) else (other, None) if isinstance(other, list) else ([], other)
		if text:
			self.write(text)
		second = self.takes(engine, words, *more)
		self.result({got, second} == {True, False}, "%s, %s: the table says partly, got %s and %s" % (feature, engine, got, second))

	def table(self):
		p = self.run("backends", "--table")
		rows = [[c.strip() for c in line.strip("|").split("|")] for line in p.stdout.split("\n") if line.startswith("|")]
		self.result(p.returncode == 0 and len(rows) > 40, "couler backends --table: exit %d" % p.returncode)
		return p.stdout, rows[0][1:], rows[2:]


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("--update", action="store_true")
	o = ap.parse_args()
	with tempfile.TemporaryDirectory() as tmp:
		t = Tests(os.path.abspath(o.couler), tmp)
		text, engines, rows = t.table()
		with open(PAGE, encoding="utf-8") as f:
			page = f.read()
		head, _, rest = page.partition(BEGIN)
		old, _, tail = rest.partition(END)
		if o.update:
			with open(PAGE, "w", encoding="utf-8") as f:
				f.write(head + BEGIN + text + END + tail)
		else:
			t.result(old == text, "docs/engines.md is stale: python3 tests/engines.py %s --update" % o.couler)
		names = {}
		with open(os.path.join(ROOT, "include", "couler", "backend.h"), encoding="utf-8") as f:
			for name, words in re.findall(r'X\(([A-Z_]+), "([^"]+)"\)', f.read()):
				if not name.startswith("CALL_"):        # what the split pass makes of calls
					names[words] = name
		t.result(sorted(names[r[0]] for r in rows) == sorted(names.values()), "the table has not every construct")
		for words, *cells in rows:
			feature = names[words]
			if feature not in PROGRAMS:
				t.result(False, "no program with %s" % words)
				continue
			t.write(PROGRAMS[feature])
			if feature == "CALL":                   # an engine without calls gets the called workflow's steps
				p = t.run("compile", "w.cw", "-t", "ir")
				has = '"kind":"call"' in p.stdout
			else:
				p = t.run("compile", "w.cw", "-t", "refuser", "-o", "out", COULER_TEST_FEATURE=feature)
				has = p.returncode == 4 and "cannot carry %s:" % words in p.stderr
			t.result(has, "the program for %s has it not: %s" % (feature, p.stderr[:300]))
			for engine, says in zip(engines, cells):
				t.cell(feature, words, engine.strip("`").replace("couler run", "run"), says)
	print("%d passed, %d failed" % (t.passed, t.failed))
	return 1 if t.failed else 0


if __name__ == "__main__":
	sys.exit(main())
