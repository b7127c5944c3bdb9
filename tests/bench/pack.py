#!/usr/bin/env python3
"""What right-sized requests bring: pack.py COULER [--seeds 5] [--out docs/optimizer.md] [--quick]

A cluster: pods of tests/data/cluster (requests, starts and times of a public trace) on 4 nodes of 64 CPUs and 256 GiB, best fit,
first come first served as far as it fits. The trace does not say what pods took: pods of one request are one step, whose
greatest use is the request divided by `over`; pod by pod it varies as measured tasks of one process do. The first quarter is the
history, which the pass rightsize of COULER reads; it sizes the rest. And this machine: the same steps under `couler run`,
with what they ask for and with what the pass makes of it. Between <!-- pack --> and <!-- /pack --> of --out. --quick runs a
small one of each and checks it; then the last line is `N passed, N failed`.
"""
import argparse
import csv
import datetime
import heapq
import json
import os
import random
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "cluster")
NODES, CPUS, MIB = 4, 64.0, 262144.0
STEPS = "CREATE TABLE steps (workflow TEXT, base TEXT, status TEXT, rss INTEGER, cpu REAL, seconds REAL)"


def read(name):
	with open(os.path.join(DATA, name), encoding="utf-8") as f:
		return list(csv.DictReader(f))


def pods_of(seed, over, most):
	"""(start, seconds, request cpu, request MiB, used cpu, used MiB, group)"""
	r = random.Random(seed)
	shares, process, out = {}, {}, []
	for u in read("use.csv"):
		shares.setdefault(u["process"], []).append((float(u["cpu"]), float(u["memory"])))
	for p in read("pods.csv")[:most]:
		group = (float(p["cpu"]), float(p["mib"]))
		if not 0 < group[0] <= CPUS or not 0 < group[1] <= MIB:
			continue
		c, m = r.choice(shares[process.setdefault(group, r.choice(sorted(shares)))])
		out.append((float(p["start"]), float(p["seconds"]), *group, group[0] / over * c, group[1] / over * m, group))
	return out


def sized(couler, history):
	"""group: what the pass makes of its request, by the remarks of a real compilation."""
	groups = sorted({p[6] for p in history})
	work = tempfile.mkdtemp(prefix="couler-pack-")
	try:
		with open(os.path.join(work, "w.cw"), "w", encoding="utf-8") as f:
			f.write("workflow w {\n%s}\n" % "".join('  step g%d { resources { cpu = %g; memory = %dMi }; run = """true""" }\n' % (k, g[0], g[1]) for k, g in enumerate(groups)))
		db = sqlite3.connect(os.path.join(work, "history.db"))
		db.execute(STEPS)
		number = {g: k for k, g in enumerate(groups)}
		db.executemany("INSERT INTO steps VALUES ('w', ?, 'succeeded', ?, ?, ?)", [("g%d" % number[p[6]], int(p[5] * 1048576), p[4] * p[1], p[1]) for p in history])
		db.commit()
		db.close()
		err = subprocess.run([couler, "compile", "w.cw", "-t", "ir", "-o", "/dev/null", "--remarks", "--set", "rightsize.history=history.db"], cwd=work, capture_output=True, text=True)
		if err.returncode:
			raise SystemExit(err.stderr[:600])
		err = err.stderr
		return {groups[int(k)]: (float(c), float(m)) for k, m, c in re.findall(r"'g(\d+)' gets (\d+) MiB and ([0-9.]+) CPU", err)}
	finally:
		shutil.rmtree(work, ignore_errors=True)


def arrive(pods, load):
	"""Starts, pressed together until what is asked for is `load` times what there is."""
	need = max(sum(p[1] * p[2] for p in pods) / (NODES * CPUS), sum(p[1] * p[3] for p in pods) / (NODES * MIB))
	span = max(p[0] for p in pods) - pods[0][0]
	return [((p[0] - pods[0][0]) * need / load / span, *p[1:]) for p in pods]


def simulate(pods, size):
	"""size: group -> request; else as asked for. Use between the first fifth of the arrivals and their end."""
	free, real = [[CPUS, MIB] for _ in range(NODES)], [[0.0, 0.0] for _ in range(NODES)]
	begin, end = pods[len(pods) // 5][0], pods[-1][0]
	ends, queue, at, waits, used, beyond, full = [], [], 0, [], [0.0, 0.0], 0, 0

	def start(p, now):
		need = size.get(p[6], p[6])
		fit = [n for n in range(NODES) if free[n][0] >= need[0] and free[n][1] >= need[1]]
		if not fit:
			return False
		n = min(fit, key=lambda k: (free[k][0] - need[0]) / CPUS + (free[k][1] - need[1]) / MIB)
		free[n][0] -= need[0]
		free[n][1] -= need[1]
		real[n][0] += p[4]
		real[n][1] += p[5]
		heapq.heappush(ends, (now + p[1], n, *need, p[4], p[5]))
		shared = max(0.0, min(end, now + p[1]) - max(begin, now))
		used[0] += shared * p[4]
		used[1] += shared * p[5]
		waits.append(now - p[0])
		return p[5] > need[1], real[n][1] > MIB
	while at < len(pods) or queue:
		now = min(pods[at][0] if at < len(pods) else float("inf"), ends[0][0] if ends else float("inf"))
		while ends and ends[0][0] <= now:
			_, n, c, m, uc, um = heapq.heappop(ends)
			free[n][0] += c
			free[n][1] += m
			real[n][0] -= uc
			real[n][1] -= um
		while at < len(pods) and pods[at][0] <= now:
			queue.append(pods[at])
			at += 1
		left, failed = [], set()
		for p in queue:
			done = p[6] not in failed and start(p, now)
			if done is False:
				failed.add(p[6])
				left.append(p)
			else:
				beyond, full = beyond + done[0], full + done[1]
		queue = left
	span = end - begin
	return {"cpu": used[0] / (span * NODES * CPUS), "memory": used[1] / (span * NODES * MIB), "wait": statistics.mean(waits), "beyond": beyond / len(pods), "full": full / len(pods)}


def cluster(couler, seeds, overs, most):
	rows = []
	for over in overs:
		cells = []
		for seed in range(1, seeds + 1):
			pods = pods_of(seed, over, most)
			cut = len(pods) // 4
			size = sized(couler, pods[:cut])
			rest = arrive(pods[cut:], 1.5)
			cells.append((simulate(rest, {}), simulate(rest, size)))
		mean = lambda k, i: statistics.mean(c[i][k] for c in cells)
		rows.append({"over": over, **{k + w: mean(k, i) for k in ("cpu", "memory", "wait", "beyond", "full") for i, w in enumerate(("", "_sized"))}})
	return rows


# ---- this machine ----

def local_flow(steps):
	"""Steps that wait for something (standing for a download) and then compute over what they hold; they ask for a core and a quarter of the memory, as people do."""
	total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
	body = "import hashlib, time; b = bytearray(%d << 20); time.sleep(0.6); t = time.process_time(); h = hashlib.sha256(b)\nwhile time.process_time() - t < 0.25: h.update(b[:1 << 20])\nprint(len(b))"
	step = '  step s%d { resources { cpu = 1; memory = %dMi }; out v: int = stdout; shell = "python3"; run = """%s""" }\n'
	return "workflow w {\n%s}\n" % "".join(step % (k, total // 4 // 1048576, body % (40 + 10 * (k % 4))) for k in range(steps))


def measured(db):
	return sqlite3.connect(db).execute("SELECT sum(cpu), sum(rss * seconds) FROM steps WHERE status = 'succeeded'").fetchone()


def local(couler, steps):
	work = tempfile.mkdtemp(prefix="couler-pack-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
	try:
		with open(os.path.join(work, "w.cw"), "w", encoding="utf-8") as f:
			f.write(local_flow(steps))

		def run(cache, *more):
			env = dict(os.environ, COULER_CACHE=os.path.join(work, cache))
			t = time.time()
			subprocess.run([couler, "run", "w.cw", "-q", "--no-cache", "-j", "16", *more], cwd=work, env=env, check=True, capture_output=True, timeout=600)
			t = time.time() - t
			subprocess.run([couler, "runs"], cwd=work, env=env, check=True, capture_output=True)
			return t
		out = []
		for _ in range(3):
			run("history")
		db = os.path.join(work, "history", "history.db")
		for name, more in (("asked", ()), ("sized", ("--set", "rightsize.history=" + db))):
			seconds = run(name, *more)
			cpu, rss = measured(os.path.join(work, name, "history.db"))
			out.append({"seconds": seconds, "cpu": cpu / (seconds * os.cpu_count()), "mib": rss / seconds / 1048576})
		return out
	finally:
		shutil.rmtree(work, ignore_errors=True)


def busy():
	"""Of all cores, what is used now, in percent."""
	def read():
		with open("/proc/stat", encoding="ascii") as f:
			t = [int(x) for x in f.readline().split()[1:9]]
		return sum(t), t[3] + t[4]
	a = read()
	time.sleep(3)
	b = read()
	return 100 * (1 - (b[1] - a[1]) / (b[0] - a[0]))


def page(o, rows, runs, others):
	gain = lambda a, b: "%+.0f %%" % (100 * (b / a - 1))
	out = ["Simulated on %s: 4 nodes of 64 CPUs and 256 GiB, %d seeds." % (datetime.date.today().isoformat(), o.seeds), "",
		"| request over greatest use | CPU use, asked | sized | | memory use, asked | sized | | mean wait, asked | sized | pods above their sized memory | starts on a node that is then over its memory |", "|---|" + "---|" * 10]
	for r in rows:
		out.append("| %g | %.1f %% | %.1f %% | %s | %.1f %% | %.1f %% | %s | %.0f s | %.0f s | %.2f %% | %.2f %% |" % (r["over"], 100 * r["cpu"], 100 * r["cpu_sized"], gain(r["cpu"], r["cpu_sized"]),
			100 * r["memory"], 100 * r["memory_sized"], gain(r["memory"], r["memory_sized"]), r["wait"], r["wait_sized"], 100 * r["beyond_sized"], 100 * r["full_sized"]))
	a, b = runs
	out += ["", "`couler run -j 16` on %d cores, %d steps that wait 0.6 s and compute 0.25 s, asking for a core and a quarter of the memory each, while others used %.0f %% of them:" % (os.cpu_count(), o.steps, others), "",
		"| requests | time | CPU use | memory held, mean |", "|---|---|---|---|", "| as asked | %.1f s | %.0f %% | %.0f MiB |" % (a["seconds"], 100 * a["cpu"], a["mib"]),
		"| after rightsize | %.1f s | %.0f %% | %.0f MiB |" % (b["seconds"], 100 * b["cpu"], b["mib"])]
	return "\n".join(out)


def quick(couler):
	bad = []
	rows = cluster(couler, 1, [2.0], 700)
	r = rows[0]
	if not (r["cpu_sized"] > 1.1 * r["cpu"] and r["memory_sized"] > 1.1 * r["memory"] and r["wait_sized"] < r["wait"] and r["beyond_sized"] < 0.2):
		bad.append("cluster: %s" % json.dumps(r))
	pods = pods_of(1, 2.0, 700)
	size = sized(couler, pods)
	if len(size) < 5 or any(p[5] > size[p[6]][1] for p in pods if p[6] in size):
		bad.append("a size is below a peak that was seen, or there are none")
	a, b = local(couler, 16)
	if not b["mib"] > 1.5 * a["mib"]:                             # times and CPU depend on what else the machine does
		bad.append("local: %s" % json.dumps([a, b]))
	print("\n".join(bad + ["%d passed, %d failed" % (3 - len(bad), len(bad))]))
	return 1 if bad else 0


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("--seeds", type=int, default=5)
	ap.add_argument("--steps", type=int, default=48)
	ap.add_argument("--out")
	ap.add_argument("--quick", action="store_true")
	o = ap.parse_args()
	o.couler = os.path.abspath(o.couler)
	if o.quick:
		return quick(o.couler)
	rows, others = cluster(o.couler, o.seeds, [1.2, 1.5, 2.0, 3.0], 10 ** 9), busy()
	text = page(o, rows, local(o.couler, o.steps), others)
	print(text)
	if o.out:
		old = open(o.out, encoding="utf-8").read()
		with open(o.out, "w", encoding="utf-8") as f:
			f.write(re.sub(r"(<!-- pack -->\n).*?(<!-- /pack -->)", lambda m: m.group(1) + "\n" + text + "\n\n" + m.group(2), old, flags=re.S))
	return 0


if __name__ == "__main__":
	sys.exit(main())
