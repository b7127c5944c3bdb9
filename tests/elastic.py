#!/usr/bin/env python3
"""The runtime of elastic input pipelines under faults: elastic.py COULER [NAME...]

Every test runs a real broker with real workers and compares what the trainer got with what it should have got.
Last line: `N passed, N failed`.
"""
import collections
import glob
import hashlib
import io
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import time

COULER = os.path.abspath(sys.argv[1])
TESTS = []
MARK = "COULER_ELASTIC_TEST"


def test(f):
	TESTS.append(f)
	return f


class Place:
	"""A folder with splits, a trainer that keeps what it gets, and what ran in it."""

	def __init__(self):
		self.dir = tempfile.mkdtemp(prefix="couler-elastic-")
		self.data = os.path.join(self.dir, "data")
		os.mkdir(self.data)
		self.out = os.path.join(self.dir, "out")
		self.mark = "%s=%s" % (MARK, os.path.basename(self.dir))

	def lines(self, files, each):
		want = []
		for f in range(files):
			rows = ["%d-%d" % (f, i) for i in range(each)]
			want += rows
			with open("%s/%04d.txt" % (self.data, f), "w") as h:
				h.write("\n".join(rows) + ("\n" if f % 2 and rows else ""))
		return want

	def spec(self, ops, **more):
		names = {"records": -1}
		rows = []
		for i, (name, source, run, where) in enumerate(ops):
			names[name] = i
			rows.append({"name": name, "from": [names[s] for s in source.split()], "run": run, "on_worker": "w" in where, "ordered": "o" in where})
		spec = {"dataflow": 1, "task": "t", "split": "shards", "framing": "lines", "shell": "sh", "min": 1, "max": 3, "tick": 0.3, "ops": rows}
		spec.update(more)
		path = os.path.join(self.dir, "spec.json")
		with open(path, "w") as h:
			json.dump(spec, h)
		return path

	def env(self):
		return dict(os.environ, shards=self.data, out=self.out, **{MARK: os.path.basename(self.dir)})

	def start(self, spec, *args, env=None):
		self.figures = os.path.join(self.dir, "figures")
		return subprocess.Popen([COULER, "dataflow", "run", spec, "--figures", self.figures, *args], env=env or self.env(), cwd=self.dir,
			stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

	def run(self, spec, *args, timeout=60):
		p = self.start(spec, *args)
		try:
			said = p.communicate(timeout=timeout)[0]
		except subprocess.TimeoutExpired:
			p.kill()
			raise AssertionError("still running after %d s: %s" % (timeout, p.communicate()[0]))
		return p.returncode, said

	def got(self):
		with open(self.out) as h:
			return h.read().splitlines()

	def processes(self):
		"""Processes that carry the mark of this place."""
		found = []
		for path in glob.glob("/proc/[0-9]*/environ"):
			try:
				with open(path, "rb") as h:
					if self.mark.encode() in h.read().split(b"\0"):
						pid = int(path.split("/")[2])
						with open("/proc/%d/stat" % pid) as s:
							if s.read().rsplit(")", 1)[1].split()[0] != "Z":
								found.append(pid)
			except OSError:
				pass
		return [p for p in found if p != os.getpid()]

	def nothing_left(self, within=5):
		until = time.time() + within
		while self.processes() and time.time() < until:
			time.sleep(0.05)
		left = self.processes()
		for p in left:
			strike(p)
		assert not left, "left running: %s" % left

	def close(self):
		self.nothing_left()
		shutil.rmtree(self.dir, ignore_errors=True)


def once(got, want):
	a, b = collections.Counter(got), collections.Counter(want)
	assert a == b, "%d records, %d expected; lacking %s, too many %s" % (len(got), len(want), list((b - a).items())[:3], list((a - b).items())[:3])


KEEP = 'cat > "$out"'
SLOW = "while read -r x; do sleep 0.01; echo \"$x\"; done"


def command_of(pid):
	"""The arguments of a process, each with a zero byte behind it; none when it has ended."""
	try:
		with open("/proc/%d/cmdline" % pid, "rb") as h:
			return h.read()
	except OSError:
		return b""


def strike(pid, sig=signal.SIGKILL):
	"""Sends a signal; says whether the process was still there."""
	try:
		os.kill(pid, sig)
		return True
	except ProcessLookupError:
		return False


def workers_of(p):
	"""Pids of the workers of a broker."""
	found = []
	for path in glob.glob("/proc/[0-9]*/stat"):
		try:
			with open(path) as h:
				ppid = int(h.read().rsplit(")", 1)[1].split()[1])
			pid = int(path.split("/")[2])
			if ppid == p.pid and b"\0work\0" in command_of(pid):
				found.append(pid)
		except (OSError, IndexError):
			pass
	return found


@test
def chain(t):
	want = t.lines(40, 200)
	rc, said = t.run(t.spec([("a", "records", "sed 's/^/x/'", "w"), ("b", "a", "sed 's/$/y/'", "w"), ("trainer", "b", KEEP, "")]))
	assert rc == 0, said
	once(t.got(), ["x%sy" % w for w in want])


@test
def tee_and_merge(t):
	"""Two branches that meet again on the workers, one that meets the other only at the trainer."""
	want = t.lines(20, 300)
	ops = [("a", "records", "sed 's/^/a/'", "w"), ("b", "records", "sed 's/^/b/'", "w"), ("c", "a b", "sed 's/$/c/'", "w"), ("d", "a", "cat", ""), ("trainer", "c d records", KEEP, "")]
	rc, said = t.run(t.spec(ops))
	assert rc == 0, said
	once(t.got(), ["a%sc" % w for w in want] + ["b%sc" % w for w in want] + ["a%s" % w for w in want] + want)


@test
def nothing_on_workers(t):
	want = t.lines(7, 100)
	rc, said = t.run(t.spec([("a", "records", "sed 's/^/x/'", ""), ("trainer", "a", KEEP, "")], max=1))
	assert rc == 0, said
	once(t.got(), ["x" + w for w in want])


@test
def filters_and_multiplies(t):
	"""An operator may write fewer or more records than it reads."""
	want = t.lines(10, 100)
	rc, said = t.run(t.spec([("f", "records", "grep 7 || true", "w"), ("m", "f", "sed p", "w"), ("trainer", "m", KEEP, "")]))
	assert rc == 0, said
	once(t.got(), [w for w in want if "7" in w] * 2)


@test
def in_order(t):
	want = t.lines(30, 100)
	rc, said = t.run(t.spec([("a", "records", "sleep 0.0$(($$ % 10)); cat", "w"), ("o", "a", "cat", "o"), ("trainer", "o", KEEP, "")], min=3))
	assert rc == 0, said
	assert t.got() == want


@test
def in_order_with_kills(t):
	want = t.lines(12, 60)
	p = t.start(t.spec([("a", "records", SLOW, "w"), ("o", "a", "cat", "o"), ("trainer", "o", KEEP, "")], min=3, window=4096))
	rng = random.Random(3)
	seen, waited = 0, 0
	while p.poll() is None:
		time.sleep(0.4)
		w, waited = workers_of(p), waited + 1
		# on a busy machine a worker needs time for its first record
		size = os.path.getsize(t.out) if os.path.exists(t.out) else 0
		if w and p.poll() is None and (size > seen or waited > 7) and strike(rng.choice(w)):
			seen, waited = size, 0
	said = p.communicate()[0]
	assert p.returncode == 0, said
	assert t.got() == want


@test
def length_prefixed(t):
	rng = random.Random(1)
	want = []
	for f in range(8):
		with open("%s/%d" % (t.data, f), "wb") as h:
			for _ in range(50):
				r = rng.randbytes(rng.choice([0, 1, 17, 4000, 70000]))
				want.append(hashlib.sha256(r).hexdigest())
				h.write(struct.pack(">I", len(r)) + r)
	trainer = "python3 -c 'import sys,struct,hashlib,os\nwith open(os.environ[\"out\"],\"w\") as o:\n while (h:=sys.stdin.buffer.read(4)): o.write(hashlib.sha256(sys.stdin.buffer.read(struct.unpack(\">I\",h)[0])).hexdigest()+\"\\n\")'"
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("b", "a", "cat", "w"), ("trainer", "b records", trainer, "")], framing="length_prefixed"))
	assert rc == 0, said
	once(t.got(), want * 2)


@test
def tar(t):
	"""A sample of several members stays together, with long names and extended headers."""
	want = []
	for f in range(5):
		with tarfile.open("%s/%d.tar" % (t.data, f), "w", format=[tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT][f % 3]) as h:
			for i in range(20):
				stem = "%s%d_%d" % ("d/" if f % 2 else "", f, i) + ("x" * 120 if i % 7 == 0 and f % 3 != 2 else "")
				for ext, n in (("jpg", 700 * i), ("cls", 3), ("seg.png", 512)):
					m = tarfile.TarInfo("%s.%s" % (stem, ext))
					m.size = n
					h.addfile(m, io.BytesIO(bytes([i]) * n))
				want.append(stem)
	trainer = "python3 -c 'import sys,tarfile,os\nwith open(os.environ[\"out\"],\"w\") as o:\n for m in tarfile.open(fileobj=sys.stdin.buffer,mode=\"r|\"): o.write(m.name+\"\\n\")'"
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("trainer", "a", trainer, "")], framing="tar", min=3))
	assert rc == 0, said
	got = t.got()
	assert len(got) == 3 * len(want), (len(got), len(want))
	for i in range(0, len(got), 3):
		stem = got[i][:-len(".jpg")]
		assert got[i:i + 3] == [stem + ".jpg", stem + ".cls", stem + ".seg.png"], got[i:i + 3]
	once([g[:-4] for g in got[::3]], want)


@test
def epochs(t):
	want = t.lines(6, 50)
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("trainer", "a", KEEP, "")], epochs=3, min=2))
	assert rc == 0, said
	got = t.got()
	for e in range(3):
		once(got[e * 300:(e + 1) * 300], want)


def kill_while(t, every, files, each, sig=signal.SIGKILL, **more):
	"""Up to seven workers of a run are hit: on a slow machine the eighth could be the eighth over one split, which ends the run."""
	want = t.lines(files, each)
	p = t.start(t.spec([("a", "records", SLOW, "w"), ("trainer", "a", KEEP, "")], min=3, **more))
	rng = random.Random(9)
	kills = 0
	while p.poll() is None:
		time.sleep(every)
		w = workers_of(p)
		if w and kills < 7 and p.poll() is None and strike(rng.choice(w), sig):
			kills += 1
	said = p.communicate()[0]
	assert p.returncode == 0, said
	once(t.got(), want)
	assert kills, "nothing was killed"
	return said


@test
def kill_workers_every_2_seconds(t):
	kill_while(t, 2.0, 12, 160)


@test
def kill_workers_often(t):
	"""Splits that are never finished by the worker that began them."""
	kill_while(t, 0.35, 9, 80)
	with open(t.figures) as h:
		assert json.load(h)["dropped"] > 0, "no record came twice"


@test
def hanging_workers(t):
	said = kill_while(t, 1.5, 6, 160, sig=signal.SIGSTOP, beat=1.5)
	assert "no sign of life" in said, said


@test
def stalled_operator(t):
	t.lines(1, 3)
	rc, said = t.run(t.spec([("a", "records", "sleep 1000", "w"), ("trainer", "a", KEEP, "")], stall=0.3))
	assert rc == 1 and "got no further for 0.3 s" in said and "0000.txt" in said, (rc, said)


@test
def operator_fails(t):
	t.lines(3, 10)
	rc, said = t.run(t.spec([("a", "records", "exit 3", "w"), ("trainer", "a", KEEP, "")]))
	assert rc == 1 and "operator 'a' ended with exit code 3, over the records of" in said and "3 times" in said, (rc, said)


@test
def operator_fails_once(t):
	want = t.lines(6, 30)
	flaky = 'if mkdir "%s/once" 2>/dev/null; then head -n 5; exit 9; fi; cat' % t.dir
	rc, said = t.run(t.spec([("a", "records", flaky, "w"), ("trainer", "a", KEEP, "")]))
	assert rc == 0 and "once more" in said, (rc, said)
	once(t.got(), want)


@test
def operator_changes_its_mind(t):
	t.lines(1, 100)
	fewer = 'if mkdir "%s/once" 2>/dev/null; then head -n 50; sleep 0.5; kill -9 $$; fi; head -n 20; cat > /dev/null' % t.dir
	rc, said = t.run(t.spec([("a", "records", fewer, "w"), ("trainer", "a", KEEP, "")]))
	assert rc == 1 and "must give the same records every time" in said, (rc, said)


@test
def trainer_side_operator_fails(t):
	t.lines(3, 10)
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("b", "a", "cat >/dev/null; exit 4", ""), ("trainer", "b", KEEP, "")]))
	assert rc == 1 and "operator 'b' ended with exit code 4" in said, (rc, said)


@test
def garbage_records(t):
	for f in range(3):
		with open("%s/%d" % (t.data, f), "wb") as h:
			h.write(struct.pack(">I", 3) + b"abc")
	ops = [("a", "records", "printf 'zzzzzzzzzz'", "w"), ("trainer", "a", KEEP, "")]
	rc, said = t.run(t.spec(ops, framing="length_prefixed"))
	assert rc == 1 and "operator 'a' wrote output that has a record over the limit" in said, (rc, said)
	ops[0] = ("a", "records", "printf '\\0\\0\\0\\12abc'", "w")
	rc, said = t.run(t.spec(ops, framing="length_prefixed"))
	assert rc == 1 and "ends in the middle of a record" in said, (rc, said)


@test
def truncated_split(t):
	with open("%s/0" % t.data, "wb") as h:
		h.write(struct.pack(">I", 3) + b"abc" + struct.pack(">I", 30) + b"abc")
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("trainer", "a", KEEP, "")], framing="length_prefixed"))
	assert rc == 1 and "ends in the middle of a record" in said and t.data + "/0" in said, (rc, said)
	with open("%s/0" % t.data, "wb") as h:
		h.write(b"no tar, this" * 100)
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("trainer", "a", KEEP, "")], framing="tar"))
	assert rc == 1 and "is no tar archive" in said, (rc, said)


@test
def record_over_the_limit(t):
	with open("%s/0" % t.data, "w") as h:
		h.write("x" * 300000 + "\n")
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("trainer", "a", KEEP, "")], limit=100000))
	assert rc == 1 and "record over the limit" in said, (rc, said)


@test
def zero_splits(t):
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("trainer", "a", KEEP, "")]))
	assert rc == 0 and "holds no files" in said and t.got() == [], (rc, said)


@test
def empty_files(t):
	for f in range(30):
		open("%s/%d" % (t.data, f), "w").close()
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("trainer", "a", KEEP, "")]))
	assert rc == 0 and t.got() == [], (rc, said)


@test
def one_giant_split(t):
	"""40 MB in one file with a slow start of the trainer: what waits is bounded by the credit."""
	with open("%s/0" % t.data, "w") as h:
		for i in range(400000):
			h.write("%099d\n" % i)
	window = 1 << 20
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("trainer", "a", "sleep 1; md5sum > \"$out\"", "")], window=window, min=3))
	assert rc == 0, said
	with open("%s/0" % t.data, "rb") as h:
		assert t.got()[0].split()[0] == hashlib.md5(h.read()).hexdigest()
	with open(t.figures) as h:
		f = json.load(h)
	assert f["records"] == 400000 and f["peak"] <= 3 * (window + 256 * 1024), f


@test
def memory_is_bounded(t):
	"""Four workers over 200 MB and a trainer that does not read: the broker stays small."""
	for f in range(8):
		with open("%s/%d" % (t.data, f), "wb") as h:
			for _ in range(25):
				h.write(struct.pack(">I", 1 << 20) + bytes(1 << 20))
	p = t.start(t.spec([("a", "records", "cat", "w"), ("trainer", "a", "sleep 3; cat > /dev/null", "")], framing="length_prefixed", min=4, max=4))
	most = 0
	while p.poll() is None:
		try:
			with open("/proc/%d/status" % p.pid) as h:
				most = max([most] + [int(x.split()[1]) for x in h if x.startswith("VmRSS")])
		except OSError:
			pass
		time.sleep(0.1)
	assert p.returncode == 0, p.communicate()[0]
	assert most < 60 * 1024, "%d KB" % most


@test
def trainer_ends_early(t):
	t.lines(20, 1000)
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("trainer", "a", 'head -n 10 > "$out"', "")]))
	assert rc == 0 and len(t.got()) == 10, (rc, said)


@test
def trainer_stops_reading(t):
	t.lines(20, 3000)
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("trainer", "a", 'head -n 3 > "$out"; exec < /dev/null; sleep 1; echo saved >> "$out"', "")]))
	assert rc == 0 and t.got()[-1] == "saved", (rc, said)


@test
def trainer_fails(t):
	t.lines(5, 100)
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("trainer", "a", "head -n 5 > /dev/null; exit 7", "")]))
	assert rc == 7 and "exit code 7" in said, (rc, said)
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("trainer", "a", "kill -9 $$", "")]))
	assert rc == 137 and "signal 9" in said, (rc, said)


@test
def terminated(t):
	t.lines(5, 1000)
	for sig in (signal.SIGTERM, signal.SIGINT):
		p = t.start(t.spec([("a", "records", SLOW, "w"), ("trainer", "a", KEEP, "")], min=2))
		time.sleep(0.7)
		p.send_signal(sig)
		p.communicate(timeout=20)
		assert p.returncode == 128 + sig, p.returncode
		t.nothing_left()


def free_port():
	with socket.socket() as s:
		s.bind(("127.0.0.1", 0))
		return s.getsockname()[1]


def connect(port):
	for _ in range(100):
		try:
			return socket.create_connection(("127.0.0.1", port))
		except OSError:
			time.sleep(0.05)
	raise AssertionError("the broker does not listen")


@test
def workers_elsewhere(t):
	"""Workers by TCP read the splits through the broker; garbage, half a message and a wrong token do no harm."""
	want = t.lines(20, 500)
	port = free_port()
	spec = t.spec([("a", "records", "sed 's/^/x/'", "w"), ("trainer", "a", KEEP, "")])
	env = dict(t.env(), COULER_DATAFLOW_TOKEN="s3cret")
	p = t.start(spec, "--listen", "tcp:127.0.0.1:%d" % port, "--scale", os.path.join(t.dir, "scale"), env=env)
	s = connect(port)
	s.sendall(b"GET / HTTP/1.0\r\n\r\n" * 20)
	s2 = connect(port)
	s2.sendall(struct.pack("<I", 0x31465743) + b"\1\0")
	s2.close()
	bad = subprocess.Popen([COULER, "dataflow", "work", "tcp:127.0.0.1:%d" % port], env=dict(env, COULER_DATAFLOW_TOKEN="guess", shards="/nowhere"), stderr=subprocess.DEVNULL)
	bad.wait(20)
	good = [subprocess.Popen([COULER, "dataflow", "work", "tcp:127.0.0.1:%d" % port], env=dict(env, shards="/nowhere"), cwd="/", stderr=subprocess.DEVNULL) for _ in range(2)]
	said = p.communicate(timeout=60)[0]
	for w in good:
		w.wait(20)
	s.close()
	assert p.returncode == 0, said
	assert "no message" in said and "token" in said, said
	once(t.got(), ["x" + w for w in want])
	with open(os.path.join(t.dir, "scale")) as h:
		assert int(h.read()) >= 1


@test
def what_operators_elsewhere_see(t):
	"""Values, code and files come from the broker; the worker has nothing of its own, and leaves nothing."""
	want = t.lines(6, 50)
	for d in ("code/lib", "words/deep", "tmp"):
		os.makedirs(os.path.join(t.dir, d))
	for name, text in (("code/lib/tool.sh", "echo code"), ("code/.hidden", "x"), ("words/deep/w", "tree"), ("one.txt", "one"), ("big", "x" * 3000000), ("empty", "")):
		with open(os.path.join(t.dir, name), "w") as h:
			h.write(text)
	os.chmod(os.path.join(t.dir, "code/lib/tool.sh"), 0o755)
	port = free_port()
	op = 'p="$(lib/tool.sh 2>&1 || true)|$a|$(cat "$words/deep/w")|$(cat "$one")|${one##*/}|$(wc -c < "$big")|$(wc -c < "$empty")|$(ls -A | wc -l)|$MORE"; sed "s:$:|$p:"'
	with open(os.path.join(t.dir, "code/lib/tool.sh"), "w") as h:
		h.write("#!/bin/sh\necho code\n")
	spec = t.spec([("a", "records", op, "w"), ("trainer", "a", KEEP, "")], values=["a", "none"], files=["words", "one", "big", "empty", "absent"])
	here = {n: os.path.join(t.dir, f) for n, f in (("CW_CODE", "code"), ("words", "words"), ("one", "one.txt"), ("big", "big"), ("empty", "empty"))}
	p = t.start(spec, "--listen", "tcp:127.0.0.1:%d" % port, env=dict(t.env(), a="v w", COULER_DATAFLOW_ENV="MORE", MORE="m m", **here))
	connect(port).close()
	tmp = os.path.join(t.dir, "tmp")
	w = subprocess.Popen([COULER, "dataflow", "work", "tcp:127.0.0.1:%d" % port], env={"PATH": os.environ["PATH"], "TMPDIR": tmp, MARK: os.path.basename(t.dir)}, cwd="/")
	said = p.communicate(timeout=60)[0]
	assert p.returncode == 0, said
	w.wait(20)
	once(t.got(), [x + "|code|v w|tree|one|one.txt|3000000|0|2|m m" for x in want])
	assert os.listdir(tmp) == [], os.listdir(tmp)


@test
def too_much_to_carry(t):
	t.lines(1, 1)
	with open(os.path.join(t.dir, "huge"), "wb") as h:
		h.truncate(65 << 20)
	spec = t.spec([("a", "records", "cat", "w"), ("trainer", "a", KEEP, "")], files=["huge"])
	p = t.start(spec, "--listen", "tcp:127.0.0.1:%d" % free_port(), env=dict(t.env(), huge=os.path.join(t.dir, "huge")))
	said = p.communicate(timeout=60)[0]
	assert p.returncode == 1 and "more than 64 MiB" in said, (p.returncode, said)


@test
def no_broker_for_a_worker(t):
	"""With --wait a worker that finds none ends well, so that a Job without a broker comes to its end; a broker that goes is a failure."""
	address = "tcp:127.0.0.1:%d" % free_port()
	p = subprocess.run([COULER, "dataflow", "work", "--wait", "1", address], stderr=subprocess.PIPE, text=True, timeout=60)
	assert p.returncode == 0 and "refused" in p.stderr, (p.returncode, p.stderr)
	t.lines(2, 1000)
	b = t.start(t.spec([("a", "records", SLOW, "w"), ("trainer", "a", KEEP, "")]), "--listen", address)
	connect(int(address.rsplit(":", 1)[1])).close()
	w = subprocess.Popen([COULER, "dataflow", "work"], env=dict(t.env(), COULER_DATAFLOW_ADDRESS=address), stderr=subprocess.DEVNULL)
	until = time.time() + 30
	while not (os.path.exists(t.out) and os.path.getsize(t.out)) and time.time() < until:
		time.sleep(0.05)
	b.kill()
	b.communicate()
	assert w.wait(30) == 1, w.returncode


@test
def packed(t):
	"""couler in a folder runs by what lies in it."""
	where = os.path.join(t.dir, "packed")
	p = subprocess.run([COULER, "dataflow", "pack", where], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
	assert p.returncode == 0, p.stdout
	p = subprocess.run([where + "/couler", "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ, LD_DEBUG="libs"))
	assert p.returncode == 0 and "couler 0." in p.stdout, p.stdout
	used = {line.split()[-1] for line in p.stdout.splitlines() if "calling init" in line and "/couler" not in line}
	mine = {u for u in used if u.startswith(where)}
	assert os.path.exists(where + "/lib/libcurl.so.4") or not mine, os.listdir(where + "/lib")
	assert any("libjansson" in u for u in mine) or not any("libjansson" in u for u in used), used
	p = subprocess.run([COULER, "dataflow", "pack", "relative"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
	assert p.returncode == 2 and "absolute path" in p.stdout, p.stdout


@test
def full_status_disk(t):
	"""What is only for show may not be written: the run goes on."""
	want = t.lines(5, 100)
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("trainer", "a", KEEP, "")]), "--status", "/dev/full")
	assert rc == 0, said
	once(t.got(), want)


@test
def full_disk(t):
	t.lines(5, 100)
	rc, said = t.run(t.spec([("a", "records", "cat", "w"), ("trainer", "a", "cat > /dev/full", "")]))
	assert rc == 1 and "No space left" in said, (rc, said)


# ---- through couler run ----

PROGRAM = """
workflow w {
  param data: dir = "data/"
  step fit {
    in  shards = data
    out model: file
    dataflow {
      source records = split(shards)
      op a { from = records; run = \"\"\"%s\"\"\" }
      trainer { from = a; run = \"\"\"%s\"\"\" }
      workers { min = 2; max = 3 }
    }
  }
  out model = fit.model
}
"""


def program(t, op, trainer='cat > "$model"', text=PROGRAM):
	with open(os.path.join(t.dir, "w.cw"), "w") as h:
		h.write(text % (op, trainer))


def couler(t, *args):
	return subprocess.Popen([COULER, *args], env=dict(t.env()), cwd=t.dir, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def broker_of(t):
	for _ in range(200):
		for pid in t.processes():
			if b"dataflow\0run\0" in command_of(pid):
				return pid
		time.sleep(0.05)
	raise AssertionError("no broker")


# Steps see no variable that is not declared, so processes of a run are found by what stands in their arguments or folder.
def processes_below(t):
	found = []
	for path in glob.glob("/proc/[0-9]*/cwd"):
		pid = int(path.split("/")[2])
		try:
			line = command_of(pid)
			if pid != os.getpid() and (os.readlink(path).startswith(t.dir) or t.dir.encode() in line) and line:
				found.append(pid)
		except OSError:
			pass
	return found


@test
def in_a_run(t):
	want = t.lines(20, 100)
	program(t, "sed 's/^/x/'")
	p = couler(t, "run", "w.cw", "--outputs-json", "o.json")
	said = p.communicate(timeout=60)[0]
	assert p.returncode == 0, said
	with open(os.path.join(t.dir, "o.json")) as h:
		o = json.load(h)
	with open(o["outputs"]["model"]["path"]) as h:
		once(h.read().splitlines(), ["x" + w for w in want])
	said = couler(t, "run", "w.cw").communicate(timeout=60)[0]
	assert "1 reused" in said, said
	program(t, "sed 's/^/y/'")
	said = couler(t, "run", "w.cw").communicate(timeout=60)[0]
	assert "reused" not in said, said


@test
def again_by_hand(t):
	"""What a failed step leaves runs it again, with the same answer."""
	t.lines(2, 10)
	program(t, "exit 5")
	p = couler(t, "run", "w.cw")
	said = p.communicate(timeout=60)[0]
	assert p.returncode == 6 and "operator 'a' ended with exit code 5" in said, said
	p = subprocess.run(["sh", glob.glob(t.dir + "/.couler/runs/*/failed/fit/again.sh")[0]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
	assert p.returncode == 1 and "operator 'a' ended with exit code 5" in p.stdout, p.stdout


@test
def kill_broker_and_couler(t):
	t.lines(4, 2000)
	program(t, SLOW)
	for who in ("broker", "couler"):
		p = couler(t, "run", "w.cw")
		pids, until = [], time.time() + 20
		while not pids and time.time() < until:
			time.sleep(0.2)
			pids = [x for x in processes_below(t) if b"dataflow\0run\0" in command_of(x)]
		assert pids, "no broker"
		time.sleep(0.5)                                                     # it has workers by now, on most machines
		os.kill(pids[0] if who == "broker" else p.pid, signal.SIGKILL)
		said = p.communicate(timeout=30)[0]
		assert p.returncode == (6 if who == "broker" else -9), (p.returncode, said)
		if who == "broker":
			assert "signal 9" in said, said
		until = time.time() + 5
		while processes_below(t) and time.time() < until:
			time.sleep(0.05)
		left = [command_of(x) for x in processes_below(t)]
		assert not left, left


@test
def two_jobs_share_slots(t):
	"""Two pipelines in one run with two slots: together no more than two workers beyond the least of one each."""
	t.lines(8, 120)
	text = """
task fit {
  in  shards: dir
  in  n: int
  out model: file
  resources { cpu = 0.1 }
  dataflow {
    source records = split(shards)
    op a { from = records; run = \"\"\"%s\"\"\" }
    trainer { from = a; run = \"\"\"%s\"\"\" }
    workers { min = 1; max = 8 }
  }
}
workflow w {
  param data: dir = "data/"
  step one = fit(shards = data, n = 1)
  step two = fit(shards = data, n = 2)
}
"""
	program(t, SLOW, text=text)
	p = couler(t, "run", "w.cw", "-j", "2")
	most = 0
	while p.poll() is None:
		n = 0
		for x in glob.glob("/proc/[0-9]*/cmdline"):
			try:
				with open(x, "rb") as h:
					if b"dataflow\0work\0fd:" in h.read() and os.readlink(x.replace("cmdline", "cwd")).startswith(t.dir):
						n += 1
			except OSError:
				pass
		most = max(most, n)
		time.sleep(0.05)
	said = p.communicate()[0]
	assert p.returncode == 0, said
	assert 2 <= most <= 3, "%d workers at once" % most                     # 3 for a moment, when one has ended its split and goes


@test
def as_a_shell_plan(t):
	"""An engine without dataflows runs the broker in the step; it needs couler there."""
	want = t.lines(20, 100)
	program(t, "sed 's/^/x/'")
	p = couler(t, "compile", "w.cw", "-t", "shell", "-o", "plan.sh")
	said = p.communicate()[0]
	assert p.returncode == 0, said
	for engine in ("argo", "airflow"):
		p = couler(t, "compile", "w.cw", "-t", engine, "--set", "disaggregate.cut=all", "-p", "data=s3://b/d/")
		said = p.communicate()[0]
		assert "image" in said or "dataflow.json" in said, said
	os.mkdir(os.path.join(t.dir, "bin"))
	os.symlink(COULER, os.path.join(t.dir, "bin", "couler"))
	env = dict(t.env(), PATH=os.path.join(t.dir, "bin") + ":" + os.environ["PATH"])
	p = subprocess.run(["sh", "plan.sh", "--outputs", "out.d"], cwd=t.dir, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
	assert p.returncode == 0, p.stdout
	found = [f for f in glob.glob(t.dir + "/out.d/**/*", recursive=True) if os.path.isfile(f) and os.path.basename(f) in ("model", "fit.model")]
	assert found, p.stdout
	with open(found[0]) as h:
		once(h.read().splitlines(), ["x" + w for w in want])
	with open(os.path.join(t.dir, "w.cw")) as h:
		text = h.read().replace("workers {", "runtime = ray\n      workers {")
	with open(os.path.join(t.dir, "r.cw"), "w") as h:
		h.write(text)
	p = couler(t, "compile", "r.cw", "-t", "shell")
	said = p.communicate()[0]
	assert p.returncode == 4 and "Ray" in said, said


@test
def front_and_graph(t):
	t.lines(1, 1)
	program(t, "cat")
	said = couler(t, "graph", "w.cw", "--remarks").communicate()[0]
	assert "on workers: a" in said and "runs a on the workers" in said, said
	with open(os.path.join(t.dir, "c.cw"), "w") as h:
		h.write('task t { in s: dir; out m: file; dataflow { source r = split(s); op a { from = b; run = """cat""" }; op b { from = a; run = """cat""" }; '
			'trainer { from = b; run = """cat""" } } }\nworkflow w { step f = t(s = "d/") }\n')
	p = couler(t, "check", "c.cw")
	said = p.communicate()[0]
	assert p.returncode == 1 and "a cycle" in said, said


@test
def ten_thousand_operators(t):
	rng = random.Random(5)
	ops = ["op o0 { from = records; run = \"\"\"cat\"\"\"; cpu = 0.01ms; bytes = 1KB }"]
	for i in range(1, 10000):
		src = "[o%d, o%d]" % (i - 1, rng.randrange(max(0, i - 9), i - 1)) if i > 2 and i % 3 == 0 else "o%d" % (i - 1)
		ops.append("op o%d { from = %s; run = \"\"\"cat\"\"\"; cpu = 0.0%dms; bytes = %dB }" % (i, src, 1 + i % 9, 100 + rng.randrange(5000)))
	with open(os.path.join(t.dir, "big.cw"), "w") as h:
		h.write('task t { in s: dir; out m: file; dataflow { source records = split(s)\n' + "\n".join(ops) +
			'\ntrainer { from = o9999; run = """cat""" }\nworkers { max = 64 } } }\nworkflow w { step f = t(s = "d/") }\n')
	start = time.time()
	p = couler(t, "graph", "big.cw")
	said = p.communicate(timeout=60)[0]
	assert p.returncode == 0 and "on workers" in said, said[:400]
	assert time.time() - start < 10, "%.1f s" % (time.time() - start)


@test
def example(t):
	"""The example of docs/elastic.md, with the helper as pip installs it."""
	here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
	shutil.copytree(os.path.join(here, "examples", "elastic_images"), os.path.join(t.dir, "elastic_images"))
	shutil.copy(os.path.join(here, "examples", "elastic_images.cw"), t.dir)
	p = couler(t, "run", "elastic_images.cw", "-p", "shards=6", "--outputs-json", "o.json")
	said = p.communicate(timeout=120)[0]
	assert p.returncode == 0, said
	with open(os.path.join(t.dir, "o.json")) as h:
		assert float(json.load(h)["outputs"]["accuracy"]) > 0.7
	p = couler(t, "profile", "elastic_images.cw", "-p", "shards=2", "--records", "60")
	said = p.communicate(timeout=120)[0]
	assert p.returncode == 0 and "decode" in said and "cpu = " in said, said
	said = couler(t, "graph", "elastic_images.cw", "--remarks").communicate()[0]
	# what was measured decides whether augment goes, too
	assert ("runs decode on the workers" in said or "runs decode, augment on the workers" in said) and "records a second expected" in said, said


@test
def python_helper(t):
	"""Every framing through the helper, and the sentence that a wrong use gets."""
	code = "import couler_data,io,sys\nd=open(sys.argv[2],'rb')\nprint(sum(len(r if isinstance(r,bytes) else r['txt']) for r in couler_data.records(d,sys.argv[1])))"
	with open("%s/l" % t.data, "wb") as h:
		h.write(b"a\nbb\n\nccc")
	with open("%s/p" % t.data, "wb") as h:
		for r in (b"a", b"", b"bb\n"):
			couler_data_write(h, r)
	with tarfile.open("%s/t" % t.data, "w") as h:
		for n in range(3):
			m = tarfile.TarInfo("d/%d.txt" % n)
			m.size = n
			h.addfile(m, io.BytesIO(b"x" * n))
	for framing, name, want in (("lines", "l", "6"), ("length_prefixed", "p", "4"), ("tar", "t", "3")):
		out = subprocess.run(["python3", "-c", code, framing, "%s/%s" % (t.data, name)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
		assert out.strip() == want, (framing, out)
	out = subprocess.run(["python3", "-c", code, "length_prefixed", "%s/l" % t.data], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
	assert "ends in the middle of a record" in out, out


def couler_data_write(h, r):
	h.write(struct.pack(">I", len(r)) + r)


@test
def simulator(t):
	rows = json.loads(couler(t, "sim", "elastic", "-f", "json", "--seeds", "3").communicate()[0])["rows"]
	again = json.loads(couler(t, "sim", "elastic", "-f", "json", "--seeds", "3").communicate()[0])["rows"]
	other = json.loads(couler(t, "sim", "elastic", "-f", "json", "--seeds", "3", "--seed", "50").communicate()[0])["rows"]
	assert rows == again and rows != other
	jct = {(r["policy"], r["extra"], r["queue"]): r["mean_jct"] for r in rows}
	for queue in ("fifo", "backfill"):
		assert jct["work", 0, queue] < jct["static8", 0, queue] < jct["user", 0, queue], jct
		assert jct["work", 512, queue] <= jct["work", 0, queue] * 1.001, jct
		assert jct["clairvoyant", 0, queue] <= jct["work", 0, queue] * 1.05, jct
	svg = couler(t, "sim", "elastic", "--preset", "trace", "--seeds", "1", "-f", "svg").communicate()[0]
	assert svg.startswith("<svg") and svg.rstrip().endswith("</svg>")
	p = couler(t, "sim", "elastic", "--preset", "paper65")
	assert p.communicate()[0] and p.returncode == 2


def main():
	names = sys.argv[2:]
	passed = failed = 0
	for f in TESTS:
		if names and f.__name__ not in names:
			continue
		t = Place()
		start = time.time()
		try:
			f(t)
			t.close()
			passed += 1
			print("ok      %-32s %.1f s" % (f.__name__, time.time() - start), flush=True)
		except Exception as e:                                              # one test must not end the others
			failed += 1
			print("FAILED  %-32s %.1f s: %s: %s" % (f.__name__, time.time() - start, type(e).__name__, str(e)[:1500]), flush=True)
			for pid in t.processes() + processes_below(t):
				strike(pid)
			shutil.rmtree(t.dir, ignore_errors=True)
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
