#!/usr/bin/env python3
"""Elastic input pipelines on Argo: dataflow.py COULER

Programs with a dataflow are compiled with their workers as a Job, held against the oracle, and run under the engine's
controller, with a stand-in for the cluster's Jobs. Workers are killed while they work; every record must arrive once, and
nothing may be left. Last line: `N passed, N failed`.
"""
import collections
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BIN = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "couler-dev", "bin")
COULER = os.path.abspath(sys.argv[1])
JOB = ["--set", "argo.dataflow=job", "--set", "argo.runner-image=couler", "--set", "disaggregate.cut=all"]
FILES, EACH = 30, 40
passed = failed = 0

PROGRAM = '''
workflow pipe {
  defaults { image = "sh" }
  step make {
    out shards: dir
    out words: file
    run = """
      mkdir "$shards"
      for f in $(seq 10 %d); do for i in $(seq %d); do echo "$f-$i"; done > "$shards/$f"; done
      echo 'it is $$ {{here}}' > "$words"
    """
  }
  step fit {
    in shards = make.shards
    in words: file named "w.txt" = make.words
    in tag: string = "a b"
    out model: file
    code = ["lib/tool.sh"]
    env { MORE = "more ${tag}" }
    %s
    dataflow {
      source records = split(shards)
      op slow { from = records; run = """%s""" }
      trainer { from = slow; run = """%s""" }
      workers { min = 1; max = 3; image = "prep:1"; resources { cpu = 0.5; memory = 64Mi } }
    }
  }
  out model = fit.model
}
'''
# code, a scalar, an input file and a variable: what an operator sees must be there, too
SLOW = '. lib/tool.sh; while read -r x; do sleep 0.015; tool "$x" "$tag" "$MORE" "$(cat "$words")" "${words##*/}"; done'
KEEP = 'cat > "$model"'
WANT = ["%d-%d|a b|more a b|it is $$ {{here}}|w.txt" % (f, i) for f in range(10, 10 + FILES) for i in range(1, EACH + 1)]


def ok(cond, name, more=""):
	global passed, failed
	passed += bool(cond)
	failed += not cond
	if not cond:
		print("FAIL %s: %s" % (name, str(more)[-3000:]))
	return bool(cond)


def program(folder, op=SLOW, trainer=KEEP, more="", files=FILES, each=EACH):
	os.makedirs(os.path.join(folder, "lib"))
	with open(os.path.join(folder, "lib", "tool.sh"), "w", encoding="utf-8") as f:
		f.write('tool() { r=$1; shift; for a; do r="$r|$a"; done; printf \'%s\\n\' "$r"; }\n')
	with open(os.path.join(folder, "p.cw"), "w", encoding="utf-8") as f:
		f.write(PROGRAM % (9 + files, each, more, op, trainer))


def compiled(folder, options):
	path = os.path.join(folder, "p.yaml")
	p = subprocess.run([COULER, "compile", "-t", "argo", "p.cw", "-o", path, *options], cwd=folder, capture_output=True, text=True, env=dict(os.environ, NO_COLOR="1"))
	return p, path


def ancestors(pid):
	while pid > 1:
		yield pid
		try:
			with open("/proc/%d/stat" % pid) as f:
				pid = int(f.read().rsplit(")", 1)[1].split()[1])
		except (OSError, IndexError):
			return


def workers_of(run):
	"""Pids of the workers in the pods of a run."""
	found = []
	for path in glob.glob("/proc/[0-9]*/cmdline"):
		try:
			with open(path, "rb") as f:
				line = f.read()
		except OSError:
			continue
		pid = int(path.split("/")[2])
		if b"\0dataflow\0work\0" in line and run in ancestors(pid):
			found.append(pid)
	return found


def kill(pid):
	try:
		os.kill(pid, signal.SIGKILL)
		return True
	except ProcessLookupError:
		return False


class Run:
	"""A workflow under the engine's controller; `during` is called while it runs."""

	def __init__(self, folder, path, during=lambda run: None, timeout="4m"):
		self.jobs = os.path.join(folder, "jobs")
		self.files = os.path.join(folder, "files")
		env = dict(os.environ, PATH=os.path.dirname(COULER) + ":" + os.environ["PATH"])
		p = subprocess.Popen([os.path.join(BIN, "argo-run"), "-logs", "-timeout", timeout, "-jobs", self.jobs, "-outputs", self.files, path],
			stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
		out = tempfile.TemporaryFile("w+")
		while p.poll() is None:
			during(p.pid)
			time.sleep(0.1)
		text, self.said = p.communicate()
		out.close()
		self.report = json.loads(text) if text else {"phase": "none", "nodes": []}
		self.left = workers_of(p.pid)

	def log(self):
		return "\n".join(n.get("log") or "" for n in self.report["nodes"]) + self.said

	def history(self):
		if not os.path.exists(self.jobs):
			return []
		with open(self.jobs, encoding="utf-8") as f:
			return [json.loads(x) for x in f]

	def records(self):
		found = glob.glob(self.files + "/*/.root/model")
		if not found:
			return []
		with open(found[0], encoding="utf-8") as f:
			return f.read().splitlines()


def once(name, run, want):
	got, want = collections.Counter(run.records()), collections.Counter(want)
	ok(run.report["phase"] == "Succeeded", name + " succeeds", run.log())
	ok(got == want, name + ": every record once", (sum(got.values()), sum(want.values()), list((want - got).items())[:3], list((got - want).items())[:3]))


def torn_down(name, run, jobs):
	h = run.history()
	ok(len(h) == jobs, "%s: %d Jobs were made" % (name, jobs), h)
	ok(h and all(j["deleted"] and j["left"] == 0 and j["owner"] == "Pod" for j in h), name + ": nothing is left", h)


def scaled_and_killed(folder):
	program(folder)
	p, path = compiled(folder, JOB)
	if not ok(p.returncode == 0, "compiles", p.stderr):
		return
	p = subprocess.run([os.path.join(BIN, "argo-oracle"), "-text", path], capture_output=True, text=True)
	ok(p.returncode == 0, "the oracle takes it", p.stdout)
	kills = []

	def during(run):
		w = workers_of(run)
		if len(w) > 1 and len(kills) < 2 and kill(w[-1]):
			kills.append(w[-1])
	run = Run(folder, path, during)
	once("workers that are killed", run, WANT)
	torn_down("workers that are killed", run, 1)
	for j in run.history():
		ok(len(kills) >= 1 and j["failed"] >= 1 and j["pods"] > j["most"], "a pod was killed and replaced", (kills, j))
		ok(j["parallelism"][0] in (0, 1) and max(j["parallelism"]) > 1, "the Job was scaled up", j)
	log = run.log()
	ok("workers are the pods of Job couler-workers-" in log and " -> " in log, "the step says what it does", log)


def tried_again(folder):
	"""The first attempt's trainer fails: each attempt has a Job of its own."""
	program(folder, trainer='if [ "$COULER_ATTEMPT" = 1 ]; then head -n 3 > /dev/null; exit 7; fi; cat > "$model"', more="retry = { limit = 2; on = [7] }", files=6, each=10)
	p, path = compiled(folder, JOB)
	if not ok(p.returncode == 0, "a retry compiles", p.stderr):
		return
	run = Run(folder, path)
	once("a second attempt", run, [w for w in WANT if int(w.split("-")[0]) < 16 and int(w.split("-")[1].split("|")[0]) <= 10])
	torn_down("a second attempt", run, 2)


def out_of_time(folder):
	program(folder, op="sleep 600", more="timeout = 12s", files=2, each=2)
	p, path = compiled(folder, JOB)
	if not ok(p.returncode == 0, "a timeout compiles", p.stderr):
		return
	run = Run(folder, path)
	ok(run.report["phase"] == "Failed", "a step out of time fails", run.report["phase"])
	torn_down("a step out of time", run, 1)


def operator_fails(folder):
	program(folder, op="exit 3", files=2, each=2)
	p, path = compiled(folder, JOB)
	if not ok(p.returncode == 0, "a failing operator compiles", p.stderr):
		return
	run = Run(folder, path)
	ok(run.report["phase"] == "Failed" and "operator 'slow' ended with exit code 3" in run.log(), "a failing operator is named", run.log())
	torn_down("a failing operator", run, 1)


def refused(folder):
	program(folder)
	p, _ = compiled(folder, ["--set", "argo.dataflow=job"])
	ok(p.returncode == 4 and "argo.runner-image=IMAGE" in p.stderr, "without couler's image it says what to add", p.stderr)
	p, path = compiled(folder, [])
	ok(p.returncode == 0, "workers in the step's pod", p.stderr)
	with open(path, encoding="utf-8") as f:
		text = f.read()
	ok("--slots 3" in text and "workers-json" not in text, "no Job without argo.dataflow=job", text[-1500:])


def main():
	for test in (refused, scaled_and_killed, tried_again, out_of_time, operator_fails):
		folder = tempfile.mkdtemp(prefix="couler-dataflow-")
		start = time.time()
		test(folder)
		print("%-20s %.0f s" % (test.__name__, time.time() - start), flush=True)
		shutil.rmtree(folder, ignore_errors=True)
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
