#!/usr/bin/env python3
"""One program, one meaning, here and under Argo: differential.py COULER [--n 60] [--first 1] [--pods 4] [FILE.cw...]

Runs each program (of gen.py, or the files given) with `couler run`, and all of them together under the engine's own
controller (argo-run). Compares the end of the run, the status of every step, its exit code, every value and every
file. What Argo cannot carry (exit 4) is counted as refused. Last line: `N passed, N failed`. Needs what argo-run
needs: root, the right to mount and to make namespaces.
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
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
import conform  # noqa: E402
import differential as plans  # noqa: E402
import gen  # noqa: E402

PHASES = {"Succeeded": "succeeded", "Failed": "failed", "Error": "failed", "Skipped": "skipped", "Omitted": "skipped"}
# templates of the backend itself around a step's own
WITHIN = ("attempt", "over", "run", "none", "ask")


def segments(name):
	"""for-9(1:x.y).d[0].attempt: [("for-9", "1"), ("d", None), ("attempt", None)]; what stands in brackets may hold dots."""
	out, i = [], 0
	while i < len(name):
		m = re.compile(r"[^.(\[]*").match(name, i)
		i, word, index = m.end(), m.group(), None
		while i < len(name) and name[i] in "([":
			depth, start = 0, i
			while True:
				depth += (name[i] in "([") - (name[i] in ")]")
				i += 1
				if not depth:
					break
			if name[start] == "(":
				index = name[start + 1:i - 1]
		out.append((word, index))
		i += 1
	return out


def key_of(name, loops, calls=False):
	"""The step that a node is an instance of, as `couler run` calls it; None: no step. A region with an index is one of
	instances, or, with calls, a workflow that is called for each."""
	indices, prefix, parts = [], "", segments(name)
	if not parts or any(w in WITHIN for w, _ in parts):
		return None
	i = 0
	while i < len(parts):
		word, index = parts[i]
		last = i == len(parts) - 1
		if index is not None and ":" in index:
			indices.append(str(int(index.split(":")[0])))
		elif index is not None:
			return None                                              # an attempt
		if last:
			return prefix + word + "".join("[%s]" % k for k in indices)
		if word in loops:
			rounds = 0
			while i + 1 < len(parts) and parts[i + 1][0] == "next":
				rounds += 1
				i += 1
			if i == len(parts) - 1:
				return None
			indices.append(str(rounds))
		elif not (re.fullmatch(r"for-\d+(-\d+)?", word) or parts[i + 1][0] == word or (index is not None and not calls)):
			prefix += word + "".join("[%s]" % k for k in indices) + "."
			indices = []
		i += 1
	return None


class Argo:
	"""What a run under Argo left, by the keys of a local run."""

	def __init__(self, result, files, source):
		self.phase, self.message = result["phase"], result.get("message")
		self.steps, self.files = {}, {}
		loops = set(n.replace("_", "-") for n in re.findall(r"^\s*loop (\w+)", source, re.M))
		for n in result["nodes"]:
			keys = [k for k in {key_of(n["name"], loops), key_of(n["name"], loops, True)} if k]
			if not keys or n["type"] in ("TaskGroup", "StepGroup"):
				continue
			said = {p["name"]: p.get("value") for p in (n.get("outputs") or {}).get("parameters") or []}
			status = PHASES.get(n["phase"], n["phase"])
			code = re.search(r"\(exit code (\d+)\)", n.get("message") or "")
			code = int(code.group(1)) if code else None
			if status == "succeeded" and n["type"] == "Steps" and "exit-code" in said:
				status, code = said["status"], int(said["exit-code"])
			# a template of one step that is run for each element of a list has its values by name
			for key in keys:
				self.steps[key] = (status, code, said, os.path.join(files, result["name"], n["name"].replace("/", "_")), n.get("message"))
		root = next((n for n in result["nodes"] if n["name"] == ""), {})
		self.outputs = {p["name"]: p.get("value") for p in (root.get("outputs") or {}).get("parameters") or []}
		self.root = os.path.join(files, result["name"], ".root")


def value_differs(want, text):
	if isinstance(want, str):
		return conform.decode(text) != want
	try:
		return not conform.same(conform.parsed(text, want), want)
	except ValueError:
		return True


def compare_values(at, values, said, folder):
	bad = []
	for name, want in values.items():
		out = name.replace("_", "-")
		if isinstance(want, dict) and set(want) == {"path", "sha256"} or (isinstance(want, list) and want and isinstance(want[0], dict) and set(want[0]) == {"path", "sha256"}):
			path = os.path.join(folder, out)
			if not os.path.exists(path):
				bad.append("%s%s: no such artifact" % (at, name))
			elif isinstance(want, dict) and plans.digest(path) != plans.digest(want["path"]):
				bad.append("%s%s: another file" % (at, name))
			elif isinstance(want, list) and [plans.digest(os.path.join(path, n)) for n in sorted(os.listdir(path))] != [plans.digest(x["path"]) for x in want]:
				bad.append("%s%s: other files" % (at, name))
		elif want is None:
			if said.get(out) not in (None, "$null") or os.path.exists(os.path.join(folder, out)):
				bad.append("%s%s: absent locally, %r under Argo" % (at, name, said.get(out)))
		elif want == [] and os.path.isdir(os.path.join(folder, out)):
			if os.listdir(os.path.join(folder, out)):
				bad.append("%s%s: empty locally" % (at, name))
		elif want == [] and out not in said:
			continue                                                  # an empty list of files
		elif said.get(out) is None or value_differs(want, said[out]):
			bad.append("%s%s: %r locally, %r under Argo" % (at, name, want, said.get(out)))
	return bad


def argo_name(key):
	return key.replace("_", "-").replace("@", "-")


def compare(a, doc, b, sweeps):
	bad = []
	if (a == 0) != (b.phase == "Succeeded"):
		bad.append("exit %d locally, %s under Argo (%s)" % (a, b.phase, b.message))
	for key, s in doc["steps"].items():
		status, code, said, folder, message = b.steps.get(argo_name(key), (None, None, {}, "", None))
		if status is None and s["status"] == "skipped":
			continue
		if status != s["status"]:
			bad.append("step %s: %s locally, %s under Argo (%s)" % (key, s["status"], status, message))
			continue
		if status == "failed" and code is not None and s.get("exit_code") not in (None, code):
			bad.append("step %s: exit code %s locally, %s under Argo" % (key, s["exit_code"], code))
		if status == "succeeded" and key not in sweeps:
			bad += compare_values(key + ".", s.get("outputs") or {}, said, folder)
	if a == 0:
		bad += compare_values("", doc.get("outputs") or {}, b.outputs, b.root)
	return bad


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("couler")
	ap.add_argument("files", nargs="*")
	ap.add_argument("--n", type=int, default=60)
	ap.add_argument("--first", type=int, default=1)
	ap.add_argument("--pods", type=int, default=4)
	ap.add_argument("--timeout", default="8m")
	ap.add_argument("--run", default=os.path.join(conform.BIN, "argo-run"))
	ap.add_argument("--keep")
	o = ap.parse_intermixed_args()
	couler = os.path.abspath(o.couler)
	work = o.keep or tempfile.mkdtemp(prefix="couler-argo-")
	os.makedirs(work, exist_ok=True)
	files = [os.path.abspath(f) for f in o.files]
	for seed in range(o.first, o.first + (0 if files else o.n)):
		files.append(os.path.join(work, "seed%d.cw" % seed))
		with open(files[-1], "w", encoding="utf-8") as f:
			f.write(gen.generate(seed, pods=o.pods, files=seed % 2 == 0))
	passed = failed = refused = 0
	ready = []
	for file in files:
		name = os.path.basename(file)[:-3]
		out = os.path.join(work, name + ".yaml")
		p = subprocess.run([couler, "compile", os.path.basename(file), "-t", "argo", "--as", "workflow", "-o", out], cwd=os.path.dirname(file), capture_output=True, text=True)
		if p.returncode == 4:
			refused += 1
		elif p.returncode:
			failed += 1
			print("%s: compile: exit %d: %s" % (name, p.returncode, p.stderr[:600]))
		else:
			text = re.sub(r"\n  generateName: .*\n", "\n  name: %s\n" % name.replace("_", "-"), open(out, encoding="utf-8").read(), count=1)
			with open(out, "w", encoding="utf-8") as f:
				f.write(text)
			ready.append((name, file, out))
	folder = os.path.join(work, "files")
	p = subprocess.run([o.run, "-together", "-parallelism", "12", "-timeout", o.timeout, "-outputs", folder, *[r[2] for r in ready]], capture_output=True, text=True)
	results = {}
	for line in p.stdout.splitlines():
		d = json.loads(line)
		results[d["name"]] = d
	if not results:
		print(p.stderr[-2000:])
	for name, file, _ in ready:
		local = os.path.join(work, name + ".json")
		env = dict(os.environ, COULER_CACHE=os.path.join(work, "cache-" + name), NO_COLOR="1")
		q = subprocess.run([couler, "run", os.path.basename(file), "--outputs-json", local, "-j", "2"], cwd=os.path.dirname(file), env=env, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
		r = results.get(name.replace("_", "-"))
		if r is None or not os.path.exists(local):
			bad = ["argo-run says nothing of it" if r is None else "couler run: exit %d: %s" % (q.returncode, q.stderr[-400:])]
		else:
			source = open(file, encoding="utf-8").read()
			bad = compare(q.returncode, json.load(open(local, encoding="utf-8")), Argo(r, folder, source), set(re.findall(r"^\s*sweep (\w+)", source, re.M)))
		if bad:
			failed += 1
			print("%s: %s" % (name, "; ".join(bad[:4])))
		else:
			passed += 1
	if not o.keep:
		shutil.rmtree(work, ignore_errors=True)
	print("%d refused by the engine" % refused)
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed or not passed else 0


if __name__ == "__main__":
	sys.exit(main())
