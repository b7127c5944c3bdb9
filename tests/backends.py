#!/usr/bin/env python3
"""Engines outside of the tree (docs/backends.md): backends.py COULER

faults   programs couler-backend-NAME that do everything wrong: each is an error with its reason, and what stood at -o stays
makes    the example that writes Makefiles: what make then does gives the values of `couler run`
Last line: `N passed, N failed`.
"""
import json
import os
import stat
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
OK = {"couler_backend": 1, "help": "a test", "suffix": ".x"}
GOOD = {"files": [{"text": "made\n"}]}
SOURCE = 'workflow w {\n  step a { out x: int; run = """echo 1 > "$x" """ }\n}\n'


def answers(describe=None, emit=None, before="", after="", describe_code="", emit_code=""):
	"""A program in Python: texts or data for --describe and for a request."""
	text = lambda x: x if isinstance(x, str) else json.dumps(x)
	return """#!/usr/bin/env python3
import json, os, signal, sys, time
%s
if sys.argv[1:] == ["--describe"]:
	sys.stdout.write(%r)
	sys.stdout.flush()
	%s
	sys.exit(0)
%s
sys.stdout.write(%r)
sys.stdout.flush()
%s
""" % (before, text(OK if describe is None else describe), describe_code or "pass", emit_code or "sys.stdin.read()", text(GOOD if emit is None else emit), after)


# name: program, exit code, words of the message
FAULTS = {
	"describe-fails": (answers(describe_code="sys.exit(3)"), 3, "--describe ended with exit code 3"),
	"describe-nothing": (answers(describe=""), 3, "--describe answered nothing"),
	"describe-no-json": (answers(describe="usage: ..."), 3, "--describe answered what is no JSON: line 1"),
	"describe-a-list": (answers(describe=[1]), 3, "--describe answered JSON that is no object"),
	"describe-version": (answers(describe=dict(OK, couler_backend=2)), 3, "speaks version 2 of the protocol, this couler speaks 1"),
	"describe-no-version": (answers(describe={"help": "x", "suffix": ".x"}), 3, "couler_backend: expected the version"),
	"describe-no-help": (answers(describe={"couler_backend": 1, "suffix": ".x"}), 3, "--describe: help: expected a text, it is missing"),
	"describe-option": (answers(describe=dict(OK, options=[{"name": "a", "type": "text", "help": "h"}])), 3, "options[0].type: expected bool, int, string, enum, size or duration, got 'text'"),
	"describe-enum": (answers(describe=dict(OK, options=[{"name": "a", "type": "enum", "help": "h"}])), 3, "options[0].values"),
	"describe-feature": (answers(describe=dict(OK, refuses=[{"feature": "LOPP", "why": "w", "instead": "i"}])), 3, "refuses[0]: no feature 'LOPP'"),
	"describe-carries": (answers(describe=dict(OK, carries=["RUN", 3])), 3, "carries[1]: no feature"),
	"describe-hangs": (answers(describe_code="time.sleep(100)", describe=""), 3, "gave no answer within 1 s"),
	"fails": (answers(after="sys.exit(7)"), 3, "ended with exit code 7"),
	"fails-without-answer": (answers(emit="", after='sys.exit("a reason of its own")'), 3, "ended with exit code 1"),
	"killed": (answers(after="os.kill(os.getpid(), signal.SIGKILL)"), 3, "was ended by signal 9"),
	"nothing": (answers(emit=""), 3, "answered nothing"),
	"cut-off": (answers(emit='{"files": [{"text": "ma'), 3, "answered what is no JSON"),
	"trailing": (answers(emit='{"files": [{"text": "a"}]} done'), 3, "answered what is no JSON"),
	"no-utf8": (answers(emit="", after='sys.stdout.buffer.write(b\'{"files": [{"text": "\\xff"}]}\')'), 3, "answered what is no JSON"),
	"no-files": (answers(emit={}), 3, "files: expected a list of one file or more"),
	"no-text": (answers(emit={"files": [{"path": "x"}]}), 3, "files[0].text: expected a text"),
	"outside": (answers(emit={"files": [{"text": "a"}, {"path": "../evil", "text": "b"}]}), 3, "files[1].path: expected a relative path that stays"),
	"absolute": (answers(emit={"files": [{"text": "a"}, {"path": "/tmp/evil", "text": "b"}]}), 3, "files[1].path"),
	"dots": (answers(emit={"files": [{"text": "a"}, {"path": "a/./b", "text": "b"}]}), 3, "files[1].path"),
	"hangs": (answers(emit="", after="time.sleep(100)"), 3, "gave no answer within 1 s"),
	"stays": (answers(after="os.close(1); time.sleep(100)"), 3, "did not end after its answer"),
	"reads-nothing": (answers(emit="", emit_code="os.close(0)", after="sys.exit(5)"), 3, "ended with exit code 5"),
	"diagnostics": (answers(emit={"diagnostics": [{"severity": "fatal", "message": "x"}]}), 3, "diagnostics[0]: expected a severity"),
	"refuses": (answers(emit={"files": [{"text": "x"}], "diagnostics": [{"severity": "error", "message": "no step of this kind", "span": [1, 15, 6], "mend": "another kind"}]}), 4, "w.cw:2:3: error[CW0811]: refuses: no step of this kind"),
	"wild-span": (answers(emit={"diagnostics": [{"severity": "error", "message": "m", "span": [9, -1, 1e9]}]}), 4, "error[CW0811]: wild-span: m"),
	"carries-little": (answers(describe=dict(OK, carries=["IF"])), 4, "step 'a': carries-little cannot carry run"),
}


class Tests:
	def __init__(self, couler, tmp):
		self.couler, self.tmp, self.passed, self.failed = couler, tmp, 0, 0
		self.bin = os.path.join(tmp, "bin")
		os.mkdir(self.bin)
		self.write("w.cw", SOURCE)

	def write(self, name, text):
		with open(os.path.join(self.tmp, name), "w", encoding="utf-8") as f:
			f.write(text)

	def read(self, name):
		with open(os.path.join(self.tmp, name), encoding="utf-8") as f:
			return f.read()

	def program(self, name, text):
		path = os.path.join(self.bin, "couler-backend-" + name)
		with open(path, "w", encoding="utf-8") as f:
			f.write(text)
		os.chmod(path, stat.S_IRWXU)

	def run(self, *argv, **env):
		env = dict(os.environ, PATH=self.bin + ":" + os.environ["PATH"], NO_COLOR="1", COULER_CACHE=os.path.join(self.tmp, "cache"), **env)
		return subprocess.run([self.couler, *argv], cwd=self.tmp, env=env, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)

	def check(self, ok, what):
		self.passed += bool(ok)
		self.failed += not ok
		if not ok:
			print("FAILED: " + what)

	def faults(self):
		for name, (text, code, words) in FAULTS.items():
			self.program(name, text)
			self.write("out.x", "what stood there\n")
			limit = {"COULER_BACKEND_TIMEOUT": "1"} if "within 1 s" in words or name == "stays" else {}
			p = self.run("compile", "w.cw", "-t", name, "-o", "out.x", **limit)
			self.check(p.returncode == code and words in p.stderr, "%s: exit %d, expected %d and '%s': %s" % (name, p.returncode, code, words, p.stderr[:300]))
			self.check(self.read("out.x") == "what stood there\n" and not os.path.exists(os.path.join(self.tmp, "..", "evil")), "%s: it wrote" % name)
			os.unlink(os.path.join(self.bin, "couler-backend-" + name))

	def talks(self):
		"""What a program is given, and what becomes of its answer."""
		options = [{"name": "n", "type": "int", "default": "3", "help": "h"}, {"name": "on", "type": "bool", "default": "off", "help": "h"},
			{"name": "kind", "type": "enum", "values": "a|b", "default": "a", "help": "h"}, {"name": "size", "type": "size", "help": "h"}]
		echo = answers(describe=dict(OK, options=options), emit="", emit_code="r = json.load(sys.stdin)",
			after='json.dump({"files": [{"text": json.dumps({k: r[k] for k in ("couler_backend", "target", "options")}) + r["ir"]["entry"]}], "diagnostics": [{"severity": "warning", "message": "careful"}]}, sys.stdout)')
		self.program("echo", echo)
		p = self.run("compile", "w.cw", "-t", "echo", "--set", "echo.n=5", "--set", "echo.size=1Ki")
		self.check(p.returncode == 0 and p.stdout == '{"couler_backend": 1, "target": "echo", "options": {"n": 5, "on": false, "kind": "a", "size": 1024}}w', "options: %s %s" % (p.stdout, p.stderr))
		self.check("warning[CW0812]: echo: careful" in p.stderr, "a warning: " + p.stderr)
		p = self.run("compile", "w.cw", "-t", "echo", "--set", "echo.m=5")
		self.check(p.returncode == 2 and "echo has no option 'm'" in p.stderr, "an unknown option: " + p.stderr)
		p = self.run("compile", "w.cw", "-t", "echo", "--set", "echo.kind=c")
		self.check(p.returncode == 2 and "expected a|b" in p.stderr, "a bad value: " + p.stderr)
		p = self.run("check", "w.cw", "-t", "echo")
		self.check(p.returncode == 0, "check -t: " + p.stderr)
		p = self.run("explain", "w.cw", "-t", "echo")
		self.check(p.returncode == 0 and "for echo" in p.stdout, "explain -t: " + p.stdout[:200] + p.stderr)
		p = self.run("push", "w.cw", "-t", "echo")
		self.check(p.returncode == 2 and "nothing is to be pushed" in p.stderr, "push -t: " + p.stderr)
		self.write("out.x", json.dumps({"couler_backend": 1}))
		p = self.run("compile", "w.cw", "-t", "echo", "--check-output", "out.x")
		self.check(p.returncode == 1 and "out.x is stale" in p.stderr, "--check-output: " + p.stderr)
		p = self.run("compile", "w.cw", "-t", "ecko")
		self.check(p.returncode == 2 and "no backend 'ecko', and no program couler-backend-ecko on PATH; did you mean 'echo'?" in p.stderr, "not found: " + p.stderr)
		p = self.run("compile", "w.cw", "-t", "../echo")
		self.check(p.returncode == 2, "a path is no name: " + p.stderr)
		p = self.run("backends")
		self.check(p.returncode == 0 and "  echo       a test" in p.stdout and "--set echo.n=N" in p.stdout, "couler backends: " + p.stdout[-300:])
		self.program("argo", answers())
		self.program("bad", answers(describe="{"))
		p = self.run("backends")
		self.check(p.returncode == 0 and "couler-backend-argo on PATH is not used" in p.stdout and "  echo " in p.stdout and "couler-backend-bad --describe answered what is no JSON" in p.stderr, "odd programs: " + p.stdout[-300:] + p.stderr)
		p = self.run("compile", "w.cw", "-t", "argo")
		self.check("made" not in p.stdout, "couler's own engine comes first")
		for name in ("argo", "bad", "echo"):
			os.unlink(os.path.join(self.bin, "couler-backend-" + name))

	def sizes(self):
		"""Both sides write much before they read: neither may wait for the other."""
		self.write("big.cw", "workflow w {\n" + "".join('  step s%d { run = """%s""" }\n' % (i, "true " * 50) for i in range(5000)) + "}\n")
		self.program("early", answers(emit="", emit_code='sys.stdout.write(\'{"files": [{"text": "\' + "x" * 3000000)', after='sys.stdin.read(); sys.stdout.write(\'"}]}\')'))
		p = self.run("compile", "big.cw", "-t", "early", "-o", "early.x")
		self.check(p.returncode == 0 and os.path.getsize(os.path.join(self.tmp, "early.x")) == 3000000, "an answer before the question: " + p.stderr[:300])
		self.program("deaf", answers(emit_code="pass"))
		p = self.run("compile", "big.cw", "-t", "deaf", "-o", "deaf.x")
		self.check(p.returncode == 0 and self.read("deaf.x") == "made\n", "an answer without reading: " + p.stderr[:300])
		self.program("several", answers(emit={"files": [{"text": "main"}, {"path": "a/b.sh", "text": "x\0y", "executable": True}]}))
		p = self.run("compile", "w.cw", "-t", "several")
		self.check(p.returncode == 2 and "give -o FILE" in p.stderr and not p.stdout, "several files to standard output: " + p.stderr)
		p = self.run("compile", "w.cw", "-t", "several", "-o", "new/main.x") if os.mkdir(os.path.join(self.tmp, "new")) is None else None
		made = os.path.join(self.tmp, "new", "a", "b.sh")
		self.check(p.returncode == 0 and self.read("new/main.x") == "main" and self.read("new/a/b.sh") == "x\0y" and os.access(made, os.X_OK), "several files: " + p.stderr)

	def make(self):
		"""examples/backends/couler-backend-make."""
		example = os.path.join(ROOT, "examples", "backends")
		path = {"PATH": example + ":" + os.environ["PATH"]}
		tried = lambda *argv: subprocess.run([self.couler, *argv], cwd=self.tmp, env=dict(os.environ, NO_COLOR="1", COULER_CACHE=os.path.join(self.tmp, "cache"), **path), capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
		gnu = lambda *argv, cwd: subprocess.run(["make", "-s", *argv], cwd=cwd, capture_output=True, text=True, timeout=60)
		self.write("p.cw", """workflow p {
  param greeting: string = "it's $HOME"
  step a {
    in  g: string = "${greeting}, \\"you\\""
    out x: string
    out f: file
    run = '''
      printf %s "$g" > "$x"
      tr a-z A-Z < "$x" > "$f"
    '''
  }
  step b { in x = a.x; in f = a.f; out n: int; env { MODE = "fast" }; shell = bash; run = '''echo $(( ${#x} + $(wc -c < "$f") + ${#MODE} )) > "$n"''' }
  step c { after = [b]; run = '''test "$PWD" = "$CW_TMP"''' }
  out n = b.n
  out f = a.f
}
""")
		for source, name in (("p.cw", "p"), (os.path.join(ROOT, "examples", "diamond.cw"), "diamond")):
			folder = os.path.join(self.tmp, "it's " + name)
			os.mkdir(folder)
			p = tried("compile", source, "-t", "make", "-o", os.path.join(folder, "Makefile"))
			self.check(p.returncode == 0, "make, %s: %s" % (name, p.stderr))
			p = gnu("-j4", cwd=folder)
			self.check(p.returncode == 0, "make, %s: %s" % (name, p.stderr[-300:]))
			p = tried("run", source, "--outputs-json", "local.json")
			for step, s in json.loads(self.read("local.json"))["steps"].items():
				for out, v in (s.get("outputs") or {}).items():
					want = v
					if isinstance(v, dict):
						with open(v["path"], encoding="utf-8") as f:
							want = f.read()
					with open(os.path.join(folder, "out", step, out), encoding="utf-8") as f:
						got = f.read()
					self.check(str(want).rstrip("\n") == got.rstrip("\n"), "make, %s: %s.%s is %r, locally %r" % (name, step, out, got, want))
			p = subprocess.run(["make"], cwd=folder, capture_output=True, text=True, timeout=60)
			self.check("Nothing to be done" in p.stdout, "make, %s: a second time: %s" % (name, p.stdout))
		folder = os.path.join(self.tmp, "it's p")
		p = gnu("-B", "param_greeting=hi", cwd=folder)
		with open(os.path.join(folder, "out", "a", "x"), encoding="utf-8") as f:
			self.check(p.returncode == 0 and f.read() == 'hi, "you"', "make: a parameter: " + p.stderr[-300:])
		p = tried("compile", os.path.join(ROOT, "examples", "churn.cw"), "-t", "make", "-o", "Makefile")
		self.check(p.returncode == 4 and "make cannot carry schedule: make starts when somebody calls it" in p.stderr and not os.path.exists(os.path.join(self.tmp, "Makefile")), "make refuses: " + p.stderr[:300])
		self.write("e.cw", 'workflow e {\n  step a { out x: int; run = """echo 1 > "$x" """ }\n  step b { in y: int = a.x + 1; run = """echo "$y" """ }\n}\n')
		p = tried("compile", "e.cw", "-t", "make", "-o", "Makefile")
		self.check(p.returncode == 4 and "e.cw:3:24: error[CW0811]: make: make computes no expressions" in p.stderr, "make refuses an expression: " + p.stderr[:300])


def main():
	with tempfile.TemporaryDirectory() as tmp:
		t = Tests(os.path.abspath(sys.argv[1]), tmp)
		t.faults()
		t.talks()
		t.sizes()
		t.make()
	print("%d passed, %d failed" % (t.passed, t.failed))
	return 1 if t.failed else 0


if __name__ == "__main__":
	sys.exit(main())
