#!/usr/bin/env python3
"""Figures of docs/optimizer.md: passes.py COULER [--out docs/optimizer.md] [--svg docs/cache-policies.svg]

Plays every cache policy on the three scenarios and on the traces of tests/data/wfcommons, and writes what came out, with
the machine and the date, between the markers <!-- cache --> and <!-- /cache -->. --scenarios and --traces take results of
`couler sim cache -f json` from before instead of playing again.
"""
import argparse
import datetime
import glob
import json
import os
import re
import subprocess

SHARES = "1%,2%,5%,10%,20%,50%,100%"


def play(couler, *args):
	return json.loads(subprocess.run([couler, "sim", "cache", "-f", "json", *args], capture_output=True, text=True, check=True).stdout)


def machine():
	names = re.findall(r"^model name\s*: (.*)$", open("/proc/cpuinfo", encoding="utf-8").read(), re.M)
	return "%d x %s" % (len(names), names[0] if names else "unknown")


def contenders(cell):
	return {k: v for k, v in cell["policies"].items() if k != "all"}


def table(cells):
	"""One row a workload and edit model: mean over the budgets."""
	names = list(cells[0]["policies"])
	lines = ["| workload, edits | " + " | ".join(names) + " | bound |", "|---|" + "---|" * (len(names) + 1)]
	for key in dict.fromkeys((c["workload"], c["edits"]) for c in cells):
		mine = [c for c in cells if (c["workload"], c["edits"]) == key]
		mean = {n: sum(c["policies"][n]["seconds"] / c["nothing_kept"] for c in mine) / len(mine) * 100 for n in names}
		least = min(v for n, v in mean.items() if n != "all")
		lines.append("| %s, %s | " % key + " | ".join(("**%.1f**" if n != "all" and v <= least * (1 + 1e-9) else "%.1f") % v for n, v in mean.items()) +
			" | %.1f |" % (sum(c["bound"] / c["nothing_kept"] for c in mine) / len(mine) * 100))
	return lines


def summary(cells):
	names = [n for n in cells[0]["policies"] if n != "all"]
	lines = ["| policy | first, of %d cells | not behind lru | hit ratio, mean | of what keeping all saves, mean | regret, mean |" % len(cells), "|---|---|---|---|---|---|"]
	for n in names:
		first = sum(c["policies"][n]["seconds"] <= min(v["seconds"] for v in contenders(c).values()) * (1 + 1e-9) for c in cells)
		lru = sum(c["policies"][n]["seconds"] <= c["policies"]["lru"]["seconds"] * (1 + 1e-9) for c in cells)
		mean = {k: sum(c["policies"][n][k] for c in cells) / len(cells) * 100 for k in ("hit_ratio", "saved", "regret")}
		lines.append("| %s | %d (%.0f %%) | %d | %.1f %% | %.1f %% | %.1f %% |" % (n, first, 100 * first / len(cells), lru, mean["hit_ratio"], mean["saved"], mean["regret"]))
	return lines


def behind(cells):
	lines = []
	for c in cells:
		mine, best = c["policies"]["couler+"]["seconds"], min(contenders(c), key=lambda n: c["policies"][n]["seconds"])
		if mine > c["policies"][best]["seconds"] * (1 + 1e-9):
			lines.append("- %s, %s edits, %s: %.2f %% behind %s" % (c["workload"], c["edits"], c["budget"], 100 * (mine / c["policies"][best]["seconds"] - 1), best))
		if mine > c["policies"]["lru"]["seconds"] * (1 + 1e-9):
			lines[-1] += "; behind lru by %.2f %%" % (100 * (mine / c["policies"]["lru"]["seconds"] - 1))
	return lines


def at_gb(cells):
	lines = ["| scenario, edits | " + " | ".join("%s: couler / lru / couler+" % b for b in ("10GB", "20GB", "30GB")) + " |", "|---|---|---|---|"]
	for key in dict.fromkeys((c["workload"], c["edits"]) for c in cells):
		row = {c["budget"]: c["policies"] for c in cells if (c["workload"], c["edits"]) == key}
		lines.append("| %s, %s | " % key + " | ".join(" / ".join("%.1f" % (100 * row[b][n]["hit_ratio"]) for n in ("couler", "lru", "couler+")) for b in ("10GB", "20GB", "30GB")) + " |")
	return lines


def optimum(cells):
	cells = [c for c in cells if "optimum" in c]
	if not cells:
		return []
	names = [n for n in cells[0]["policies"] if n not in ("all", "none")]
	lines = ["| trace, edits | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
	for key in dict.fromkeys((c["workload"], c["edits"]) for c in cells):
		mine = [c for c in cells if (c["workload"], c["edits"]) == key]
		lines.append("| %s, %s | " % key + " | ".join("%+.1f %%" % (100 * (sum(c["policies"][n]["seconds"] / c["optimum"] for c in mine) / len(mine) - 1)) for n in names) + " |")
	return lines


def page(a, b):
	cells = a["cells"] + b["cells"]
	out = ["Played on %s, %s; %d seeds, %d rounds, loading at %g s + bytes / (%g MB/s)." % (machine(), datetime.date.today().isoformat(), a["seeds"], a["rounds"], a["latency"], a["bandwidth"] / 1e6), "",
		"**All %d cells** (a workload, an edit model and a budget are a cell; `all` ignores the budget and is no contender):" % len(cells), "", *summary(cells), "",
		"**Time of the reruns, % of keeping nothing**, mean over the budgets (scenarios: 10, 20, 30 GB and 1 to 100 % of all bytes; traces: the shares):", "", *table(a["cells"]), "", *table(b["cells"]), "",
		"**Hit ratio in % at the budgets of the paper:**", "", *at_gb(a["cells"]), ""]
	if optimum(cells):
		out += ["**Against the best set for the next edit**, chosen anew by enumeration after each round (up to 12 steps), time of the reruns, mean over the budgets:", "", *optimum(cells), ""]
	lost = behind(cells)
	out += ["Cells in which `couler+` is not first (it plans for one edit ahead, and exchanges results by density and in ones, not over all sets):" if lost else "`couler+` is first in every cell.", "", *lost]
	return "\n".join(out).rstrip() + "\n"


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("--out", default="docs/optimizer.md")
	ap.add_argument("--svg", default="docs/cache-policies.svg")
	ap.add_argument("--scenarios")
	ap.add_argument("--traces")
	ap.add_argument("--seeds", default="30")
	o = ap.parse_args()
	load = lambda path, *args: json.load(open(path, encoding="utf-8")) if path else play(o.couler, "--seeds", o.seeds, *args)
	a = load(o.scenarios)
	b = load(o.traces, "--budget", SHARES, *sorted(glob.glob("tests/data/wfcommons/*.json")))
	text = open(o.out, encoding="utf-8").read()
	text = re.sub(r"(<!-- cache -->\n).*?(<!-- /cache -->)", lambda m: m.group(1) + "\n" + page(a, b) + "\n" + m.group(2), text, flags=re.S)
	with open(o.out, "w", encoding="utf-8") as f:
		f.write(text)
	if o.svg:
		subprocess.run([o.couler, "sim", "cache", "-f", "svg", "--seeds", o.seeds, "-o", os.path.abspath(o.svg)], check=True)


if __name__ == "__main__":
	main()
