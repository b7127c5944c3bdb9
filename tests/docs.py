#!/usr/bin/env python3
"""Runs what the documentation shows: docs.py COULER

- README.md, docs/*.md: a fenced block `cw` whose first line is `# check` passes `couler check`; a block `console` holds
  lines `$ COMMAND` with their output: each is run in the project's folder (couler is the one under test) and must print it.
- man pages: the same for blocks between `.EX` and `.EE` that begin with `$ `.
- every diagnostic code has a help text (`couler help CODE`).
`...` in an expected output stands for any text. Last line: `N passed, N failed`.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))


def matches(want, got):
	"""Times and names of runs are those of the day."""
	want, got = (re.sub(r"\b\d{8}-\d{6}-[0-9a-f]{4}\b", "RUN", re.sub(r"\b\d+\.\d s\b", "N s", text)) for text in (want, got))
	pattern = ".*?".join(re.escape(part) for part in want.strip("\n").split("..."))
	return re.fullmatch(pattern, got.strip("\n"), re.S) is not None


def sessions(text):
	"""[(command, expected output)] of a console block."""
	found = []
	for line in text.splitlines():
		if line.startswith("$ "):
			found.append([line[2:], ""])
		elif found:
			found[-1][1] += line + "\n"
	return found


def main():
	couler = os.path.abspath(sys.argv[1])
	results = []
	work = tempfile.mkdtemp(prefix="couler-docs-")
	bin_dir = os.path.join(work, "bin")
	os.mkdir(bin_dir)
	os.symlink(couler, os.path.join(bin_dir, "couler"))
	tree = os.path.join(work, "tree")
	shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("build", ".git", ".couler"))
	env = dict(os.environ, PATH=bin_dir + ":" + os.environ["PATH"], NO_COLOR="1", COULER_CACHE=os.path.join(work, "cache"), LC_ALL="C.UTF-8", HOME=work)
	for path in sorted(["README.md", *glob.glob("docs/*.md", root_dir=ROOT), *glob.glob("man/*.[15]", root_dir=ROOT)]):
		text = open(os.path.join(ROOT, path), encoding="utf-8").read()
		blocks = re.findall(r"^```(\w+)\n(.*?)^```", text, re.S | re.M)
		if path.startswith("man/"):
			blocks = [("console", b.replace("\\-", "-").replace("\\(aq", "'").replace("\\&", "").replace("\\e", "\\")) for b in re.findall(r"^\.EX\n(.*?)^\.EE", text, re.S | re.M) if b.startswith("$ ")]
		for kind, block in blocks:
			if kind == "cw" and block.startswith("# check"):
				p = subprocess.run([couler, "check", "-"], input=block, cwd=tree, env=env, capture_output=True, text=True)
				results.append((path, block.splitlines()[1], None if p.returncode == 0 else p.stderr))
			elif kind == "console":
				for command, want in sessions(block):
					p = subprocess.run(command, shell=True, cwd=tree, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
					results.append((path, command, None if matches(want, p.stdout) else "printed:\n%s" % p.stdout))
	codes = re.findall(r"^DIAG\((\d{4}),", open(os.path.join(ROOT, "include/couler/diag_codes.h"), encoding="utf-8").read(), re.M)
	for code in codes:
		p = subprocess.run([couler, "help", "CW" + code], capture_output=True, text=True)
		ok = p.returncode == 0 and p.stdout.startswith("CW%s: " % code) and len(p.stdout.splitlines()) >= 3
		results.append(("codes", "couler help CW" + code, None if ok else p.stdout + p.stderr))
	for path, what, bad in results:
		if bad:
			print("%s: %s\n%s" % (path, what, bad))
	failed = sum(1 for r in results if r[2])
	print("%d passed, %d failed" % (len(results) - failed, failed))
	shutil.rmtree(work, ignore_errors=True)
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
