#!/usr/bin/env python3
"""Steps in containers: containers.py COULER [WORD...]

podman, docker and apptainer are played by engine.py, which checks their command lines and runs the command here.
Where a real one is on PATH and works, the same step also runs in it; the first line says which.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from fault import case, main

HERE = os.path.dirname(os.path.abspath(__file__))


def engine(box, *names):
	"The stand-in under these names, before all else on PATH."
	os.makedirs(box.path("bin"), exist_ok=True)
	os.makedirs(box.path("engine"), exist_ok=True)
	for name in names:
		shutil.copy(os.path.join(HERE, "engine.py"), box.path("bin", name))
	box.env["PATH"] = box.path("bin") + ":" + box.env["PATH"]
	box.env["ENGINE_DIR"] = box.path("engine")


def calls(box):
	with open(box.path("engine", "calls.jsonl"), encoding="utf-8") as f:
		found = [json.loads(line) for line in f]
	os.remove(box.path("engine", "calls.jsonl"))
	return found


WORK = '''step a { image = "python:3.12-slim"; in words: string = "it's \\"so\\", =\\n$HOME"; in src: file = "in,put.txt"; out o: file; out n: int = stdout; env { WHO = "me" };
  run = """
    test "$words" = "$(printf 'it'"'"'s "so", =\\n$HOME')" || test -n "$words"
    { cat "$src"; echo "$WHO"; } > "$o"
    echo 3
    echo "home $HOME, $USERX" >&2
  """ }
step b { image = "alpine@sha256:00"; in o = a.o; in all = [a.o, a.o]; code = ["lib.sh"]; out t: string; command = ["sh", "./lib.sh", "${o}", "${all}", "${t}"] }
step host { in t = b.t; out u: string; run = """echo "$t on the host" > "$u" """ }'''


@case
def all_engines(box):
	"inputs, outputs, code, lists, values of any bytes; what each engine is told; nothing of the host's environment gets in"
	engine(box, "podman", "docker", "apptainer")
	box.put("in,put.txt", "source\n")
	box.put("lib.sh", 'cat "$1" "$2"/000001 | wc -l | tr -d " " > "$3"\n')
	box.workflow(WORK.replace("$USERX", "${UNDECLARED-nothing undeclared}"))
	for name in ("podman", "docker", "apptainer"):
		shutil.rmtree(box.path(".couler"), ignore_errors=True)
		r = box.run("--container=" + name, env={"UNDECLARED": "x", "APPTAINERENV_UNDECLARED": "x"}).ended(0).says("host has no image, so it runs on this machine itself")
		assert r.step("a")["outputs"]["n"] == "3" and r.step("host")["outputs"]["u"] == "4 on the host", r.doc
		a, b = calls(box)
		tmp = a["env"]["CW_TMP"]
		assert a["env"]["words"] == "it's \"so\", =\n$HOME" and a["env"]["WHO"] == "me" and a["env"]["HOME"] == tmp, a["env"]
		assert not {"USER", "ENGINE_DIR", "UNDECLARED", "MAKEFLAGS", "LC_ALL"} & set(a["env"]), a["env"]
		assert a["mounts"][os.path.dirname(tmp)][2] == "rw" and a["mounts"][box.path("in,put.txt")] == ["bind", box.path("in,put.txt"), "ro"], a["mounts"]
		assert b["mounts"][box.path(".couler", "blobs")][2] == "ro" and box.path("in,put.txt") not in b["mounts"]
		assert "nothing undeclared" in box.do("logs", "last", "a").out
		if name == "apptainer":
			assert a["verb"] == "exec" and a["image"] == "docker://python:3.12-slim" and a["opts"]["network"] == "none" and a["opts"]["containall"]
			assert a["opts"]["pwd"] == tmp and b["opts"]["pwd"].endswith("/c")
			continue
		assert a["image"] == "python:3.12-slim" and a["opts"]["entrypoint"] == "sh" and a["words"][:2] == ["-eu", "-c"] and a["opts"]["network"] == "none"
		assert a["opts"]["rm"] and a["opts"]["init"] and "workdir" not in a["opts"] and b["opts"]["workdir"].endswith("/c")
		assert ("user" in a["opts"]) == (name == "docker") and "it's" not in " ".join(a["argv"]), "values stand in the list of processes"
	r = box.run("--container=apptainer").ended(0)
	assert r.step("b")["cached"]
	assert not box.run().ended(0).step("b")["cached"], "what a container gave was taken for what the host gives"


@case
def entrypoint_and_mounts(box):
	"args go to the image's own entry point; volumes live as long as the run, claims are the engine's; secrets and configs as folders, read-only"
	engine(box, "podman", "apptainer")
	os.makedirs(box.path("secrets", "aws"))
	box.put("secrets/aws/key", "hidden")
	body = '''volume scratch { size = 1Gi }
%s
step a { image = "curlimages/curl"; in x: int = 4; args = ["--lr", "${x}"]; mounts { "/data" = scratch; "/cred" = secret("aws")%s } }
step b { after = [a]; image = "alpine"; mounts { "/data" = scratch }; run = """true""" }'''
	box.workflow(body % ('volume theirs { claim = "models" }', '; "/models" = theirs'))
	box.run().ended(4).says("run with --container=podman")
	env = {"CW_SECRETS": box.path("secrets")}
	box.run("--container=podman", env=env).ended(0)
	a, b = calls(box)
	assert a["words"] == ["--lr", "4"] and "entrypoint" not in a["opts"] and "entry point: --lr 4" in box.do("logs", "last", "a").out
	assert a["mounts"]["/models"] == ["volume", "models", "rw"] and a["mounts"]["/cred"] == ["bind", box.path("secrets", "aws"), "ro"]
	assert a["mounts"]["/data"] == b["mounts"]["/data"] and a["mounts"]["/data"][1].startswith(box.path(".couler", "runs"))
	assert not os.path.exists(a["mounts"]["/data"][1]), "a volume of the run is left"
	box.run("--container=podman").ended(6).says('secret "aws" is mounted; set CW_SECRETS')
	box.run("--container=podman", env={"CW_SECRETS": box.dir}).ended(6).says('secret "aws" is mounted, but .*/aws is no folder')
	box.run("--container=apptainer", env=env).ended(6).says("apptainer has no volumes with names")
	box.workflow(body % ("", ""))
	box.run("--container=apptainer", env=env).ended(0)
	a = calls(box)[0]
	assert a["verb"] == "run" and a["words"] == ["--lr", "4"]
	box.workflow('step a { args = ["x"]; in x: int = 1 }')
	assert box.run("--container=podman").code in (1, 4)


@case
def network(box):
	"none unless declared: by a label, by a service, for all by --network; a step that failed without one is told so"
	engine(box, "docker")
	box.workflow('step a { image = "x"; labels { network = "host" }; run = """true""" }\nstep b { image = "x"; allow_failure = true; run = """exit 7""" }\nstep c { image = "x"; resources { limit_cpu = 1.5; limit_memory = 2Gi }; run = """true""" }')
	r = box.run("--container=docker", "-j1").ended(0).says(r'containers have no network unless it is declared: labels \{ network = "host" \}')
	assert r.step("b")["exit_code"] == 7
	by = {c["opts"]["network"]: c for c in calls(box)}
	assert set(by) == {"host", "none"}
	box.run("--container=docker", "--network", "--force", "c").ended(0).never_says("no network")
	last = [c for c in calls(box) if "cpus" in c["opts"]]
	assert last[0]["opts"]["cpus"] == "1.5" and last[0]["opts"]["memory"] == "2147483648b" and last[0]["opts"]["network"] == "host"
	box.workflow('service db { image = "postgres"; port = 18091; env { ENTRY = "exec python3 -m http.server --bind 127.0.0.1 18091" } }\nstep a { image = "x"; in at = db.address; out s: string; run = """echo "$at" > "$s" """ }')
	r = box.run("--container=docker").ended(0)
	assert r.step("a")["outputs"]["s"] == "127.0.0.1:18091"
	db, a = calls(box)
	assert db["image"] == "postgres" and "entrypoint" not in db["opts"] and db["opts"]["network"] == a["opts"]["network"] == "host"
	box.nobody_left(3)


@case
def faults(box):
	"no engine, no image, no program in the image; a failed step's again.sh starts the container again"
	box.workflow('step a { image = "x"; run = """exit 4""" }')
	box.env["PATH"] = os.pathsep.join(p for p in box.env["PATH"].split(":") if not any(os.path.exists(p + "/" + e) for e in ("podman", "docker", "apptainer")))
	box.run("--container=podman").ended(3).says("there is no program 'podman' on PATH")
	box.run("--container=lxc").ended(2).says("--container takes podman, docker or apptainer, not 'lxc'")
	engine(box, "podman", "apptainer")
	box.run("--container=podman").ended(6)
	again = os.path.join(box.path(".couler", "runs"), box.runs()[-1], "failed", "a", "again.sh")
	assert subprocess.run(["sh", again], env=box.env, check=False).returncode == 4 and len(calls(box)) == 2
	box.workflow('step a { image = "nowhere/x"; retry { limit = 1; on = error }; run = """true""" }')
	r = box.run("--container=podman").ended(6).says("its container could not be started", "no such image").never_says("no network")
	assert r.step("a")["attempts"] == 2 and r.step("a")["exit_code"] == 125
	box.workflow('step a { image = "x"; command = ["nonesuch"] }')
	assert box.run("--container=podman").ended(6).step("a")["exit_code"] == 127


@case
def killed(box):
	"a timeout, Ctrl-C twice, kill -9 of couler: no container is left, also one that ignores signals"
	engine(box, "docker")
	box.workflow('step a { image = "x"; timeout = 1s; run = """sleep 60""" }')
	assert box.run("--container=docker").ended(6).step("a")["exit_code"] == 124
	box.nobody_left(2)
	box.workflow('step a { image = "x"; run = """trap "" TERM INT; echo up > %s/flag; while :; do sleep 1; done""" }' % box.dir)
	for how in ("int", "kill"):
		p = box.start("--container=docker")
		box.wait_for("flag")
		os.remove(box.path("flag"))
		if how == "kill":
			p.kill()
		else:
			p.send_signal(signal.SIGINT)
			time.sleep(0.3)
			p.send_signal(signal.SIGINT)
		p.communicate()
		box.nobody_left(5)
		assert not [f for f in os.listdir(box.path("engine")) if f.startswith("couler-")]


@case
def workers(box):
	"each worker of a job has a container of its own, with its rank and its GPU"
	engine(box, "podman", "docker")
	box.workflow('step t { image = "torch"; out o: string; job pytorch { workers = 2; run = """echo "rank $RANK of $WORLD_SIZE" > "$o" """ } }')
	assert box.run("--container=podman").ended(0).step("t")["outputs"]["o"] == "rank 0 of 2"
	two = calls(box)
	assert sorted(c["env"]["RANK"] for c in two) == ["0", "1"] and two[0]["opts"]["name"] != two[1]["opts"]["name"] and two[0]["opts"]["network"] == "host"
	box.workflow(box.read("w.cw").split("{", 1)[1].rsplit("}", 1)[0].replace("out o", "resources { gpu = 1 }; out o") + 'step u { image = "x"; resources { gpu = 2 }; run = """true""" }')
	box.run("--container=podman", env={"CUDA_VISIBLE_DEVICES": "4,5"}).ended(0)
	three = calls(box)
	assert sorted(c["opts"]["device"] for c in three) == ["nvidia.com/gpu=4", "nvidia.com/gpu=5", "nvidia.com/gpu=5"] and not any("CUDA_VISIBLE_DEVICES" in c["env"] for c in three)
	box.run("--container=docker", "--until", "u", env={"CUDA_VISIBLE_DEVICES": "4,5"}).ended(0)
	assert calls(box)[0]["opts"]["gpus"] == '"device=4,5"'


def works(name):
	return shutil.which(name) and not subprocess.run([name, "info"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=60).returncode


REAL = [e for e in ("podman", "docker", "apptainer") if works(e)]
DEAD = [e for e in ("podman", "docker") if shutil.which(e) and e not in REAL]


if REAL:
	@case
	def real(box):
		"a small image, in the engines that are here"
		for name in REAL:
			box.workflow('step a { image = "docker.io/library/busybox:1.36"; in x: string = "a b"; out o: string; run = """ echo "$x: $(id -u)" > "$o" """ }')
			assert box.run("--container=" + name, "--force", "a", timeout=300).ended(0).step("a")["outputs"]["o"] == "a b: %d" % os.geteuid()


if DEAD:
	@case
	def asleep(box):
		"an engine whose daemon does not answer: a fault of the machine, not of the step, with its own words"
		box.workflow('step a { image = "busybox"; retry { limit = 1; on = error }; run = """true""" }')
		for name in DEAD:
			r = box.run("--container=" + name).ended(6).says("its container could not be started")
			assert r.step("a")["attempts"] == 2, r.doc


if __name__ == "__main__":
	print("real engines: %s; on PATH without a daemon: %s" % (", ".join(REAL) or "none", ", ".join(DEAD) or "none"))
	sys.exit(main(sys.argv))
