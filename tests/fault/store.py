#!/usr/bin/env python3
"""Disks, clocks and damaged results: store.py COULER [WORD...]"""
import glob
import os
import shutil
import subprocess
import sys
import time

from fault import Box, case, finish, main

HERE = os.path.dirname(os.path.abspath(__file__))


def on_small_disk(size, script):
	"""Words that run a command with `disk` of the current folder as a file system of its own."""
	return ["unshare", "-rm", "sh", "-ec", 'mkdir -p disk; mount -t tmpfs -o size=%s none disk; %s' % (size, script), "sh"]


TWO = '''step a { in n: int = 1; cache = on; out o: file; run = """echo "of $n"; echo "value $n" > "$o" """ }
step b { in o = a.o; cache = on; out s: string; run = """cat "$o" > "$s" """ }'''


@case
def disk_full_of_output(box):
	"the disk is full when a step writes: the step fails with what it said, couler ends in order, later all is well"
	box.workflow('step a { cache = on; out o: file; run = """head -c 40000000 /dev/zero > "$o" """ }\nstep b { out o: string; run = """echo b > "$o" """ }')
	r = box.run(wrap=on_small_disk("8m", '"$@" --cache disk; code=$?; exit $code'))
	r.ended(6).says(r"the disk of .*/runs/\S+ is full")
	box.run().ended(0)


@case
def disk_full_of_store(box):
	"the disk is full when couler keeps results: exit 3 or a failed step, the path, and no half result"
	box.workflow('for i in range(64) {\n step a { in i; cache = on; out o: file; run = """head -c 100000 /dev/zero | tr "\\\\0" "$((i % 10))" > "$o"; echo "$i" >> "$o" """ }\n}')
	keep = 'cp -r disk "$PWD/kept" 2>/dev/null || true'
	r = box.run("-j2", wrap=on_small_disk("3m", 'code=0; "$@" --cache disk || code=$?; %s; exit $code' % keep))
	assert r.code in (3, 6), (r.code, r.err)
	r.says("No space left on device")
	v = box.do("cache", "verify", "--cache", "kept")
	assert v.code in (0, 1), v.err
	done = box.run("--cache", "kept").ended(0)
	for i in range(64):
		path = done.step("a[%d]" % i)["outputs"]["o"]["path"]
		with open(path, "rb") as f:
			assert f.read() == str(i % 10).encode() * 100000 + b"%d\n" % i, path


@case
def disk_full_from_the_start(box):
	"no room even for the journal: exit 3 with the path"
	box.workflow(TWO)
	box.run(wrap=on_small_disk("64k", 'head -c 1000000 /dev/zero > disk/full || true; "$@" --cache disk')).ended(3).says("disk.*: No space left on device")


@case
def disk_read_only(box):
	"a read-only cache: exit 3, with the path and another way"
	box.workflow(TWO)
	box.run(wrap=on_small_disk("1m", 'mount -o remount,ro disk; "$@" --cache disk/cache')).ended(3).says("disk/cache.*: Read-only file system", "--cache DIR|COULER_CACHE")


@case
def disk_read_only_later(box):
	"a cache that becomes read-only between runs: exit 3"
	box.workflow(TWO)
	box.run(wrap=on_small_disk("1m", '"$@" --cache disk/cache 2>/dev/null; mount -o remount,ro disk; "$@" --cache disk/cache')).ended(3).says("disk/cache.*: Read-only file system")


@case
def cache_is_a_file(box):
	"--cache names a file: exit 3"
	box.workflow(TWO)
	box.put("kept", "")
	box.run("--cache", "kept").ended(3).says("kept.*: (Not a directory|File exists)")


@case
def cache_without_permission(box):
	"a cache of somebody else: exit 3 (as root the kernel allows it: then through nobody)"
	box.workflow(TWO)
	os.mkdir(box.path("kept"), 0o555)
	os.chmod(box.dir, 0o777)
	wrap = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] if os.getuid() == 0 else []
	if wrap and subprocess.run([*wrap, box.couler, "version"], capture_output=True).returncode:
		shutil.copy(box.couler, box.path("couler"))                         # where nobody may reach it
		box.couler = box.path("couler")
	box.run("--cache", "kept", wrap=wrap).ended(3).says("kept.*: Permission denied")


@case
def tmpdir_unwritable(box):
	"TMPDIR of the caller does not matter: each step has its own"
	box.workflow('step a { out s: string; run = """t=$(mktemp); echo "$TMPDIR $CW_TMP" > "$s"; case $t in "$CW_TMP"/*) ;; *) exit 1;; esac""" }')
	for bad in ("/nonexistent", "/proc", ""):
		a, b = box.run(env={"TMPDIR": bad}).ended(0).step("a")["outputs"]["s"].split()
		assert a == b and a.startswith(box.dir)


@case
def no_home(box):
	"without HOME, USER and PATH"
	box.workflow(TWO)
	box.env = {}
	box.run().ended(0)


# ---- damage ----


def blob(box, step):
	path = box.doc()["steps"][step]["outputs"]["o"]["path"]
	assert "/blobs/" in path, path
	return path


def damage(path, how):
	os.chmod(path, 0o644)
	before = os.stat(path)
	with open(path, "r+b") as f:
		if how == "byte":
			f.write(b"X")
		elif how == "short":
			f.truncate(3)
		elif how == "empty":
			f.truncate(0)
	if how == "same times":
		with open(path, "r+b") as f:
			f.write(b"X")
		os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
	elif how == "gone":
		os.remove(path)


@case
def blob_damaged(box):
	"a damaged or missing object is never reused: the step runs again and says so; verify finds it"
	box.workflow(TWO)
	for how in ("byte", "short", "empty", "same times", "gone"):
		box.run().ended(0)
		path = blob(box, "a")
		damage(path, how)
		v = box.do("cache", "verify")
		assert v.code == 1, (how, v.code, v.out)
		r = box.run().ended(0).says(r"\ba: what was kept of it is damaged or gone; it runs again")
		assert not r.step("a")["cached"], how
		assert r.step("b")["outputs"]["s"] == "value 1"
		assert box.do("cache", "verify").code == 0


@case
def tree_damaged(box):
	"the same of a directory: a file more, less, changed"
	box.workflow('step a { cache = on; out d: dir; run = """mkdir "$d" "$d/x"; echo 1 > "$d/one"; echo 2 > "$d/x/two" """ }\n'
		'step b { in d = a.d; out s: string; run = """cat "$d/one" "$d/x/two" | tr "\\\\n" , > "$s"; ls "$d" | wc -l >> "$s" """ }')
	for how in ("more", "less", "changed", "list"):
		d = box.run().ended(0).step("a")["outputs"]["d"]["path"]
		subprocess.run(["chmod", "-R", "u+w", os.path.dirname(d)], check=True)
		if how == "more":
			open(os.path.join(d, "three"), "w").close()
		elif how == "less":
			os.remove(os.path.join(d, "one"))
		elif how == "changed":
			with open(os.path.join(d, "x", "two"), "w") as f:
				f.write("3\n")
		else:
			with open(os.path.join(os.path.dirname(d), "m"), "a") as f:
				f.write("x")
		r = box.run().ended(0)
		assert r.step("b")["outputs"]["s"].split() == ["1,2,2"], (how, r.step("b"))


@case
def records_damaged(box):
	"actions, keys, memo, history and journals: cut, overwritten, emptied; runs go on, nothing false is reused"
	box.workflow(TWO)
	for name in ("actions", "keys", "memo", "history.db", "history.db-wal"):
		for how in ("cut", "noise", "empty"):
			box.run().ended(0)
			for path in glob.glob(box.path(".couler", name)):
				size = os.path.getsize(path)
				with open(path, "r+b") as f:
					if how == "cut":
						f.truncate(size * 2 // 3)
					elif how == "empty":
						f.truncate(0)
					else:
						f.seek(size // 3)
						f.write(os.urandom(max(1, size // 3)))
			r = box.run().ended(0)
			assert r.step("b")["outputs"]["s"] == "value 1", (name, how)
			assert box.do("runs").code == 0, (name, how)
			assert box.do("cache", "ls").code == 0, (name, how)
			assert box.run().ended(0).step("a")["cached"], (name, how)


@case
def journal_damaged(box):
	"resume from a journal with a torn end, or with noise in it: what is whole is taken over"
	box.workflow('for i in range(20) {\n step a { in i; out n: int; run = """echo "$i" > "$n" """ }\n}\nstep b { in all = a.n; out s: string; run = """test -e %s && echo "$all" > "$s" """ }' % box.path("go"))
	box.run().ended(6)
	journal = box.path(".couler", "runs", box.runs()[-1], "journal")
	size = os.path.getsize(journal)
	with open(journal, "r+b") as f:
		f.truncate(size - 7)
		f.seek(size // 2)
		f.write(b"\xff" * 64)
	box.put("go", "")
	r = box.run("--resume", "last").ended(0)
	cached = sum(r.step("a[%d]" % i)["cached"] for i in range(20))
	assert 8 <= cached < 20, cached
	assert r.step("b")["outputs"]["s"] == str(list(range(20))).replace(" ", "")


@case
def run_folders_removed(box):
	"somebody removed the folders of runs, or all of the cache"
	box.workflow(TWO)
	box.run().ended(0)
	shutil.rmtree(box.path(".couler", "runs"))
	assert box.run().ended(0).step("a")["cached"]
	shutil.rmtree(box.path(".couler"))
	assert not box.run().ended(0).step("a")["cached"]
	box.run("--resume", "20990101-000000-0000").ended(2).says("20990101-000000-0000")


# ---- two at once ----


@case
def two_runs(box):
	"two runs in one folder at once: both succeed, both keep their results"
	box.workflow('for i in range(40) {\n step a { in i; cache = on; out o: file; run = """sleep 0.02; echo "$i" > "$o" """ }\n}\n'
		'step b { in all = a.o; out n: int; run = """cat "$all"/* | wc -l > "$n" """ }')
	other = Box(box.couler, "two_runs")
	try:
		runs = [subprocess.Popen([*box.argv("-j2")[:3], "--outputs-json", "out%d.json" % k], cwd=box.dir, env=box.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for k in range(4)]
		for p in runs:
			finish(p).ended(0)
	finally:
		other.clean()
	assert box.run().ended(0).doc["steps"]["a[39]"]["cached"]
	assert box.do("cache", "verify").code == 0
	assert box.do("runs", "--json").out.count("succeeded") == 5


@case
def gc_beside_a_run(box):
	"gc of everything while a run goes on takes nothing that the run has"
	box.workflow('for i in range(60) {\n step a { in i; out o: file; run = """sleep 0.03; echo "$i" > "$o" """ }\n}\n'
		'step b { in all = a.o; out n: int; run = """cat "$all"/* | wc -l > "$n" """ }')
	p = box.start("-j2")
	time.sleep(0.3)
	n = 0
	while p.poll() is None:
		box.do("cache", "gc", "--max-size", "0")
		n += 1
	r = finish(p).ended(0)
	assert n > 2 and box.doc()["steps"]["b"]["outputs"]["n"] == "60", (n, r.err)


# ---- clocks ----


def shim(box):
	so = box.path("clock.so")
	subprocess.run([os.environ.get("CC", "cc").split()[-1], "-shared", "-fPIC", "-o", so, os.path.join(HERE, "clock.c"), "-ldl"], check=True)
	return so


@case
def clock_jumps(box):
	"a wall clock that leaps forth and back within a run: timeouts, waits and order are by the monotonic clock"
	box.workflow('step a { timeout = 20s; out o: string; run = """sleep 0.3; echo "$COULER_ATTEMPT" > "$o" """ }\nwait w { for = 1s; after = [a] }\nstep c { after = [w]; cache = on; out o: file; run = """echo > "$o" """ }')
	so = shim(box)
	for jump in ("3600", "-3600", "100000000"):
		start = time.monotonic()
		r = box.run(env={"LD_PRELOAD": so, "CLOCK_JUMP": jump}).ended(0)
		assert 1 < time.monotonic() - start < 15 and r.step("a")["outputs"]["o"] == "1"
		assert box.do("report", "last", "-o", "r.html").code == 0
	assert box.run().ended(0).step("c")["cached"]


@case
def clock_goes_back(box):
	"a run that started before the one before it: `last` is still the last, and an edit is still seen"
	so = shim(box)
	box.put("data.txt", "one\n")
	box.workflow('param f: file = "data.txt"\nstep a { in f; out s: string; run = """cat "$f" > "$s" """ }\nstep b { in s = a.s; run = """test "$s" = two""" }')
	box.run(env={"LD_PRELOAD": so, "CLOCK_OFFSET": "86400"}).ended(6)
	box.put("data.txt", "two\n")
	box.run().ended(0)
	box.put("data.txt", "one\n")
	box.run().ended(6)
	last = box.do("runs", "--json").out.strip().splitlines()[-1]
	assert "failed" in last
	r = box.do("resume", "last").ended(6).says("a reused")
	assert box.runs()[-1] in r.err, "the newest run is not the last one by name"


@case
def clock_and_ttl(box):
	"a ttl is by the wall clock; a result of the future is not kept for ever"
	box.workflow('step a { cache { mode = on; ttl = 1h }; out o: file; run = """date > "$o" """ }')
	so = shim(box)
	assert not box.run().ended(0).step("a")["cached"]
	assert box.run().ended(0).step("a")["cached"]
	assert not box.run(env={"LD_PRELOAD": so, "CLOCK_OFFSET": "7200"}).ended(0).step("a")["cached"]
	assert not box.run().ended(0).step("a")["cached"], "kept by a clock that was two hours ahead"


@case
def logs_of_another(box):
	"the log of a step that was reused, or that another one stands for, is found and said whose it is"
	box.workflow('step a { cache = on; out o: file; run = """echo "from a"; echo x > "$o" """ }\n'
		'step b { cache = on; out o: file; run = """echo "from a"; echo x > "$o" """ }\n'
		'for i in range(2) {\n step c { in i; cache = on; run = """echo "c$i" """ }\n step d { in i; cache = on; run = """echo "c$i" """ }\n}')
	for k in range(2):
		box.run("-O1").ended(0)
		r = box.do("logs", "last", "b").ended(0).says("'b' is the same as 'a', which ran in its place")
		assert r.out == "from a\n", r.out
		r = box.do("logs", "last", "d[1]").ended(0).says(r"'d\[1\]' is the same as 'c\[1\]'")
		assert r.out == "c1\n", r.out
		r = box.do("logs", "last", "a").ended(0)
		assert r.out == "from a\n" and ("was reused from run %s" % box.runs()[0] in r.err) == (k > 0), (r.out, r.err)
	assert box.do("cache", "why", "b").ended(0).out.startswith("b is the same as a, which runs in its place\nidentity of a:\n")
	box.do("logs", "last", "e").ended(1).says("has no log of 'e'")
	shutil.rmtree(box.path(".couler", "runs", box.runs()[0]))
	box.do("logs", "last", "a").ended(1).says("reused 'a' from run .*, where it wrote nothing or whose logs are gone")


@case
def outputs_to_nowhere(box):
	"a file that cannot be written is said before anything runs"
	box.workflow(TWO)
	os.mkdir(box.path("folder"))
	box.do("run", "w.cw", "--outputs-json", "").ended(2).says("takes the name of a file")
	box.do("run", "w.cw", "--trace", "folder").ended(2).says("folder is a folder")
	box.do("run", "w.cw", "--events", "missing/e.json").ended(3).says("missing/e.json cannot be written: missing: No such file or directory")
	assert not os.path.exists(box.path(".couler"))


if __name__ == "__main__":
	sys.exit(main(sys.argv))
