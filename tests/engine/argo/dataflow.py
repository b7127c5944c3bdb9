#!/usr/bin/env python3
"""Elastic input pipelines on Argo: dataflow.py COULER [SCENARIO]...

Programs with a dataflow are compiled with their workers as a Job, held against the oracle, and run under the engine's
controller, with a stand-in for the cluster's Jobs. Workers are killed while they work; every record must arrive once, and
nothing may be left. Last line: `N passed, N failed`.
"""
import collections
import fcntl
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BIN = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "couler-dev", "bin")
COULER = os.path.abspath(sys.argv[1])
JOB = ["--runner-image", "couler", "--set", "disaggregate.cut=all"]
FILES, EACH = 30, 25
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
SLOW = '. lib/tool.sh; while read -r x; do sleep 0.01; tool "$x" "$tag" "$MORE" "$(cat "$words")" "${words##*/}"; done'
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


def is_first(pid):
	"""Whether it is process 1 of its pod: an operator that has not begun yet looks like its worker, but is not."""
	try:
		with open("/proc/%d/status" % pid) as f:
			return re.search(r"^NSpid:.*\t1$", f.read(), re.M) is not None
	except OSError:
		return False


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
		if b"\0dataflow\0work\0" in line and is_first(pid) and run in ancestors(pid):
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

	def __init__(self, folder, path, during=lambda run: None, timeout="10m"):
		self.jobs = os.path.join(folder, "jobs")
		self.files = os.path.join(folder, "files")
		env = dict(os.environ, PATH=os.path.dirname(COULER) + ":" + os.environ["PATH"])
		p = subprocess.Popen([os.path.join(BIN, "argo-run"), "-logs", "-timeout", timeout, "-jobs", self.jobs, "-outputs", self.files, path],
			stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
		while True:
			try:
				text, self.said = p.communicate(timeout=0.3)                           # it reads on, so a long report holds nobody up
				break
			except subprocess.TimeoutExpired:
				during(p.pid)
		self.report = json.loads(text) if text else {"phase": "none", "nodes": []}

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


def torn_down(name, run, *jobs):
	h = run.history()
	ok(len(h) in jobs, "%s: %s Jobs were made" % (name, jobs), h)
	ok(all(j["deleted"] and j["left"] == 0 and j["owner"] == "Pod" for j in h), name + ": nothing is left", h)


def as_object(folder, path):
	"""The manifest of the Job, with what the broker adds, in a template by which the oracle checks objects."""
	with open(path, encoding="utf-8") as f:
		text = re.search(r"- name: workers-json\n.*?data: \|\n((?: {12}[^\n]*\n)+)", f.read(), re.S).group(1)
	job = json.loads(text)
	job["metadata"].update(name="couler-workers-1", ownerReferences=[{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": True}])
	job["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "COULER_DATAFLOW_TOKEN", "value": "x"})
	where = os.path.join(folder, "object.yaml")
	with open(where, "w", encoding="utf-8") as f:
		json.dump({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"generateName": "o-"}, "spec": {"entrypoint": "o", "templates": [
			{"name": "o", "resource": {"action": "create", "manifest": json.dumps(job)}}]}}, f)
	return where


def scaled_and_killed(folder):
	"""Workers go slowly until one that was killed has been replaced: on a slow machine, too, they are still at work then."""
	gate, most = os.path.join(folder, "gate"), 3                                       # of `workers` above
	program(folder, op=SLOW.replace("sleep 0.01;", "[ -e %s ] || sleep 0.1; sleep 0.01;" % gate))
	p, path = compiled(folder, JOB)
	if not ok(p.returncode == 0, "compiles", p.stderr):
		return
	p = subprocess.run([os.path.join(BIN, "argo-oracle"), "-text", path], capture_output=True, text=True)
	ok(p.returncode == 0, "the oracle takes it", p.stdout)
	p = subprocess.run([os.path.join(BIN, "argo-oracle"), "-text", as_object(folder, path)], capture_output=True, text=True)
	ok(p.returncode == 0, "the Job is one of Kubernetes'", p.stdout)
	kills, seen = [], set()

	def during(run):
		w = [p for p in workers_of(run) if p not in kills]
		seen.update(w)
		if len(w) > 1 and len(kills) < 2 and kill(w[-1]):
			kills.append(w[-1])
		if kills and len(seen) > most and not os.path.exists(gate):
			with open(gate, "w", encoding="utf-8"):
				pass
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
	program(folder, op="sleep 600", more="timeout = 20s", files=2, each=2)
	p, path = compiled(folder, JOB)
	if not ok(p.returncode == 0, "a timeout compiles", p.stderr):
		return
	run = Run(folder, path)
	ok(run.report["phase"] == "Failed", "a step out of time fails", run.report["phase"])
	torn_down("a step out of time", run, 1, 0)                                 # on a very slow machine its time is over before


def operator_fails(folder):
	program(folder, op="exit 3", files=2, each=2)
	p, path = compiled(folder, JOB)
	if not ok(p.returncode == 0, "a failing operator compiles", p.stderr):
		return
	run = Run(folder, path)
	ok(run.report["phase"] == "Failed" and "operator 'slow' ended with exit code 3" in run.log(), "a failing operator is named", run.log())
	torn_down("a failing operator", run, 1)


RUNTIME = '''
workflow served {
  defaults { image = "sh" }
  step make { out shards: dir; run = """mkdir "$shards"; seq 5 > "$shards/a" """ }
  step fit {
    in shards = make.shards
    in rate: float = 0.5
    out said: string
    out record: string
    env { PYTHONPATH = "%(lib)s"; PATH = "%(lib)s:/usr/local/bin:/usr/bin:/bin" }
    dataflow {
      source records = split(shards)
      op embed { from = records; uses_model = true }
      trainer { from = embed; run = """python3 -m trainer "$CW_SERVICE" "$CW_WORKERS" > "$said"; cat "$shards/a" | tail -n 1 > "$record"; [ "$rate" = 0.5 ]""" }
      workers { min = 1; max = 1; resources { cpu = 0.5 } }
      runtime = %(runtime)s
    }
  }
  out said = fit.said
  out record = fit.record
}
'''
# Stand-ins: a server that counts who joined, workers that join, a trainer that asks how many did.
STAND_INS = {
	"joining.py": """
import socket, time
def serve(port):
	s = socket.create_server(("", port))
	n = 0
	while True:
		c = s.accept()[0]
		if c.recv(1) == b"j": n += 1
		else: c.sendall(b"%d" % n)
		c.close()
def ask(host, port, what, until=300):
	end = time.time() + until
	while True:
		try:
			with socket.create_connection((host, int(port))) as c:
				c.sendall(what)
				return c.recv(9).decode()
		except OSError:
			if time.time() > end: raise
			time.sleep(0.1)
""",
	"trainer.py": """
import joining, os, sys, time
scheme, _, rest = sys.argv[1].partition("://")
host, port = rest.split(":")
while joining.ask(host, port, b"?") != "1": time.sleep(0.1)
print(scheme, port, sys.argv[2].split(":")[1:], os.environ.get("RAY_ADDRESS", "-").replace(host, "H"), end="")
""",
	"tensorflow/__init__.py": "", "tensorflow/data/__init__.py": "", "tensorflow/data/experimental/__init__.py": "",
	"tensorflow/data/experimental/service.py": """
import joining, time
class DispatcherConfig:
	def __init__(self, port): self.port = port
class WorkerConfig:
	def __init__(self, dispatcher_address, worker_address, port): self.at, self.me = dispatcher_address.split(":"), worker_address
class DispatchServer:
	def __init__(self, config): self.config = config
	def join(self): joining.serve(self.config.port)
class WorkerServer:
	def __init__(self, config): joining.ask(*config.at, b"j")
	def join(self): time.sleep(600)
""",
	"ray": """#!/usr/bin/env python3
import joining, sys, time
assert sys.argv[1] == "start" and sys.argv[-1] == "--block", sys.argv
if "--head" in sys.argv:
	assert {"--port=6379", "--ray-client-server-port=10001"} <= set(sys.argv), sys.argv
	joining.serve(10001)
host, port = next(a for a in sys.argv if a.startswith("--address=")).partition("=")[2].split(":")
assert port == "6379", port
joining.ask(host, 10001, b"j")
time.sleep(600)
""",
}


def services(folder):
	lib = os.path.join(folder, "lib")
	for name, text in STAND_INS.items():
		path = os.path.join(lib, name)
		os.makedirs(os.path.dirname(path), exist_ok=True)
		with open(path, "w", encoding="utf-8") as f:
			f.write(text)
	os.chmod(os.path.join(lib, "ray"), 0o755)
	for runtime, said in (("tfdata", "grpc 5050 ['5051'] -"), ("ray", "ray 10001 [] ray://H:10001")):
		with open(os.path.join(folder, "p.cw"), "w", encoding="utf-8") as f:
			f.write(RUNTIME % {"lib": lib, "runtime": runtime})
		p, path = compiled(folder, [])
		if not ok(p.returncode == 0, runtime + " compiles", p.stderr):
			continue
		p = subprocess.run([os.path.join(BIN, "argo-oracle"), "-text", path], capture_output=True, text=True)
		ok(p.returncode == 0, "the oracle takes " + runtime, p.stdout)
		run = Run(folder, path)
		root = next((n for n in run.report["nodes"] if n["name"] == ""), {})
		out = {v["name"]: v["value"] for v in (root.get("outputs") or {}).get("parameters") or []}
		ok(run.report["phase"] == "Succeeded" and (out.get("said") or "").replace("\\0133", "[") == said and out.get("record") == "5", runtime + ": the step talks to its service", (out, run.log()))
		left = [n["name"] for n in run.report["nodes"] if n["type"] == "Pod" and n["phase"] not in ("Succeeded", "Failed")]
		ok(not left, runtime + ": its pods have ended", left)
	with open(os.path.join(folder, "p.cw"), encoding="utf-8") as f:
		text = f.read()
	with open(os.path.join(folder, "p.cw"), "w", encoding="utf-8") as f:
		f.write(text.replace("uses_model = true }", "uses_model = true; run = \"\"\"cat\"\"\" }"))
	p, _ = compiled(folder, [])
	ok(p.returncode == 4 and "hands to tf.data or Ray" in p.stderr, "an operator with a script is refused with another runtime", p.stderr)


def runtimes(folder):
	"""The service of another runtime is there while the step runs, and is gone afterwards."""
	with open(os.path.join(BIN, "ports.lock"), "a", encoding="utf-8") as turn:         # the pods' ports are this machine's: one of these at a time
		fcntl.flock(turn, fcntl.LOCK_EX)
		services(folder)


def refused(folder):
	program(folder)
	p, _ = compiled(folder, ["--set", "argo.dataflow=job"])
	ok(p.returncode == 4 and "--runner-image IMAGE" in p.stderr, "without couler's image it says what to add", p.stderr)
	p, path = compiled(folder, [])
	ok(p.returncode == 0, "workers in the step's pod", p.stderr)
	with open(path, encoding="utf-8") as f:
		text = f.read()
	ok("--slots 3" in text and "workers-json" not in text, "no Job without argo.dataflow=job", text[-1500:])


def main():
	tests = (refused, runtimes, scaled_and_killed, tried_again, out_of_time, operator_fails)
	for test in [t for t in tests if len(sys.argv) < 3 or t.__name__ in sys.argv[2:]]:
		folder = tempfile.mkdtemp(prefix="couler-dataflow-", dir="/var/tmp")                # pods have a /tmp of their own
		start = time.time()
		test(folder)
		print("%-20s %.0f s" % (test.__name__, time.time() - start), flush=True)
		shutil.rmtree(folder, ignore_errors=True)
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
