#!/usr/bin/env python3
"""Elastic input pipelines measured: elastic.py COULER [--records 1500] [--rounds 3] [--out docs/elastic.md]

training   pre-processing twice the training time on 2 cores: one process, one that reads ahead, couler's workers; with a
           trainer that waits without the CPU (standing for a GPU), with one on it, and with nobody on it, which shows what couler
           itself does on a machine whose processors others use
transport  records through couler's workers and broker against a bare pipe
simulator  couler sim elastic
Rounds are interleaved and medians are shown. With --out the tables go between the marks of that file.
"""
import argparse
import hashlib
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

PREP = 0.010                              # s of CPU a record
TRAIN = 0.005                             # s a record

WORK = r'''
import hashlib, os, sys, time
N = %d
SLEEPS = os.environ.get("PREP") == "sleeps"
def burn(record, share):
	return hashlib.pbkdf2_hmac("sha256", record, b"salt", max(1, int(N * share)))
def prep(record):
	time.sleep(%r) if SLEEPS else burn(record, 1.0)
	return record
def train(record, gpu):
	if gpu: time.sleep(%r)
	else: burn(record, %r)
'''

PROGRAMS = {
	"mono": "import sys, work\nfor path in sys.argv[2:]:\n\tfor r in open(path, 'rb'): work.train(work.prep(r), sys.argv[1] == 'gpu')\n",
	"prep": "import sys, work\nfor r in sys.stdin.buffer:\n\tsys.stdout.buffer.write(work.prep(r)); sys.stdout.buffer.flush()\n",
	"train": "import sys, work\nfor r in sys.stdin.buffer: work.train(r, sys.argv[1] == 'gpu')\n",
	# what PyTorch's DataLoader does with workers: processes that pull files and a queue of what they made
	"processes": """import multiprocessing as mp, sys, work
def worker(tasks, out):
	for path in iter(tasks.get, None):
		for r in open(path, 'rb'): out.put(work.prep(r))
	out.put(None)
n = int(sys.argv[2]); tasks = mp.Queue(); out = mp.Queue(maxsize=2 * n * 16)
for p in sys.argv[3:]: tasks.put(p)
for _ in range(n): tasks.put(None)
ps = [mp.Process(target=worker, args=(tasks, out)) for _ in range(n)]
for p in ps: p.start()
left = n
while left:
	r = out.get()
	if r is None: left -= 1
	else: work.train(r, sys.argv[1] == 'gpu')
for p in ps: p.join()
""",
	"loader": """import sys, work, torch.utils.data as d
class Records(d.IterableDataset):
	def __iter__(self):
		i = d.get_worker_info()
		for p in sys.argv[3 + i.id::i.num_workers]:
			for r in open(p, 'rb'): yield work.prep(r)
for r in d.DataLoader(Records(), batch_size=None, num_workers=int(sys.argv[2])): work.train(r, sys.argv[1] == 'gpu')
""",
}


def calibrate():
	"""Rounds of PBKDF2 that take PREP seconds of this processor."""
	best = 1e9
	for _ in range(20):
		t = time.process_time()
		hashlib.pbkdf2_hmac("sha256", b"x" * 50, b"salt", 5000)
		best = min(best, time.process_time() - t)
	return int(5000 * PREP / best)


def spec(path, ops, framing="lines", **more):
	rows = [{"name": n, "from": [i - 1], "run": run, "on_worker": w} for i, (n, run, w) in enumerate(ops)]
	with open(path, "w") as h:
		json.dump(dict({"dataflow": 1, "task": "bench", "split": "shards", "framing": framing, "shell": "sh", "min": 1, "max": 2, "ops": rows}, **more), h)
	return path


def timed(argv, env):
	start = time.monotonic()
	p = subprocess.run(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
	if p.returncode:
		raise SystemExit("%s: exit code %d\n%s" % (" ".join(argv[:6]), p.returncode, p.stderr))
	return time.monotonic() - start


KINDS = {"gpu": "trainer waits without the CPU", "cpu": "trainer on the CPU", "idle": "both wait without the CPU"}


def training(o, place):
	with open(place + "/work.py", "w") as h:
		h.write(WORK % (calibrate(), PREP, TRAIN, TRAIN / PREP))
	for name, text in PROGRAMS.items():
		with open("%s/%s.py" % (place, name), "w") as h:
			h.write(text)
	data = place + "/data"
	os.mkdir(data)
	files = 10
	for f in range(files):
		with open("%s/%02d" % (data, f), "w") as h:
			for i in range(o.records // files):
				h.write("record %d of %d %s\n" % (i, f, "x" * 60))
	paths = ["%s/%02d" % (data, f) for f in range(files)]
	env = dict(os.environ, shards=data, PYTHONPATH=place)
	ways = ["one process", "plain pipe", "couler, 1 worker", "couler, up to 2", "2 processes and a queue"]
	torch = subprocess.run([sys.executable, "-c", "import torch"], stderr=subprocess.DEVNULL).returncode == 0
	if torch:
		ways.append("DataLoader, 2 workers")
	times = {}
	kinds = o.kinds.split(",")
	for _ in range(o.rounds):
		for kind in kinds:
			env["PREP"] = "sleeps" if kind == "idle" else "works"
			for way in ways:
				py = sys.executable
				role = "cpu" if kind == "cpu" else "gpu"
				if way == "one process":
					argv = [py, place + "/mono.py", role, *paths]
				elif way == "plain pipe":
					argv = ["sh", "-c", "cat %s/* | %s %s/prep.py | %s %s/train.py %s" % (data, py, place, py, place, role)]
				elif way.startswith("couler"):
					s = spec(place + "/spec.json", [("prep", "%s %s/prep.py" % (py, place), True), ("trainer", "%s %s/train.py %s" % (py, place, role), False)],
						max=1 if "1" in way else 2)
					argv = [o.couler, "dataflow", "run", s]
				elif way.startswith("DataLoader"):
					argv = [py, place + "/loader.py", role, "2", *paths]
				else:
					argv = [py, place + "/processes.py", role, "2", *paths]
				times.setdefault((kind, way), []).append(timed(argv, env))
				print("%s %-24s %.2f s" % (kind, way, times[kind, way][-1]), file=sys.stderr)
	rows = ["| | " + " | ".join("%s | × one process | × plain pipe" % KINDS[k] for k in kinds) + " |", "|---" * (1 + 3 * len(kinds)) + "|"]
	for way in ways:
		cells = []
		for kind in kinds:
			m = {w: statistics.median(times[kind, w]) for w in ways}
			cells += ["%.1f s" % m[way], "%.2f" % (m["one process"] / m[way]), "%.2f" % (m["plain pipe"] / m[way])]
		rows.append("| %s | %s |" % (way, " | ".join(cells)))
	if not torch:
		rows.append("")
		rows.append("PyTorch was not installed where this was measured; \"2 processes and a queue\" moves records the way its DataLoader does.")
	return rows


def transport(o, place):
	rows = ["| records | bare pipe | couler | of the pipe |", "|---|---|---|---|"]
	total = 256 << 20
	for size, framing in ((100, "lines"), (12 << 10, "length_prefixed"), (600 << 10, "length_prefixed")):
		data = "%s/t%d" % (place, size)
		os.mkdir(data)
		record = b"x" * (size - 1) + b"\n" if framing == "lines" else struct.pack(">I", size) + b"x" * size
		count = total // size // 8
		for f in range(8):
			with open("%s/%d" % (data, f), "wb") as h:
				h.write(record * count)
		s = spec(place + "/spec.json", [("a", "cat", True), ("trainer", "cat > /dev/null", False)], framing=framing)
		env = dict(os.environ, shards=data)
		pipe, mine = [], []
		for _ in range(o.rounds):
			pipe.append(timed(["sh", "-c", "cat %s/* | cat | cat > /dev/null" % data], env))
			mine.append(timed([o.couler, "dataflow", "run", s], env))
			print("%d bytes: pipe %.2f s, couler %.2f s" % (size, pipe[-1], mine[-1]), file=sys.stderr)
		p, m, n = statistics.median(pipe), statistics.median(mine), 8 * count
		rows.append("| %s | %.0f MB/s, %.0f/s | %.0f MB/s, %.0f/s | %.0f %% |" % ("100 B, lines" if size == 100 else "%d KB, length_prefixed" % (size >> 10),
			total / p / 1e6, n / p, total / m / 1e6, n / m, 100 * p / m))
		shutil.rmtree(data)
	return rows


def simulator(o):
	rows = ["| setting | policy | extra CPUs | queue | mean JCT | p95 JCT | GPU use | × JCT | × GPU use |", "|---|---|---|---|---|---|---|---|---|"]
	for preset in ("paper64", "mixed", "trace"):
		r = json.loads(subprocess.run([o.couler, "sim", "elastic", "--preset", preset, "--seeds", "10", "-f", "json"], stdout=subprocess.PIPE, check=True).stdout)
		for x in r["rows"]:
			if x["policy"] in ("user", "static8", "synergy", "work", "clairvoyant"):
				rows.append("| %s | %s | %d | %s | %.0f s | %.0f s | %.1f %% | %.2f | %.2f |" % (preset, x["policy"], x["extra"], x["queue"], x["mean_jct"], x["p95_jct"],
					100 * x["gpu_use"], x["jct_gain"], x["use_gain"]))
	return rows


def put(path, mark, lines):
	with open(path) as h:
		text = h.read()
	a, b = "<!-- %s -->\n" % mark, "<!-- end -->\n"
	i = text.index(a) + len(a)
	j = text.index(b, i)
	with open(path, "w") as h:
		h.write(text[:i] + "\n".join(lines) + "\n" + text[j:])


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("--records", type=int, default=1500)
	ap.add_argument("--rounds", type=int, default=3)
	ap.add_argument("--out")
	ap.add_argument("--kinds", default="gpu,cpu,idle", help="of training: " + ", ".join("%s: %s" % k for k in KINDS.items()))
	ap.add_argument("--only")
	o = ap.parse_args()
	o.couler = os.path.abspath(o.couler)
	place = tempfile.mkdtemp(prefix="couler-bench-")
	before = os.getloadavg()[0]
	try:
		parts = {}
		if o.only in (None, "training"):
			parts["training"] = training(o, place)
		if o.only in (None, "transport"):
			parts["transport"] = transport(o, place)
		if o.only in (None, "simulator"):
			parts["simulator"] = simulator(o)
	finally:
		shutil.rmtree(place)
	note = "%s, %d processors, load average %.1f before and %.1f after, %d rounds" % (time.strftime("%Y-%m-%d"), os.cpu_count(), before, os.getloadavg()[0], o.rounds)
	for mark, lines in parts.items():
		if mark != "simulator":
			lines = lines + ["", note + (", %d records." % o.records if mark == "training" else ", 256 MB each.")]
		if o.out:
			put(o.out, mark, lines)
		else:
			print("\n".join(lines) + "\n")


if __name__ == "__main__":
	main()
