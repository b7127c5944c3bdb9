#!/usr/bin/env python3
"""The compiler against its peers and its limits: bench.py COULER [--quick] [--markdown FILE]

Work and marks are those of docs/benchmarks.md. Commands run in turn (interleaved), ten times (three with --quick); medians
of CPU seconds of the whole process and ratios count. Writes bench.json beside couler and a table, with --markdown into a page between its marks. A peer that is not there is
named as such, never as beaten.
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BEGIN, END = "<!-- figures: make bench -->\n", "<!-- end of the figures -->\n"
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))


def measure(argv, cwd=None, stdout=None, env=None):
	"""(CPU seconds, wall seconds, peak MB) of one process."""
	start = time.monotonic()
	with open(stdout or os.devnull, "wb") as out:
		p = subprocess.Popen(argv, cwd=cwd, stdout=out, stderr=subprocess.PIPE, env=env)
		err = p.stderr.read()
		_, status, ru = os.wait4(p.pid, 0)
		p.returncode = os.waitstatus_to_exitcode(status)
	if p.returncode:
		raise RuntimeError("%s: exit %d: %s" % (" ".join(argv[:4]), p.returncode, err.decode()[:300]))
	return ru.ru_utime + ru.ru_stime, time.monotonic() - start, ru.ru_maxrss / 1024


def interleaved(commands, times):
	"""{name: (argv, stdout)} -> {name: median CPU, wall, peak}"""
	got = {k: [] for k in commands}
	for _ in range(times):
		for k, (argv, out) in commands.items():
			got[k].append(measure(argv, stdout=out))
	return {k: {"cpu": statistics.median(r[0] for r in v), "wall": statistics.median(r[1] for r in v), "mb": max(r[2] for r in v),
		"iqr": (lambda xs: xs[len(xs) * 3 // 4] - xs[len(xs) // 4])(sorted(r[0] for r in v))} for k, v in got.items()}


def hera_python():
	"""A venv with Hera from PyPI, or None when it cannot be had."""
	venv = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "couler-dev", "hera")
	python = os.path.join(venv, "bin", "python")
	if not os.path.exists(os.path.join(venv, ".done")):
		try:
			subprocess.run([sys.executable, "-m", "venv", venv], check=True, capture_output=True)
			subprocess.run([python, "-m", "pip", "-q", "install", "hera[yaml]"], check=True, capture_output=True)
		except (OSError, subprocess.CalledProcessError):
			return None
		open(os.path.join(venv, ".done"), "w").close()
	return python


def dagfactory():
	"""(Python of Airflow 2.11, folder of dag-factory), or None."""
	cache = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "couler-dev")
	folder = os.path.join(cache, "dag-factory")
	try:
		subprocess.run(["sh", os.path.join(ROOT, "tests/engine/airflow/setup.sh"), "2.11.2"], check=True, capture_output=True)
		if not os.path.isdir(os.path.join(folder, "dagfactory")):
			subprocess.run([sys.executable, "-m", "pip", "-q", "install", "--no-deps", "--target", folder, "dag-factory==1.1.0"], check=True, capture_output=True)
	except (OSError, subprocess.CalledProcessError):
		return None
	return os.path.join(cache, "airflow-2.11.2", "bin", "python"), folder


def shape(kind, n, work):
	path = os.path.join(work, "%s-%d.cw" % (kind, n))
	if not os.path.exists(path):
		subprocess.run([sys.executable, os.path.join(HERE, "shapes.py"), kind, str(n), "-o", path], check=True)
	return path


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("--quick", action="store_true")
	ap.add_argument("--markdown")
	o = ap.parse_args()
	couler = os.path.abspath(o.couler)
	times = 3 if o.quick else 10
	work = tempfile.mkdtemp(prefix="couler-bench-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
	rows, marks = [], []
	compile_ = lambda f, out, *more: ([couler, "compile", f, "-t", "argo", "--set", "argo.limits=off", "-o", out, *more], None)
	try:
		reemit = os.path.join(work, "reemit")
		subprocess.run(["cc", "-O2", "-o", reemit, os.path.join(HERE, "yaml_reemit.c"), "-lyaml"], check=True)
		for kind in ("chain", "fan", "layered", "tasks"):
			for n in [10, 1000, 10_000] + ([] if o.quick else [100_000]) + ([1_000_000] if kind in ("fan", "layered") and not o.quick else []):
				f, out = shape(kind, n, work), os.path.join(work, "out.yaml")
				r = interleaved({"argo": compile_(f, out), "ir": ([couler, "compile", f, "-t", "ir", "-o", out + ".ir"], None)}, times if n <= 10_000 else 3 if n <= 100_000 else 1)
				size = os.path.getsize(out)
				rows.append(("compile %s, %s steps" % (kind, format(n, ",")), "%.1f ms" % (r["argo"]["cpu"] * 1000), "%.2f MB, %.0f MB peak, into the IR %.1f ms" % (size / 1e6, r["argo"]["mb"], r["ir"]["cpu"] * 1000)))
				if n >= 100_000:
					per = (r["argo"]["mb"] * 1048576 - os.path.getsize(f) - size) / n
					marks.append(("memory a step beside source and output, %s %s" % (kind, format(n, ",")), "%.0f B" % per, "at most 1024 B", per <= 1024))
		f, out = shape("layered", 10_000, work), os.path.join(work, "layered.yaml")
		measure(compile_(f, out)[0])
		r = interleaved({"couler": compile_(f, os.path.join(work, "o.yaml")), "libyaml": ([reemit, out, os.path.join(work, "r.yaml")], None), "cp": (["cp", out, os.path.join(work, "c.yaml")], None)}, times)
		for k in r:
			rows.append(("layered 10,000: " + k, "%.1f ms" % (r[k]["cpu"] * 1000), "IQR %.1f ms" % (r[k]["iqr"] * 1000)))
		ratio = r["couler"]["cpu"] / r["libyaml"]["cpu"]
		marks.append(("compile against libyaml's parse and re-emit of our output, 10,000 steps", "%.2f x" % ratio, "at most 1 x", ratio <= 1))
		python = hera_python()
		if python:
			for kind, least in (("tuned", 70), ("template", 300)):
				runs = [measure([python, os.path.join(HERE, "hera_build.py"), kind, "10000"])[0] for _ in range(1 if o.quick or kind == "template" else 3)]
				ratio = statistics.median(runs) / r["couler"]["cpu"]
				rows.append(("layered 10,000: Hera, %s" % kind, "%.2f s" % statistics.median(runs), "with its process"))
				marks.append(("against Hera, %s" % kind, "%.0f x" % ratio, "at least %d x" % least, ratio >= least))
		else:
			rows.append(("Hera", "not there", "PyPI could not be reached"))
		f, out = shape("layered", 10_000, work), os.path.join(work, "layered.json")
		again = os.path.join(work, "redump")
		subprocess.run(["cc", "-O2", "-o", again, os.path.join(HERE, "json_redump.c"), "-ljansson"], check=True)
		airflow = lambda to: ([couler, "compile", f, "-t", "airflow", "-o", to], None)
		measure(airflow(out)[0])
		r = interleaved({"couler": airflow(os.path.join(work, "o.json")), "jansson": ([again, out, os.path.join(work, "r.json")], None)}, times)
		for k in r:
			rows.append(("layered 10,000 to Airflow: " + k, "%.1f ms" % (r[k]["cpu"] * 1000), "%.1f MB" % (os.path.getsize(out) / 1e6)))
		ratio = r["couler"]["cpu"] / r["jansson"]["cpu"]
		marks.append(("Airflow JSON against jansson's load and dump of it", "%.2f x" % ratio, "at most 1.5 x", ratio <= 1.5))
		factory = dagfactory()
		if factory:
			cpu = measure([factory[0], "-W", "ignore", os.path.join(HERE, "dagfactory_build.py"), "10000", work], env=dict(os.environ, PYTHONPATH=factory[1]))[0]
			rows.append(("layered 10,000: dag-factory", "%.2f s" % cpu, "with its process, in Airflow 2.11.2"))
			marks.append(("against dag-factory", "%.0f x" % (cpu / r["couler"]["cpu"]), "at least 100 x", cpu / r["couler"]["cpu"] >= 100))
		else:
			rows.append(("dag-factory", "not there", "PyPI could not be reached, or Airflow 2.11 is not set up"))
		f = shape("layered", 50, work)
		r = interleaved({"check": ([couler, "check", f], None)}, 30)
		rows.append(("check, 50 steps, process start included", "%.2f ms" % (r["check"]["wall"] * 1000), "wall"))
		marks.append(("check of 50 steps, wall", "%.2f ms" % (r["check"]["wall"] * 1000), "under 5 ms", r["check"]["wall"] < 0.005))
		f = shape("layered", 100_000, work)
		parse = [measure([os.path.join(os.path.dirname(couler), "parse_speed"), f])[0] for _ in range(times)] if os.path.exists(os.path.join(os.path.dirname(couler), "parse_speed")) else []
		if parse:
			mbs = os.path.getsize(f) * 20 / 1e6 / statistics.median(parse)
			marks.append(("parse", "%.0f MB/s" % mbs, "at least 100 MB/s", mbs >= 100))
	finally:
		shutil.rmtree(work, ignore_errors=True)
	cpu = next((l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
	head = "%s, %d cores, %s, %s" % (cpu, os.cpu_count(), platform.platform(terse=True), time.strftime("%Y-%m-%d"))
	text = "Machine: %s. Medians of %d interleaved runs, CPU time of the whole process.\n\n| work | time | |\n|---|---|---|\n" % (head, times)
	text += "".join("| %s | %s | %s |\n" % r for r in rows)
	text += "\n| mark | measured | wanted | |\n|---|---|---|---|\n" + "".join("| %s | %s | %s | %s |\n" % (a, b, c, "met" if ok else "**missed**") for a, b, c, ok in marks)
	print(text)
	with open(os.path.join(os.path.dirname(couler), "bench.json"), "w", encoding="utf-8") as fh:
		json.dump({"machine": head, "rows": rows, "marks": marks}, fh, indent=1)
	if o.markdown:
		with open(o.markdown, encoding="utf-8") as fh:
			page = fh.read()
		head, tail = page.split(BEGIN)[0], page.split(END)[1]
		with open(o.markdown, "w", encoding="utf-8") as fh:
			fh.write(head + BEGIN + text + END + tail)


if __name__ == "__main__":
	main()
