#!/usr/bin/env python3
"""The searches of `sweep` against their peers: search.py COULER SEARCH_ASK [--seeds 30] [--runs FILE.json]

Branin (50 trials), Hartmann6 (60) and a real model (scikit-learn's SGD classifier on its digits, four hyperparameters, 40
trials; error on held-out digits): regret after the same number of trials, by couler's tpe and random, Optuna's TPESampler
and RandomSampler, scikit-optimize's gp_minimize. Halving on the real model, 27 configurations from 1 to 27 epochs, by
couler's table, against random search and Optuna's SuccessiveHalvingPruner with the same number of epochs in all.
Prints a Markdown table. --runs keeps every run, and takes those that are in it: what was broken off goes on.
"""
import argparse
import datetime
import json
import math
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import warnings

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # before numpy: its threads get in each other's way

import numpy as np
import optuna
import skopt
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def branin(x):
	a, b = x
	return (b - 5.1 / (4 * math.pi ** 2) * a * a + 5 / math.pi * a - 6) ** 2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10


ALPHA = [1.0, 1.2, 3.0, 3.2]
A = np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]])
P = 1e-4 * np.array([[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991], [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]])


def hartmann6(x):
	return -sum(ALPHA[i] * math.exp(-float(np.sum(A[i] * (np.array(x) - P[i]) ** 2))) for i in range(4))


DIGITS = load_digits()
TRAIN, TEST, YTRAIN, YTEST = train_test_split(DIGITS.data / 16.0, DIGITS.target, test_size=0.4, random_state=0)


def digits(x, epochs=8):
	alpha, eta, power, ratio = x
	model = SGDClassifier(alpha=alpha, eta0=eta, power_t=power, l1_ratio=ratio, penalty="elasticnet", learning_rate="invscaling", max_iter=max(1, int(epochs)), tol=None, random_state=0)
	try:
		return 1 - model.fit(TRAIN, YTRAIN).score(TEST, YTEST)
	except ValueError:
		return 1.0


# name, function, its minimum (None: the least that any run found), space, trials
PROBLEMS = [
	("Branin", branin, 0.397887, [(-5, 10, "uniform"), (0, 15, "uniform")], 50),
	("Hartmann6", hartmann6, -3.32237, [(0, 1, "uniform")] * 6, 60),
	("digits", digits, None, [(1e-6, 1e-1, "log"), (1e-4, 1e1, "log"), (0.05, 0.95, "uniform"), (0, 1, "uniform")], 40),
]


def couler_tpe(ask, f, space, trials, seed):
	p = subprocess.Popen([ask, str(seed), str(trials), *("%r:%r:%s" % d for d in space)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
	losses = []
	for _ in range(trials):
		losses.append(f([float(v) for v in p.stdout.readline().split()]))
		p.stdin.write("%r\n" % losses[-1])
		p.stdin.flush()
	p.wait(30)
	return losses


def couler_random(_, f, space, trials, seed):
	"""What search = random draws: SplitMix64, docs/language.md, "Sampling"."""
	mask = 2 ** 64 - 1

	def mix(z):
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & mask
		z = (z ^ z >> 27) * 0x94d049bb133111eb & mask
		return z ^ z >> 31
	losses = []
	for t in range(trials):
		state, x = mix(seed + (t + 1) * 0x9e3779b97f4a7c15 & mask), []
		for lo, hi, kind in space:
			state = state + 0x9e3779b97f4a7c15 & mask
			u = (mix(state) >> 11) * 2.0 ** -53
			x.append(math.exp(math.log(lo) + u * (math.log(hi) - math.log(lo))) if kind == "log" else lo + u * (hi - lo))
		losses.append(f(x))
	return losses


def optuna_with(sampler):
	def search(_, f, space, trials, seed):
		losses = []

		def objective(trial):
			losses.append(f([trial.suggest_float("x%d" % i, lo, hi, log=kind == "log") for i, (lo, hi, kind) in enumerate(space)]))
			return losses[-1]
		optuna.create_study(sampler=sampler(seed=seed)).optimize(objective, n_trials=trials)
		return losses
	return search


def skopt_gp(_, f, space, trials, seed):
	r = skopt.gp_minimize(f, [skopt.space.Real(lo, hi, prior="log-uniform" if kind == "log" else "uniform") for lo, hi, kind in space], n_calls=trials, random_state=seed)
	return list(r.func_vals)


METHODS = {"couler tpe": couler_tpe, "couler random": couler_random, "Optuna TPESampler": optuna_with(optuna.samplers.TPESampler), "Optuna RandomSampler": optuna_with(optuna.samplers.RandomSampler),
	"scikit-optimize gp_minimize": skopt_gp}


# ---- halving ----

def halving_table(couler, seed):
	"""Configurations and rungs as the compiler lays them out."""
	text = """task t { in alpha: float; in eta: float; in power: float; in ratio: float; in epochs: int; out err: float; run = '''true''' }
workflow w { sweep s = t(alpha = log_uniform(1e-6, 1e-1), eta = log_uniform(1e-4, 1e1), power = uniform(0.05, 0.95), ratio = uniform(0, 1)) {
  search = halving(trials = 27, seed = %d, factor = 3, budget = epochs, min = 1, max = 27); minimize = err } }
""" % seed
	with tempfile.NamedTemporaryFile("w", suffix=".cw") as f:
		f.write(text)
		f.flush()
		doc = json.loads(subprocess.run([couler, "compile", f.name, "-t", "ir"], capture_output=True, text=True, check=True).stdout)
	found = []

	def walk(x):
		if isinstance(x, dict):
			if "rungs" in x and "table" in x:
				found.append(x)
			for v in x.values():
				walk(v)
		elif isinstance(x, list):
			for v in x:
				walk(v)
	walk(doc)
	return [[float(v["v"]) for v in row] for row in found[0]["table"]], [(r["n"], r["budget"]) for r in found[0]["rungs"]]


def halving_couler(couler, seed):
	table, rungs = halving_table(couler, seed)
	alive, best, epochs = list(range(len(table))), None, 0
	for n, budget in rungs:
		scores = sorted((digits(table[t], budget), t) for t in alive[:n] if t < len(table)) if len(alive) <= n else None
		if scores is None:
			raise ValueError("a rung has more trials than it says")
		epochs += budget * len(scores)
		best = scores[0][0]
		alive = [t for _, t in scores][:max(1, math.ceil(len(scores) / 3))]
	return best, epochs


def halving_random(_, seed, epochs):
	r, best = random.Random(seed), 1.0
	for _ in range(max(1, int(epochs // 27))):
		best = min(best, digits([math.exp(r.uniform(math.log(1e-6), math.log(1e-1))), math.exp(r.uniform(math.log(1e-4), math.log(1e1))), r.uniform(0.05, 0.95), r.random()], 27))
	return best


def halving_optuna(_, seed, epochs):
	used = [0]

	def objective(trial):
		x = [trial.suggest_float("a", 1e-6, 1e-1, log=True), trial.suggest_float("e", 1e-4, 1e1, log=True), trial.suggest_float("p", 0.05, 0.95), trial.suggest_float("r", 0, 1)]
		err, spent = 1.0, 0
		for rung in (1, 3, 9, 27):
			err = digits(x, rung)
			used[0] += rung - spent                               # trained on, not from the start: to its favour
			spent = rung
			trial.report(err, rung)
			if rung < 27 and trial.should_prune():
				raise optuna.TrialPruned()
			if used[0] >= epochs:
				trial.study.stop()
				break
		return err
	study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed), pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3))
	study.optimize(objective, n_trials=1000)
	done = [t.value for t in study.trials if t.value is not None]
	return min(done) if done else 1.0


def middle(v):
	return "%.4g (%.3g to %.3g)" % (statistics.median(v), np.percentile(v, 25), np.percentile(v, 75))


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("ask")
	ap.add_argument("--seeds", type=int, default=30)
	ap.add_argument("--methods", default=",".join(METHODS))
	ap.add_argument("--problems", default="Branin,Hartmann6,digits,halving")
	ap.add_argument("--out", help="a page: written between <!-- search --> and <!-- /search -->")
	ap.add_argument("--runs", default="", help="a file")
	o = ap.parse_args()
	methods = [m for m in METHODS if m in o.methods.split(",")]
	problems = [p for p in PROBLEMS if p[0] in o.problems.split(",")]
	kept = json.load(open(o.runs, encoding="utf-8")) if o.runs and os.path.exists(o.runs) else {}

	def once(key, f):
		if key not in kept:
			kept[key] = f()
			if o.runs:
				with open(o.runs + ".new", "w", encoding="utf-8") as out:
					json.dump(kept, out)
				os.replace(o.runs + ".new", o.runs)
		return kept[key]
	runs, lines = {}, ["30 seeds" if o.seeds == 30 else "%d seeds" % o.seeds]
	lines[0] += ", %s, Optuna %s%s." % (datetime.date.today().isoformat(), optuna.__version__, ", scikit-optimize " + skopt.__version__ if "scikit-optimize gp_minimize" in methods else "")
	for name, f, _, space, trials in problems:
		for m in methods:
			runs[name, m] = [once("%s/%s/%d" % (name, m, seed), lambda: [float(v) for v in METHODS[m](o.ask, f, space, trials, seed)]) for seed in range(1, o.seeds + 1)]
			print("%s, %s done" % (name, m), file=sys.stderr)
	lines += ["", "| search | " + " | ".join("%s, %d trials" % (p[0], p[4]) for p in problems) + " |", "|---|" + "---|" * len(problems)]
	for m in methods:
		cells = []
		for name, _, least, _, _ in problems:
			low = least if least is not None else min(min(r) for k in methods for r in runs[name, k])
			cells.append(middle([min(r) - low for r in runs[name, m]]))
		lines.append("| %s | %s |" % (m, " | ".join(cells)))
	halving = {"couler halving": [], "random, 27 epochs each": [], "Optuna SuccessiveHalvingPruner": []}
	for seed in range(1, o.seeds + 1 if "halving" in o.problems.split(",") else 1):
		err, epochs = once("halving/couler/%d" % seed, lambda: halving_couler(o.couler, seed))
		halving["couler halving"].append(err)
		halving["random, 27 epochs each"].append(once("halving/random/%d" % seed, lambda: halving_random(None, seed, epochs)))
		halving["Optuna SuccessiveHalvingPruner"].append(once("halving/optuna/%d" % seed, lambda: halving_optuna(None, seed, epochs)))
	if halving["couler halving"]:
		lines += ["", "| halving on digits, %d epochs in all | error |" % epochs, "|---|---|"] + ["| %s | %s |" % (k, middle(v)) for k, v in halving.items()]
	print("\n".join(lines))
	if o.out:
		text = open(o.out, encoding="utf-8").read()
		with open(o.out, "w", encoding="utf-8") as f:
			f.write(re.sub(r"(<!-- search -->\n).*?(<!-- /search -->)", lambda m: m.group(1) + "\n" + "\n".join(lines) + "\n\n" + m.group(2), text, flags=re.S))


if __name__ == "__main__":
	main()
