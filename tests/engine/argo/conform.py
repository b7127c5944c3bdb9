#!/usr/bin/env python3
"""Runs programs under Argo's own controller and compares what they leave with what they should.

conform.py COULER [--oracle PROGRAM] [--run PROGRAM] [--only GLOB] [-j N] [--keep DIR] [FOLDER...]

A program is NAME.cw with NAME.expect.json beside it (the format of the acceptance programs: params, outputs, status of
steps, probe files). Each is compiled with -t argo, judged by argo-oracle, and run by argo-run, all of them together
under one controller. A line each; last line `N passed, N failed`. Needs what argo-run needs (root, mounts) and PyYAML.
"""
import argparse
import fnmatch
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

BIN = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "couler-dev", "bin")
PROBE = "/couler-probe"
# What a container does otherwise, by the language: without `code` it starts in its image's folder, and variables of couler's
# own environment have no way into it.
# Steps that fail then, and outputs that differ.
ELSEWHERE = {"tmp_dir": {"plain"}, "env_isolated": {"leak"}}
MAY_FAIL = {"tmp_dir": {"plain"}}


def decode(text):
	"""T: the bytes that Argo would rewrite, as \\0ooo."""
	return re.sub(r"\\0([0-7]{3})", lambda m: chr(int(m.group(1), 8)), text)


def parsed(text, want):
	"""The value that a parameter holds, as JSON: a json text, or a list whose elements are texts."""
	try:
		value = json.loads(text)
	except ValueError:
		return json.loads(decode(text))
	if isinstance(value, list) and all(isinstance(v, str) for v in value):
		value = [decode(v) for v in value]
		if isinstance(want, list) and any(not isinstance(w, str) for w in want):
			value = [json.loads(v) for v in value]
	return value


def same(a, b):
	if isinstance(a, bool) or isinstance(b, bool):
		return a is b
	if isinstance(a, (int, float)) and isinstance(b, (int, float)):
		return float(a) == float(b)
	if isinstance(a, list) and isinstance(b, list):
		return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
	if isinstance(a, dict) and isinstance(b, dict):
		return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
	return a == b


class Program:
	def __init__(self, folder, name, options):
		self.folder, self.name, self.options = folder, name, options
		self.expect = json.load(open(os.path.join(folder, name + ".expect.json")))
		self.problems = []
		self.manifest = None

	def wrong(self, text, *args):
		self.problems.append(text % args if args else text)

	def params(self):
		out = []
		for k, v in (self.expect.get("params") or {}).items():
			out += ["-p", "%s=%s" % (k, v.replace("@probe@", PROBE + "/" + self.name))]
		return out

	def compile(self, out):
		wanted = (self.expect.get("compile") or {}).get("argo")
		allowed = wanted if isinstance(wanted, list) else [wanted]
		values = "".join((self.expect.get("params") or {}).values())
		strict = ["--set", "argo.strict=on"] if re.search(r"[\\${\[\n\r\t]|[^\x00-\uffff]", values) else []
		p = subprocess.run([self.options.couler, "compile", "-t", "argo", *strict, *self.params(), self.name + ".cw"], cwd=self.folder, capture_output=True, text=True,
			env=dict(os.environ, NO_COLOR="1"))
		result = {0: "ok", 4: "capability"}.get(p.returncode, "exit %d" % p.returncode)
		if wanted is not None and result not in allowed:
			self.wrong("compile: %s, expected %s\n%s", result, wanted, p.stderr[:1500])
		elif wanted is None and result not in ("ok", "capability"):
			self.wrong("compile: %s\n%s", result, p.stderr[:1500])
		if p.returncode == 0:
			self.manifest = os.path.join(out, self.name + ".yaml")
			open(self.manifest, "w").write(p.stdout)
		return p.returncode == 0

	def runnable(self):
		"""The same document with a name, and the probe folder mounted where the program leaves marks."""
		docs = [d for d in yaml.safe_load_all(open(self.manifest)) if d]
		for d in docs:
			if d["kind"] not in ("Workflow", "WorkflowTemplate", "CronWorkflow"):
				continue
			d["metadata"].pop("generateName", None)
			d["metadata"]["name"] = self.name.replace("_", "-")
			spec = d["spec"].get("workflowSpec", d["spec"])
			if "probe" not in self.expect:
				continue
			spec.setdefault("volumes", []).append({"name": "probe", "hostPath": {"path": PROBE + "/" + self.name}})
			for kind in ("script", "container"):
				defaults = spec.setdefault("templateDefaults", {}).setdefault(kind, {})
				defaults.setdefault("volumeMounts", []).append({"name": "probe", "mountPath": PROBE + "/" + self.name})
		path = self.manifest[:-5] + ".run.yaml"
		with open(path, "w") as f:
			# as JSON: what this library writes plain, such as n, others read as a bool
			f.write("\n---\n".join(json.dumps(d, ensure_ascii=False) for d in docs) + "\n")
		return path

	# ---- what came of it ----

	def check(self, result, files, probe):
		self.nodes = result.get("nodes") or []
		expect_exit = self.expect.get("exit", 0)
		exits = expect_exit if isinstance(expect_exit, list) else [expect_exit]
		good = result.get("phase") == "Succeeded"
		if result.get("phase") not in ("Succeeded", "Failed", "Error"):
			self.wrong("phase %s: %s", result.get("phase"), result.get("message"))
		elif self.name in MAY_FAIL:
			for n in self.nodes:
				if n["name"] and "." not in n["name"] and "(" not in n["name"] and n["phase"] != "Succeeded" and n["name"] not in MAY_FAIL[self.name]:
					self.wrong("step %s: %s", n["name"], n["phase"])
		elif good != (0 in exits) and not (0 in exits and len(exits) > 1):
			self.wrong("phase %s (%s), expected exit %s", result.get("phase"), result.get("message"), expect_exit)
		root = next((n for n in self.nodes if n["name"] == ""), {})
		outputs = root.get("outputs") or {}
		if good:
			for name, want in (self.expect.get("outputs") or {}).items():
				if name not in ELSEWHERE.get(self.name, ()):
					self.check_output(name.replace("_", "-"), want, outputs, files)
		for status in ("succeeded", "failed", "skipped"):
			for step in self.expect.get(status) or []:
				self.check_status(step, status)
		self.check_probe(probe)
		for text in self.expect.get("output_contains") or []:
			if not any(text in (n.get("message") or "") or text in (n.get("log") or "") for n in self.nodes):
				self.wrong("nothing says %r", text)

	def check_output(self, name, want, outputs, files):
		params = {p["name"]: p.get("value", "") for p in outputs.get("parameters") or []}
		path = os.path.join(files, self.name.replace("_", "-"), ".root", name)
		try:
			if "text" in want:
				got = decode(params[name])
				if got != want["text"]:
					self.wrong("output %s: %r, expected %r", name, got, want["text"])
			elif "json" in want:
				got = parsed(params[name], want["json"])
				if not same(got, want["json"]):
					self.wrong("output %s: %s, expected %s", name, json.dumps(got), json.dumps(want["json"]))
			elif "file" in want:
				got = open(path, newline="").read()
				if got != want["file"]:
					self.wrong("output %s: %r, expected %r", name, got, want["file"])
			elif "files" in want:
				got = [open(os.path.join(path, n), newline="").read() for n in sorted(os.listdir(path))]
				if got != want["files"]:
					self.wrong("output %s: %r, expected %r", name, got, want["files"])
			else:
				got = {}
				for folder, _, names in os.walk(path):
					for n in names:
						at = os.path.join(folder, n)
						data = open(at, "rb").read()
						got[os.path.relpath(at, path)] = hashlib.sha256(data).hexdigest()[:12] if "dir_sha" in want else data.decode()
				if got != want.get("dir", want.get("dir_sha")):
					self.wrong("output %s: %r, expected %r", name, got, want)
		except (KeyError, OSError, ValueError) as e:
			self.wrong("output %s: %s %s, expected %s; there are %s", name, type(e).__name__, e, want, sorted(params))

	def check_status(self, step, want):
		names = {step.replace("_", "-"), step.replace("_", "-").strip("-")}
		found = [n for n in self.nodes if re.sub(r"\(\d+(:[^)]*)?\)$", "", n["name"].rsplit(".", 1)[-1]) in names and "(" not in n["name"].rsplit(".", 1)[-1].replace("(0)", "(")
			and n["name"].count(".") == 0]
		if not found:
			# in the body of a `for`, or held back with all that would have run it
			found = [n for n in self.nodes if n["name"].rsplit(".", 1)[-1] in names]
		if not found and want != "skipped":
			self.wrong("no node of step %s", step)
		for n in found:
			got = {"Succeeded": "succeeded", "Failed": "failed", "Error": "failed", "Skipped": "skipped", "Omitted": "skipped"}.get(n["phase"], n["phase"])
			said = {p["name"]: p.get("value") for p in (n.get("outputs") or {}).get("parameters") or []}.get("status")
			got = said if got == "succeeded" and said in ("succeeded", "failed", "skipped") else got
			if got != want:
				self.wrong("step %s: %s (%s), expected %s", n["name"], got, n.get("message"), want)

	def check_probe(self, probe):
		folder = os.path.join(probe, self.name)
		wanted = self.expect.get("probe") or {}
		for name, want in wanted.items():
			path = os.path.join(folder, name)
			there = os.path.exists(path)
			if want is None:
				if there:
					self.wrong("probe %s exists", name)
			elif isinstance(want, dict):
				if there != want["exists"]:
					self.wrong("probe %s: %s", name, "exists" if there else "is missing")
			elif not there:
				self.wrong("probe %s is missing", name)
			elif open(path).read() != want:
				self.wrong("probe %s: %r, expected %r", name, open(path).read(), want)
		if self.expect.get("probe_exact") and os.path.isdir(folder):
			more = sorted(set(os.listdir(folder)) - set(wanted))
			if more:
				self.wrong("probe has more: %s", more)


def programs(options):
	for folder in options.folders:
		for name in sorted(os.listdir(folder)):
			stem = name[:-3]
			if name.endswith(".cw") and os.path.exists(os.path.join(folder, stem + ".expect.json")) and fnmatch.fnmatch(stem, options.only):
				yield Program(folder, stem, options)


def main():
	ap = argparse.ArgumentParser()
	ap.add_argument("couler")
	ap.add_argument("--oracle", default=os.path.join(BIN, "argo-oracle"))
	ap.add_argument("--run", default=os.path.join(BIN, "argo-run"))
	ap.add_argument("--only", default="*")
	ap.add_argument("--timeout", default="4m")
	ap.add_argument("--keep")
	ap.add_argument("--no-run", action="store_true")
	ap.add_argument("folders", nargs="+")
	options = ap.parse_args()
	options.couler = os.path.abspath(options.couler)
	out = options.keep or tempfile.mkdtemp(prefix="conform")
	os.makedirs(out, exist_ok=True)
	todo = list(programs(options))
	compiled = [p for p in todo if p.compile(out)]
	if compiled:
		r = subprocess.run([options.oracle, "-supplied", *[p.manifest for p in compiled]], capture_output=True, text=True)
		verdicts = {os.path.basename(v["file"]): v for v in map(json.loads, r.stdout.splitlines())}
		for p in compiled:
			v = verdicts.get(p.name + ".yaml")
			if not v or not v["ok"]:
				p.wrong("oracle: %s", json.dumps(v and v["errors"], indent=1)[:3000])
	running = [p for p in compiled if p.expect.get("run", True)]
	if running and not options.no_run:
		files, work = os.path.join(out, "files"), os.path.join(out, "work")
		r = subprocess.run([options.run, "-together", "-logs", "-timeout", options.timeout, "-outputs", files, "-work", work, "-keep", *[p.runnable() for p in running]],
			capture_output=True, text=True)
		results = {}
		for line in r.stdout.splitlines():
			d = json.loads(line)
			results[d["name"]] = d
		with open(os.path.join(out, "results.json"), "w") as f:
			f.write(r.stdout)
		for p in running:
			d = results.get(p.name.replace("_", "-"))
			if not d:
				p.wrong("argo-run says nothing of it: %s", r.stderr[-1000:])
			else:
				p.check(d, files, os.path.join(work, "host", PROBE.strip("/")))
	failed = 0
	for p in todo:
		failed += bool(p.problems)
		print("%s %s%s" % ("FAIL" if p.problems else "ok  ", p.name, "".join("\n    " + q for q in p.problems)))
	if not options.keep:
		shutil.rmtree(out, ignore_errors=True)
	print("%d passed, %d failed" % (len(todo) - failed, failed))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
