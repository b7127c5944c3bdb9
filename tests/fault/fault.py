"""What the fault tests share: a folder a case, couler in it, what is left of it afterwards.

A case is a function decorated with @case; it gets a Box and raises AssertionError with what is wrong.
`main(argv)` runs the cases whose name holds one of the words given, all without; last line `N passed, N failed`.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

CASES = []


def case(f):
	CASES.append(f)
	return f


def pids_of(word):
	"""Processes that have the word in their environment: every step has its folder there."""
	found = []
	for p in os.listdir("/proc"):
		if not p.isdigit() or int(p) == os.getpid():
			continue
		try:
			with open("/proc/%s/environ" % p, "rb") as f:
				if word.encode() in f.read():
					with open("/proc/%s/cmdline" % p, "rb") as g:
						found.append((int(p), g.read().replace(b"\0", b" ").decode("utf-8", "replace")))
		except OSError:
			pass
	return found


class Result:
	def __init__(self, code, out, err, doc):
		self.code, self.out, self.err, self.doc = code, out, err, doc

	def step(self, name):
		assert self.doc is not None, "no --outputs-json was written; stderr: " + self.err[-600:]
		assert name in self.doc["steps"], "no step %s in %s" % (name, sorted(self.doc["steps"]))
		return self.doc["steps"][name]

	def says(self, *words):
		for w in words:
			assert re.search(w, self.err), "standard error lacks /%s/:\n%s" % (w, self.err[-2000:])
		return self

	def never_says(self, *words):
		for w in words:
			assert not re.search(w, self.err), "standard error has /%s/:\n%s" % (w, self.err[-2000:])
		return self

	def ended(self, code):
		assert self.code == code, "exit code %s, not %s; stderr:\n%s" % (self.code, code, self.err[-2000:])
		return self


class Box:
	"""A folder with a workflow in it."""

	def __init__(self, couler, name):
		self.couler = os.path.abspath(couler)
		self.dir = tempfile.mkdtemp(prefix="couler-fault-%s-" % name)
		self.env = {"PATH": os.environ["PATH"], "HOME": self.dir, "USER": os.environ.get("USER", "nobody"), "LC_ALL": "C.UTF-8"}

	def path(self, *names):
		return os.path.join(self.dir, *names)

	def put(self, name, text):
		with open(self.path(name), "w", encoding="utf-8") as f:
			f.write(text)
		return self.path(name)

	def read(self, *names):
		with open(self.path(*names), encoding="utf-8", errors="replace") as f:
			return f.read()

	def workflow(self, body, head="", name="w.cw"):
		"""Steps of one workflow."""
		return self.put(name, "%s\nworkflow w {\n%s\n}\n" % (head, body))

	def argv(self, *args, file="w.cw"):
		return [self.couler, "run", file, "--outputs-json", "out.json", *args]

	def run(self, *args, file="w.cw", env=None, timeout=120, wrap=()):
		if os.path.exists(self.path("out.json")):
			os.remove(self.path("out.json"))
		p = subprocess.run([*wrap, *self.argv(*args, file=file)], cwd=self.dir, env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL,
			capture_output=True, timeout=timeout)
		return Result(p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace"), self.doc())

	def doc(self):
		if not os.path.exists(self.path("out.json")):
			return None
		with open(self.path("out.json"), encoding="utf-8") as f:
			return json.load(f)

	def start(self, *args, file="w.cw", **more):
		return subprocess.Popen(self.argv(*args, file=file), cwd=self.dir, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
			stderr=subprocess.PIPE, **more)

	def do(self, *args, env=None, timeout=120):
		"""Another command of couler."""
		p = subprocess.run([self.couler, *args], cwd=self.dir, env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
		return Result(p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace"), None)

	def wait_for(self, name, seconds=20):
		"""Until a file is there and holds something."""
		end = time.monotonic() + seconds
		while time.monotonic() < end:
			if os.path.exists(self.path(name)) and os.path.getsize(self.path(name)):
				return
			time.sleep(0.01)
		raise AssertionError("%s did not appear within %g s" % (name, seconds))

	def nobody_left(self, seconds=3):
		end = time.monotonic() + seconds
		while (left := pids_of(self.dir)) and time.monotonic() < end:
			time.sleep(0.02)
		for pid, _ in left:
			os.kill(pid, signal.SIGKILL)
		assert not left, "processes are left: %s" % left

	def runs(self):
		return sorted(os.listdir(self.path(".couler", "runs")))

	def clean(self):
		subprocess.run(["chmod", "-R", "u+rwX", self.dir], stderr=subprocess.DEVNULL)
		shutil.rmtree(self.dir, ignore_errors=True)


def finish(p, seconds=60):
	"""The Result of a process from Box.start."""
	out, err = p.communicate(timeout=seconds)
	return Result(p.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), None)


def main(argv):
	if len(argv) < 2:
		sys.exit("usage: %s COULER [WORD...]" % argv[0])
	passed = failed = 0
	for f in CASES:
		if argv[2:] and not any(w in f.__name__ for w in argv[2:]):
			continue
		box = Box(argv[1], f.__name__)
		start = time.monotonic()
		wrong = None
		try:
			f(box)
			box.nobody_left()
		except AssertionError as e:
			wrong = str(e) or traceback.format_exc(limit=-1)
		except Exception:
			wrong = traceback.format_exc()
		for pid, _ in pids_of(box.dir):
			os.kill(pid, signal.SIGKILL)
		if wrong:
			failed += 1
			print("FAIL %s (%s): %s" % (f.__name__, f.__doc__ or "", wrong))
		else:
			passed += 1
			print("ok   %-32s %5.1f s" % (f.__name__, time.monotonic() - start))
		sys.stdout.flush()
		box.clean()
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed else 0
