#!/usr/bin/env python3
"""`kill -9` of couler at random moments: kill.py COULER [--n 50] [--seed 1]

A workflow whose outputs tell what they must be is started, killed, resumed, killed, ... until it gets through. Killed
is couler, its whole process group, or the supervisor of its steps. After each kill: no process is left; a step that
was reported done never starts again; at the end every output is what it must be, and `couler cache verify` agrees.
Last line: `N passed, N failed`, one result a kill.
"""
import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

from fault import Box, pids_of

STEPS = 24
WORKFLOW = '''
workflow w {
  param log: string
  for i in range(%d) {
    step made {
      in i; in log
      out o: file; out d: dir; out n: int
      run = """
        echo "made[$i]" >> "$log"
        mkdir "$d"
        for k in 1 2 3 4 5 6 7 8; do
          echo "part $k of $i" >> "$o"
          echo "$i $k" > "$d/$k"
        done
        sleep 0.0$((i %% 7))
        echo "end of $i" >> "$o"
        echo "$((i * i))" > "$n"
      """
    }
    step read {
      in o = made.o; in d = made.d; in i; in log
      out s: string
      run = """
        echo "read[$i]" >> "$log"
        { tail -n 1 "$o"; cat "$d"/* | wc -l; } | tr "\\n" " " > "$s"
      """
    }
  }
  step all { in s = read.s; in n = made.n; out s2: json; run = """echo "$s" > "$s2" """ }
  out s = all.s2
  out n = sum(made.n)
}
''' % STEPS


class Episode:
	def __init__(self, couler, seed):
		self.box = Box(couler, "kill")
		self.box.put("w.cw", WORKFLOW)
		self.log = self.box.path("started")
		self.random = random.Random(seed)
		self.done = set()
		self.runs = 0

	def started(self):
		return self.box.read("started").split() if os.path.exists(self.log) else []

	def command(self):
		if self.runs:
			return [self.box.couler, "resume", "last"]
		return [self.box.couler, "run", "w.cw", "-j4", "-p", "log=" + self.log, "--outputs-json", "out.json"]

	def once(self, kill):
		"""Starts or resumes; kills in the middle. (whether it got through, what is wrong or None)"""
		before = len(self.started())
		known = len(os.listdir(self.box.path(".couler", "runs"))) if self.runs else 0
		err = self.box.path("err-%d" % self.runs)
		with open(err, "wb") as f:
			p = subprocess.Popen(self.command(), cwd=self.box.dir, env=self.box.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=f, start_new_session=True)
		if kill:
			time.sleep(self.random.expovariate(1 / 0.15))
			self.end(p)
		code = p.wait(timeout=120)
		text = self.box.read(os.path.basename(err))
		if os.path.isdir(self.box.path(".couler", "runs")) and any(os.path.exists(self.box.path(".couler", "runs", r, "journal")) and os.path.getsize(self.box.path(".couler", "runs", r, "journal"))
				for r in os.listdir(self.box.path(".couler", "runs"))):
			self.runs += 1
		wrong = None
		end = time.monotonic() + 5
		while (left := pids_of(self.box.dir)) and time.monotonic() < end:
			time.sleep(0.02)
		if left:
			wrong = "processes are left after the kill: %s" % left
		twice = self.done & set(self.started()[before:])
		if twice:
			wrong = "%s was reported done and ran again (run %d, %d runs before)" % (sorted(twice), self.runs, known)
		if code in (70, 1, 2):
			wrong = "exit code %d: %s" % (code, text[-600:])
		self.done |= set(re.findall(r"^\[\d+/\d+\] ((?:made|read)\[\d+\]) (?:done|reused)", text, re.M))
		return code == 0, wrong

	def end(self, p):
		how = self.random.choice(["couler", "couler", "group", "supervisor"])
		try:
			if how == "group":
				os.killpg(p.pid, signal.SIGKILL)
			elif how == "couler":
				os.kill(p.pid, signal.SIGKILL)
			else:
				with open("/proc/%d/task/%d/children" % (p.pid, p.pid)) as f:
					for pid in f.read().split():
						os.kill(int(pid), signal.SIGKILL)
		except (OSError, ProcessLookupError):
			pass

	def check(self):
		"""After a run that got through: are all values what they must be?"""
		if not os.path.exists(self.box.path("out.json")):
			return "no outputs were written"
		doc = json.loads(self.box.read("out.json"))
		want = ["end of %d 8 " % i for i in range(STEPS)]
		if doc["outputs"]["s"] != want:
			return "s is %s" % doc["outputs"]["s"]
		if doc["outputs"]["n"] != str(sum(i * i for i in range(STEPS))):
			return "n is %s" % doc["outputs"]["n"]
		for i in range(STEPS):
			outs = doc["steps"]["made[%d]" % i]["outputs"]
			with open(outs["o"]["path"], encoding="utf-8") as f:
				if f.read() != "".join("part %d of %d\n" % (k, i) for k in range(1, 9)) + "end of %d\n" % i:
					return "half a file was kept: made[%d].o" % i
			for k in range(1, 9):
				with open(os.path.join(outs["d"]["path"], str(k)), encoding="utf-8") as f:
					if f.read() != "%d %d\n" % (i, k):
						return "half a directory was kept: made[%d].d" % i
		v = self.box.do("cache", "verify")
		return None if v.code == 0 else "cache verify: exit %d: %s" % (v.code, v.out + v.err)


def main():
	a = argparse.ArgumentParser()
	a.add_argument("couler")
	a.add_argument("--n", type=int, default=50)
	a.add_argument("--seed", type=int, default=1)
	a = a.parse_args()
	passed = failed = episodes = 0
	while passed + failed < a.n:
		e = Episode(a.couler, a.seed * 100003 + episodes)
		episodes += 1
		through, kills = False, 0
		while not through:
			through, wrong = e.once(kills < 8 and passed + failed < a.n)
			if kills < 8 and passed + failed < a.n:
				kills += 1
				passed, failed = passed + (not wrong), failed + bool(wrong)
			elif wrong or not through:
				break                                                       # a run that nobody killed
			if wrong:
				print("FAIL seed %d, run %d: %s" % (a.seed * 100003 + episodes - 1, e.runs, wrong), flush=True)
		wrong = e.check() if through else wrong or "it did not get through"
		if wrong:
			failed += 1
			print("FAIL seed %d: %s" % (a.seed * 100003 + episodes - 1, wrong), flush=True)
		for pid, _ in pids_of(e.box.dir):
			os.kill(pid, signal.SIGKILL)
		e.box.clean()
	print("%d episodes" % episodes)
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
