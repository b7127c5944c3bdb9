#!/usr/bin/env python3
"""Parts that are runs of their own, under the engine's controller: children.py COULER [--n 4]

Programs are compiled with --split-pods so small that they become several Workflows, which the first one starts; the oracle
takes them, and what comes out under the engine's controller is what `couler run` gives of the program in one piece. Last
line: `N passed, N failed`.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
import split_gen  # noqa: E402
from jobs import BIN, HOSTILE, contents, same, there  # noqa: E402

COULER = os.path.abspath(sys.argv[1])
passed = failed = 0


def chain(fails=None):
	"""20 steps one after the other, with values that the engine would rewrite, files, a folder and a list of files."""
	out = ['''workflow big {
  param word: string = "plain"
  param n: int = 2
  defaults { image = "sh" }
  labels { team = "growth" }
  timeout = 1h
  keep = 1d
  argo = \'\'\'
    podMetadata: { labels: { cost: "a" } }
    onExit: ""
  \'\'\'
  step make {
    in n
    out odd: string
    out d: dir
    out f: file
    out parts: list<file>
    code = ["odd.txt"]
    run = """
      cat odd.txt > "$odd"
      mkdir "$d" "$parts"; echo "dir $n" > "$d/a"; echo "file $n" > "$f"; echo p1 > "$parts/x"; echo p2 > "$parts/y"
    """
  }
  step s0 { in odd = make.odd; in f: file = make.f; in word; out v: int; out t: string; out g: file; run = """echo 1 > "$v"; printf '%s' "$odd" > "$t"; cat "$f" > "$g"; echo "$word" >> "$g" """ }''']
	for i in range(1, 19):
		out.append('''  step s%d {
    in a: int = s%d.v; in b: string = s%d.t; in h: file = s%d.g; in d: dir = make.d; in ps = make.parts; in id: string = workflow.run_id
    out v: int; out t: string; out g: file
    run = """
      echo $((a+1)) > "$v"; printf '%%s' "$b" > "$t"; { cat "$h" "$d/a" "$ps"/*; echo step %d; } > "$g"; [ -n "$id" ]%s
    """
  }''' % (i, i - 1, i - 1, i - 1, i, "; exit 3" if i == fails else ""))
	out.append("  out v = s18.v\n  out t = s18.t\n  out g = s18.g\n  out d = make.d\n  out ps = make.parts\n}\n")
	return "\n".join(out)


REGIONS = '''
task trial { in lr: float; in base: file; out loss: float; out model: file; run = """echo "$lr" > "$loss"; { cat "$base"; echo "$lr"; } > "$model" """ }
workflow regions {
  max_parallel = 4
  param names: list<string> = ["a b", "{{c}}", "$d"]
  defaults { image = "sh" }
  step start { out t: time; out f: file; out k: int; run = """echo 2026-01-02T03:04:05Z > "$t"; echo base > "$f"; echo 3 > "$k" """ }
  step same { in at = workflow.start_time; in id = workflow.run_id; out ok: int; run = """[ -n "$at" ] && [ -n "$id" ]; echo 1 > "$ok" """ }
  for x in names {
    step each { in x; in f = start.f; out o: file; out s: string; run = """{ cat "$f"; printf '%s' "$x"; } > "$o"; printf '(%s)' "$x" > "$s" """ }
  }
  step join { in parts = each.o; in all = each.s; out text: string = stdout; out whole: file; run = """cat "$parts"/*; printf '%s' "$all"; cat "$parts"/* > "$whole" """ }
  if start.k > 2 { step high { in w = join.whole; out o: file; run = """cp "$w" "$o" """ } }
  step pick { in f: file = join.whole; in h: string = high.status; after = [high?]; out o: file; run = """cat "$f" > "$o" """ }
  loop grow { max = 4; state m: file = pick.o; state i: int = 0; while i < 2; step more { in m; in i; out m2: file; out i2: int; run = """{ cat "$m"; echo "round $i"; } > "$m2"; echo $((i + 1)) > "$i2" """ }; next { m = more.m2; i = more.i2 } }
  sweep tune = trial(base = grow.m, lr = uniform(0.1, 0.9)) { search = random(trials = 3, seed = 7); minimize = loss }
  step end { in m = tune.best.model; in t = start.t; in i = grow.i; in ok = same.ok; out all: file; run = """{ cat "$m"; echo "$t $i $ok"; } > "$all" """ }
  step after_it { in m = end.all; out n: int; run = """wc -l < "$m" > "$n" """ }
  out text = join.text
  out all = end.all
  out n = after_it.n
  out best = tune.best.model
  on exit { step tell { in n = after_it.n ?? -1; run = """echo "$n" """ } }
}
'''


def ok(cond, name, more=""):
	global passed, failed
	passed += bool(cond)
	failed += not cond
	if not cond:
		print("FAIL %s: %s" % (name, str(more)[-1500:]))


def here(work, name):
	env = dict(os.environ, NO_COLOR="1", COULER_CACHE=os.path.join(work, name + "-cache"))
	p = subprocess.run([COULER, "run", name + ".cw", "-q", "--outputs-json", name + ".json"], cwd=work, capture_output=True, text=True, env=env)
	if not os.path.exists(os.path.join(work, name + ".json")):
		return None, p.stderr
	with open(os.path.join(work, name + ".json"), encoding="utf-8") as f:
		return {k: contents(v) for k, v in json.load(f)["outputs"].items()}, p.stderr


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("--n", type=int, default=4)
	o = ap.parse_args()
	work = tempfile.mkdtemp(prefix="couler-children-")
	programs = {"chain": (chain(), 8), "again": (chain(), 8), "fails": (chain(9), 8), "regions": (REGIONS, 30)}
	for seed in range(1, 4 * o.n):
		if len(programs) < o.n + 4:
			programs["random%d" % seed] = (split_gen.generate(seed, 14, soft=False), 8)
	with open(os.path.join(work, "odd.txt"), "w", encoding="utf-8", newline="") as f:
		f.write(HOSTILE)
	manifests, refused = {}, 0
	for name, (text, pods) in programs.items():
		with open(os.path.join(work, name + ".cw"), "w", encoding="utf-8") as f:
			f.write(re.sub(r"^workflow (big|regions) ", "workflow %s " % name, text, flags=re.M))
		path = os.path.join(work, name + ".yaml")
		p = subprocess.run([COULER, "compile", "-t", "argo", name + ".cw", "--split-pods", str(pods), "-o", path], cwd=work, capture_output=True, text=True, env=dict(os.environ, NO_COLOR="1"))
		if name.startswith("random") and p.returncode == 1 and "CW1205" in p.stderr:
			refused += 1
			continue
		ok(p.returncode == 0, name + " compiles", p.stderr)
		if p.returncode == 0:
			manifests[name] = path
			made = open(path, encoding="utf-8").read().count("workflowTemplateRef:")
			ok(made >= 2 or name.startswith("random"), "%s starts %d runs" % (name, made))
	ok(refused <= o.n, "too many were refused", refused)
	# a pod that is started again finds the run that is there: here what fails first is that the run is running
	with open(manifests["again"], encoding="utf-8") as f:
		text = f.read()
	for old, new in (("status.phase in (Failed, Error)", "status.phase == Running"), ("!(lastRetry.message contains 'failure condition')", "true"),
			("limit: 3", "limit: 60"), ('duration: "10s"', 'duration: "1s"'), ("factor: 2", "factor: 1")):
		ok(text.count(old) == 3, "the manifest says " + old, text.count(old))
		text = text.replace(old, new)
	with open(manifests["again"], "w", encoding="utf-8") as f:
		f.write(text)
	p = subprocess.run([os.path.join(BIN, "argo-oracle"), "-text", *manifests.values()], capture_output=True, text=True)
	ok(p.returncode == 0, "the oracle takes them", p.stdout)
	files = os.path.join(work, "files")
	p = subprocess.run([os.path.join(BIN, "argo-run"), "-together", "-parallelism", "12", "-timeout", "9m", "-outputs", files, *manifests.values()], capture_output=True, text=True)
	reports = {os.path.basename(r["file"])[:-5]: r for r in map(json.loads, filter(None, p.stdout.split("\n")))}
	for name in manifests:
		report = reports.get(name)
		want, said = here(work, name)
		nodes = report["nodes"] if report else []
		if name == "fails":
			phases = {n["name"]: n["phase"] for n in nodes}
			ok(report and report["phase"] == "Failed" and phases.get("fails-part-2") == "Failed" and phases.get("fails-part-3") == "Omitted", "the failure of a run fails the one that started it", phases)
			continue
		ok(report and (report["phase"] == "Succeeded") == (want is not None), name + " ends as it does here",
			(said, p.stderr[-800:], [(n["name"], n["phase"], n.get("message")) for n in nodes if n["phase"] not in ("Succeeded", "Skipped")]))
		got = there(report, name, files) if report else {}
		for key, value in (want or {}).items():
			ok(key in got and same(value, got[key]), "%s: output %s" % (name, key), (value, got.get(key)))
		if name == "again":
			tries = [n for n in nodes if re.match(r"again-part-1.*\.run\(\d+\)$", n["name"])]
			ok(len(tries) > 1 and sum(n["phase"] == "Succeeded" for n in tries) == 1, "a pod that starts again finds the run", [(n["name"], n["phase"]) for n in tries])
	shutil.rmtree(work, ignore_errors=True)
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed or not passed else 0


if __name__ == "__main__":
	sys.exit(main())
