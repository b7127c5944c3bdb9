#!/usr/bin/env python3
"""Distributed jobs, services, waits, locks, retries, limits: jobs.py COULER [WORD...]"""
import json
import os
import re
import signal
import subprocess
import sys
import time

from fault import case, finish, main


@case
def pytorch(box):
	"three workers with their ranks; they meet at the master's port; the outputs of rank 0 count"
	box.workflow('''step t { in scale: int = 10; out model: file named "m.bin"; out sum: int; job pytorch { workers = 3; run = """
  echo "rank $RANK of $WORLD_SIZE, local $LOCAL_RANK"
  test -d "$CW_TMP" && test -z "$(ls "$CW_TMP")"
  echo "model of $RANK" > "$model"
  python3 - <<'P'
import os, socket, time
rank, size, at = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
total = rank * int(os.environ["scale"])
if rank == 0:
    s = socket.create_server(at)
    for _ in range(size - 1):
        total += int(s.accept()[0].recv(100))
    open(os.environ["sum"], "w").write(str(total))
else:
    for _ in range(200):
        try:
            socket.create_connection(at).send(str(total).encode())
            break
        except OSError:
            time.sleep(0.05)
    open(os.environ["sum"], "w").write("no number")
P
""" } }
step u { in m = t.model; out s: string; run = """cat "$m" > "$s" """ }''')
	r = box.run().ended(0)
	assert r.step("t")["outputs"]["sum"] == "30" and r.step("u")["outputs"]["s"] == "model of 0"
	log = box.do("logs", "last", "t").out
	assert all("rank %d of 3, local %d" % (k, k) in log for k in range(3)), log
	assert not os.path.exists(box.path(".couler", "runs", box.runs()[0], "w"))


@case
def worker_fails(box):
	"one of four workers fails: it is named, the others end, nothing is left, the step may be tried again"
	box.workflow('step t { retry = 1; job pytorch { workers = 4; run = """\n  if [ "$RANK" = 2 ] && [ "$COULER_ATTEMPT" = 1 ]; then exit 5; fi\n  [ "$COULER_ATTEMPT" = 2 ] || sleep 60\n""" } }')
	start = time.monotonic()
	r = box.run().ended(0).says(r"worker 2 of 4 ended with exit code 5")
	assert r.step("t")["attempts"] == 2 and time.monotonic() - start < 20
	box.workflow('step t { timeout = 1s; job pytorch { workers = 2; run = """sleep 60""" } }')
	assert box.run().ended(6).step("t")["exit_code"] == 124
	box.workflow('step t { job mpi { workers = 2; run = """[ "$RANK" = 0 ] || kill -9 $$; sleep 60""" } }')
	assert box.run().ended(6).says(r"worker 1 was killed by signal 9").step("t")["exit_code"] == 137


@case
def tensorflow(box):
	"TF_CONFIG of workers and parameter servers, which are ended when the workers are done"
	box.workflow('step t { out all: json; job tensorflow { workers = 2; ps = 1; run = """\n  case $TF_CONFIG in *\'"type":"ps"\'*) sleep 100;; esac\n  echo "$TF_CONFIG" > "$all"\n""" } }')
	start = time.monotonic()
	c = box.run().ended(0).step("t")["outputs"]["all"]
	assert time.monotonic() - start < 15
	assert c["task"] == {"type": "worker", "index": 0} and len(c["cluster"]["worker"]) == 2 and len(c["cluster"]["ps"]) == 1, c
	assert len(set(c["cluster"]["worker"] + c["cluster"]["ps"])) == 3


@case
def job_killed(box):
	"SIGKILL of couler while a job runs: no worker is left"
	box.workflow('step t { job pytorch { workers = 3; run = """\n  echo up > %s/flag.$RANK\n  trap "" TERM INT\n  while :; do sleep 1; done\n""" } }' % box.dir)
	p = box.start()
	for k in range(3):
		box.wait_for("flag.%d" % k)
	p.kill()
	p.communicate()
	box.nobody_left(3)


@case
def service(box):
	"a service lives while its readers run, is ready before they start, and is gone afterwards"
	box.workflow('''service db { port = 18080; ready = "/ok"; run = """
  mkdir -p www; echo yes > www/ok; sleep 0.5; exec python3 -m http.server --bind 127.0.0.1 --directory www 18080
""" }
step a { in at = db.address; out s: string; run = """python3 -c 'import os, urllib.request; print(urllib.request.urlopen("http://%s/ok" % os.environ["at"]).read().decode().strip())' > "$s" """ }''')
	r = box.run().ended(0)
	assert r.step("a")["outputs"]["s"] == "yes"
	box.nobody_left(1)


@case
def service_fails(box):
	"a service that ends at once fails with its log, its readers do not start"
	box.workflow('service db { port = 18081; ready = "/ok"; run = """echo no disk; exit 3""" }\nstep a { in at = db.address; run = """echo "$at" """ }')
	r = box.run().ended(6).says("db")
	assert r.step("a")["status"] == "skipped"


@case
def waits(box):
	"wait polls until its script ends well; its timeout fails it"
	box.workflow('wait landed { run = """test -e %s/flag.in"""; every = 1s; timeout = 20s }\nstep a { after = [landed]; out s: string; run = """echo on > "$s" """ }\n'
		'step b { run = """sleep 0.5; echo > %s/flag.in""" }' % (box.dir, box.dir))
	assert box.run("-j3").ended(0).step("a")["status"] == "succeeded"
	box.workflow('wait landed { run = """false"""; every = 1s; timeout = 2s }\nstep a { after = [landed]; run = """true""" }')
	r = box.run().ended(6).says("did not come within its timeout")
	assert r.step("landed")["exit_code"] == 124 and r.step("a")["status"] == "skipped"


@case
def approve(box):
	"without a terminal a gate fails and says how; approve and resume go on"
	box.workflow('step a { out n: int; run = """echo 3 > "$n" """ }\napprove gate { message = "ship ${a.n}?"; ask verdict: string = "no" in ["yes", "no"] }\n'
		'step b { in v = gate.verdict; out s: string; run = """echo "$v" > "$s" """ }\nout s = b.s')
	box.run().ended(6).says(r"ship 3\?", r"couler approve \S+ gate --answer", "couler resume")
	for wrong, why in (("perhaps", "not one of the allowed values"), ("other=yes", "asks no 'other'")):
		box.do("approve", "last", "gate", "--answer", wrong).ended(0)
		box.do("resume", "last").ended(6).says(why)
	box.do("approve", "last", "gate", "--answer", "yes").ended(0)
	r = box.do("resume", "last").ended(0).says("a reused")
	assert r.out.strip() == "s = yes", r.out
	box.run().ended(6)
	box.do("approve", "last", "gate", "--reject").ended(0)
	box.do("resume", "last").ended(6)


@case
def locks(box):
	"a lock is held by one step at a time, over runs; a pool by its number; who waits says for whom"
	body = 'for i in range(4) { step a { in i; lock = %s; run = """\n  echo "in $i" >> %s/flag.log; sleep 0.15; echo "out $i" >> %s/flag.log\n""" } }'
	most = {}
	for what, name in (('"one"', 1), ('pool("two", 2)', 2)):
		if os.path.exists(box.path("flag.log")):
			os.remove(box.path("flag.log"))
		box.workflow(body % (what, box.dir, box.dir))
		runs = [box.start("-j4") for _ in range(2)]
		for p in runs:
			r = finish(p).ended(0)
			most.setdefault(name, "")
			most[name] += r.err
		inside = peak = 0
		for line in box.read("flag.log").splitlines():
			inside += 1 if line.startswith("in") else -1
			peak = max(peak, inside)
		assert peak == name, (what, peak)
	assert "wait" in most[1], most[1]


@case
def retries(box):
	"backoff doubles with jitter, stops at max_backoff and within; only what `on` names is tried again"
	box.workflow('step a { retry { limit = 3; backoff = 0.2s; factor = 2; max_backoff = 0.5s }; run = """exit 1""" }')
	r = box.run().ended(6)
	delays = [float(x) for x in re.findall(r"the next in ([0-9.]+) s", r.err)]
	assert len(delays) == 3 and r.step("a")["attempts"] == 4, r.err
	for got, want in zip(delays, (0.2, 0.4, 0.5)):
		assert 0.85 * want - 0.051 <= got <= 1.15 * want + 0.051, delays
	box.workflow('step a { retry { limit = 3; on = [75] }; run = """exit 1""" }\nstep b { retry { limit = 2; on = [75] }; run = """exit 75""" }\nstep c { retry { limit = 50; backoff = 0.3s; within = 1s }; run = """exit 1""" }')
	r = box.run("-j3").ended(6)
	assert r.step("a")["attempts"] == 1 and r.step("b")["attempts"] == 3 and 2 <= r.step("c")["attempts"] <= 5


@case
def limits(box):
	"cpu and memory are shared out; what asks for more than there is runs alone, with a remark; max_parallel; -j"
	count = 'echo "in" >> %s/flag.log; sleep 0.2; echo out >> %s/flag.log' % (box.dir, box.dir)

	def peak(text, *args):
		if os.path.exists(box.path("flag.log")):
			os.remove(box.path("flag.log"))
		box.workflow(text)
		r = box.run(*args).ended(0)
		inside = most = 0
		for line in box.read("flag.log").splitlines():
			inside += 1 if line == "in" else -1
			most = max(most, inside)
		return most, r

	steps = 'for i in range(6) { %s step a { in i; %s run = """' + count + '""" } }'
	assert peak(steps % ("", ""), "-j3")[0] == 3
	assert peak(steps % ("max_parallel = 2;", ""), "-j6")[0] == 2
	assert peak("max_parallel = 1\n" + steps % ("", ""), "-j6")[0] == 1
	assert peak(steps % ("", "resources { cpu = 2 };"), "-j4")[0] == 2
	most, r = peak(steps % ("", "resources { memory = 100Ti };"), "-j4")
	assert most == 1
	r.says("asks for .* GiB of memory, this machine has")
	most, r = peak('for i in range(6) { step a { in i; run = """' + count + '""" } }', "-j4", "--load", "0.01")
	assert most == 1, "--load: %d" % most


@case
def tpe(box):
	"tpe finds a better point than its first trials, runs batches side by side, and is the same again"
	box.workflow('sweep s = f(x = uniform(-5, 5), k = choice(1, 2, 3)) { search = tpe(trials = 24, seed = 4, batch = 4); minimize = y }\nout x = s.best.x\nout y = s.best.y\nout t = s.trials',
		head='task f { in x: float; in k: int; out y: float; shell = python3; run = """\n  import os\n  x, k = float(os.environ["x"]), int(os.environ["k"])\n  open(os.environ["y"], "w").write(repr((x - 2) ** 2 + abs(k - 2)))\n""" }')
	first = box.run("-j4").ended(0).doc["outputs"]
	assert float(first["y"]) < 0.5 and abs(float(first["x"]) - 2) < 0.8, first["y"]
	assert [t["trial"] for t in first["t"]] == list(range(24))
	late = sorted(t["outputs"]["y"] for t in first["t"][12:])
	early = sorted(t["outputs"]["y"] for t in first["t"][:12])
	assert late[6] < early[6], (early, late)
	assert box.run("-j1").ended(0).doc["outputs"]["t"] == first["t"]


@case
def selection(box):
	"--until, --from, --force, -n, --explain and their mistakes"
	box.workflow('step a { out o: file; run = """echo a > "$o" """ }\nstep b { in o = a.o; out p: file; run = """cp "$o" "$p" """ }\nstep c { in p = b.p; out q: file; run = """cp "$p" "$q" """ }\nstep d { cache = on; out z: file; run = """echo d > "$z" """ }')
	r = box.run("--until", "b").ended(0)
	assert r.step("b")["status"] == "succeeded" and r.doc["steps"].get("c", {"status": "skipped"})["status"] == "skipped"
	box.run().ended(0)
	r = box.run("--from", "b").ended(0)
	assert [r.step(s)["cached"] for s in "abcd"] == [True, False, False, True], r.doc["steps"]
	r = box.run("--force", "d").ended(0)
	assert not r.step("d")["cached"] and r.step("b")["cached"]
	box.run("--force", "x").ended(2).says("no such step")
	box.run("--until", "bb").ended(2).says("did you mean 'b'")
	before = len(box.runs())
	r = box.run("-n").ended(0).says("would run a")
	assert "would run d" not in r.err
	box.workflow(box.read("w.cw").split("{", 1)[1].rsplit("}", 1)[0].replace("echo d", "echo dd"))
	r = box.run("--explain").ended(0).says("d runs: its identity has changed", r"echo d\b", "echo dd")
	assert before <= len(box.runs())


@case
def files_about(box):
	"--events, --trace and the report: well-formed, with what happened, and bad places for them end with exit 3"
	box.workflow('for i in range(3) { step a { in i; out n: int; run = """echo "<b>&amp; $i </script>"; echo "$i" > "$n" """ } }\nstep b { in all = a.n; retry = 1; run = """echo oops; exit 4""" }')
	box.run("--events", "e.jsonl", "--trace", "t.json").ended(6)
	events = [json.loads(line) for line in box.read("e.jsonl").splitlines()]
	kinds = [e["event"] for e in events]
	assert kinds[0] == "run_started" and kinds[-1] == "run_ended" and kinds.count("step_started") == 5 and kinds.count("attempt_failed") == 1, kinds
	assert events[-1]["exit_code"] == 6 and events[-1]["failed"] == 1
	trace = json.loads(box.read("t.json"))["traceEvents"]
	assert {t["name"] for t in trace} == {"a[0]", "a[1]", "a[2]", "b"} and all(t["dur"] > 0 for t in trace)
	box.do("report", "last", "-o", "r.html").ended(0)
	page = box.read("r.html")
	data = json.loads(page.split("const run = ", 1)[1].split(";\n", 1)[0])
	assert len(data["steps"]) == 4 and page.count("</script>") == 1
	by = {s["name"]: s for s in data["steps"]}
	assert by["b"]["exit"] == 4 and "oops" in by["b"]["log"] and by["b"]["deps"] == ["a"], by["b"]
	for flag in ("--events", "--trace", "--outputs-json"):
		box.run(flag, "/nonexistent/f").ended(3).says("/nonexistent/f cannot be written")
	box.do("report", "20200101").ended(2).says("couler runs")


@case
def wrong_usage(box):
	"options that make no sense: exit 2, with the option"
	box.workflow("step a { run = \"\"\"true\"\"\" }")
	for args in (["-j", "0"], ["-j", "x"], ["--load", "-1"], ["--resume", "nonesuch"], ["--nonesuch"], ["-p", "x=1"], ["w2.cw"]):
		r = box.run(*args)
		assert r.code == 2 and r.err, (args, r.code, r.err)


@case
def gpus(box):
	"steps that run at once have different GPUs, workers their share, others what the user has; free again afterwards"
	log = 'echo "in $CUDA_VISIBLE_DEVICES" >> %s/flag.log; sleep 0.2; echo "out $CUDA_VISIBLE_DEVICES" >> %s/flag.log' % (box.dir, box.dir)
	have = {"CUDA_VISIBLE_DEVICES": "GPU-a,3,GPU-c,-1,7"}
	box.workflow('for i in range(5) { step a { in i; resources { gpu = 1 }; run = """ %s """ } }\nfor i in range(2) { step b { in i; resources { gpu = 2 }; run = """ %s """ } }' % (log, log))
	box.run("-j5", env=have).ended(0)
	busy, most, seen = set(), 0, set()
	for line in box.read("flag.log").splitlines():
		what, names = line.split()
		for name in names.split(","):
			assert (name in busy) == (what == "out"), "%s twice, at %s" % (name, line)
			(busy.add if what == "in" else busy.remove)(name)
			seen.add(name)
		most = max(most, len(busy))
	assert seen == {"GPU-a", "3", "GPU-c"} and most >= 2, (seen, most)
	box.workflow('step t { out o: string; resources { gpu = 1 }; job pytorch { workers = 2; run = """ echo "$CUDA_VISIBLE_DEVICES" > "$o"; echo "$RANK has $CUDA_VISIBLE_DEVICES" """ } }\n'
		'step u { out o: string; run = """ echo "$CUDA_VISIBLE_DEVICES" > "$o" """ }\nstep v { out o: string; resources { gpu = 9 }; run = """ echo "$CUDA_VISIBLE_DEVICES" > "$o" """ }')
	r = box.run("-j2", env=have).ended(0).says("asks for 9 gpus, this machine has 3")
	assert r.step("t")["outputs"]["o"] == "GPU-a" and "1 has 3\n" in box.do("logs", "last", "t").out
	assert r.step("u")["outputs"]["o"] == have["CUDA_VISIBLE_DEVICES"] and r.step("v")["outputs"]["o"] == "GPU-a,3,GPU-c"


# ---- GNU make's jobserver ----

SHARED = """
SHELL = /bin/sh
all: %s
%s:
	@echo start $(N)$@ $$(date +%%s.%%N) >> log; sleep 0.3; echo end $(N)$@ $$(date +%%s.%%N) >> log
"""


def width(box):
	"(most at once, how many) of what wrote 'start X TIME' and 'end X TIME' to log"
	at = sorted((float(line.split()[2]), 1 if line.startswith("start") else -1) for line in box.read("log").splitlines())
	now = most = 0
	for _, d in at:
		now += d
		most = max(most, now)
	os.remove(box.path("log"))
	return most, len(at) // 2


def logging(box, n):
	box.workflow('for i in range(%d) { step s { in i; run = """\n  echo "start s$i $(date +%%s.%%N)" >> %s/log; sleep 0.3; echo "end s$i $(date +%%s.%%N)" >> %s/log\n""" } }' % (n, box.dir, box.dir))


def make(box, *args, env=None):
	return subprocess.run(["make", *args], cwd=box.dir, env={**box.env, **(env or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
		timeout=60, text=True, check=False)


@case
def under_make(box):
	"make -j3 runs couler, which asks for 4, and recipes beside it: never more than 3 at once, and make gets all its slots back"
	logging(box, 6)
	box.put("Makefile", SHARED % ("c a b d", "a b d") + "c:\n\t+%s run -q -j4 -k w.cw\n" % box.couler)
	p = make(box, "-j3", "-s")
	assert p.returncode == 0 and not p.stdout, p.stdout
	assert width(box) == (3, 9)
	box.workflow('step bad { run = """sleep 0.2; exit 3""" }\nfor i in range(4) { step s { run = """sleep 1""" } }')
	p = make(box, "-j3", "-s", "-k")
	assert p.returncode == 2 and "INTERNAL" not in p.stdout, p.stdout
	assert width(box)[1] == 3


@case
def make_keeps_its_jobs(box):
	"a recipe without + cannot reach make's jobs: a line says so, and the run goes on"
	logging(box, 2)
	box.put("Makefile", "c:\n\t%s run -j2 w.cw\n" % box.couler)
	p = make(box, "-j3", "-s")
	assert p.returncode == 0 and "begin its line with +" in p.stdout, p.stdout
	box.run(env={"MAKEFLAGS": " -j4 --jobserver-auth=fifo:/nowhere/at/all"}).ended(0).says(r"begin its line with \+")
	box.run(env={"MAKEFLAGS": " -j4 --jobserver-auth=17,x"}).ended(0).says(r"begin its line with \+")
	box.run(env={"MAKEFLAGS": "k -- X=1"}).ended(0).never_says(r"begin its line")


@case
def named_pipe(box):
	"the jobs of make 4.4 and later are in a named pipe: two bytes are three steps at once, and they are there afterwards"
	logging(box, 6)
	os.mkfifo(box.path("jobs"))
	fd = os.open(box.path("jobs"), os.O_RDWR | os.O_NONBLOCK)
	os.write(fd, b"ab")
	env = {"MAKEFLAGS": "k -j3 --jobserver-auth=fifo:%s -- CC=none" % box.path("jobs")}
	box.run("-j6", env=env).ended(0)
	assert width(box) == (3, 6) and sorted(os.read(fd, 10)) == sorted(b"ab")
	os.write(fd, b"ab")
	box.workflow('step s { out o: string; run = """echo "$MAKEFLAGS" > "$o" """ }\nfor i in range(3) { step t { run = """sleep 20""" } }')
	r = box.run("-j6", "--until", "s", env=env)
	assert r.step("s")["outputs"]["o"] == " -j --jobserver-auth=fifo:" + box.path("jobs")
	box.workflow('for i in range(3) { step t { run = """echo x > %s/flag$COULER_ATTEMPT; sleep 20""" } }' % box.dir)
	old = dict(box.env)
	box.env.update(env)
	p = box.start("-j6")
	box.env = old
	box.wait_for("flag1")
	time.sleep(0.3)
	p.send_signal(signal.SIGINT)
	p.communicate()
	assert sorted(os.read(fd, 10)) == sorted(b"ab")
	os.close(fd)


@case
def make_in_steps(box):
	"two steps run make each: with -j3 never more than three recipes at once, with MAKEFLAGS of their own as they say; bytes that a killed make had come back"
	box.put("inner.mk", (SHARED % ("1 2 3 4", "1 2 3 4")).replace("log", box.path("log")))
	box.workflow('''step a { code = ["inner.mk"]; run = """ make -s -f inner.mk N=a """ }
step b { code = ["inner.mk"]; run = """ make -s -f inner.mk N=b """ }''')
	box.run("-j3").ended(0)
	assert width(box) == (3, 8)
	box.run("-j1").ended(0)
	assert width(box) == (1, 8)
	box.workflow('step a { code = ["inner.mk"]; env { MAKEFLAGS = "" }; run = """ make -s -f inner.mk N=a """ }')
	box.run("-j3").ended(0)
	assert width(box) == (1, 4)
	box.workflow('''step a { allow_failure = true; code = ["inner.mk"]; run = """ make -s -f inner.mk N=a & sleep 0.15; kill -9 $! $$ """ }
step b { after = [a?]; code = ["inner.mk"]; run = """ make -s -f inner.mk N=b """ }''')
	r = box.run("-j3").ended(0)
	assert r.step("a")["exit_code"] == 137
	box.put("log", "".join(line + "\n" for line in box.read("log").splitlines() if " b" in line))
	assert width(box) == (3, 4), r.err
	box.workflow('step a { run = """ exit 1 """ }')
	box.run("-j3").ended(6)
	assert "MAKEFLAGS" not in open(os.path.join(box.path(".couler", "runs"), box.runs()[-1], "failed", "a", "again.sh"), encoding="utf-8").read()


if __name__ == "__main__":
	sys.exit(main(sys.argv))
