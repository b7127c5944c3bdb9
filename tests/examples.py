#!/usr/bin/env python3
"""Examples that do real work, run here: examples.py COULER PYTHON-FOLDER

Each is run, looked at, run again (what has an artifact input is reused), resumed (everything is), broken and mended
(only what was broken and what follows it runs). PYTHON-FOLDER is the bin/ of a Python with examples/requirements.txt.
Last line: `N passed, N failed`, one result an example and question.
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Project:
	def __init__(self, couler, bin_folder, name):
		self.couler, self.name = os.path.abspath(couler), name
		self.dir = tempfile.mkdtemp(prefix="couler-example-")
		shutil.copytree(os.path.join(ROOT, "examples"), self.dir, dirs_exist_ok=True)
		self.env = {**os.environ, "PATH": os.path.abspath(bin_folder) + ":" + os.environ["PATH"]}

	def run(self, *args, code=0):
		out = os.path.join(self.dir, "out.json")
		p = subprocess.run([self.couler, "run", self.name + ".cw", "-j2", "--outputs-json", out, *args], cwd=self.dir, env=self.env, capture_output=True, text=True, timeout=600)
		assert p.returncode == code, "exit %d, not %d: %s" % (p.returncode, code, p.stderr[-3000:])
		with open(out, encoding="utf-8") as f:
			return json.load(f)

	def edit(self, path, old, new):
		path = os.path.join(self.dir, path)
		with open(path, encoding="utf-8") as f:
			text = f.read()
		assert old in text, "%s lacks %r" % (path, old)
		with open(path, "w", encoding="utf-8") as f:
			f.write(text.replace(old, new, 1))


def cached(doc):
	return {n for n, s in doc["steps"].items() if s["cached"]}


def sklearn_sweep(p, doc):
	o = doc["outputs"]
	assert float(o["accuracy"]) >= 0.9 and o["depth"] in ("2", "5"), o
	card = doc["steps"]["ship"]["outputs"]["card"]
	assert abs(card["accuracy"] - float(o["accuracy"])) < 1e-9 and len(card["model"]) == 12, card


def text_features(p, doc):
	words = doc["outputs"]["line"].split()
	assert words[0] in ("bayes", "logistic") and words[1:3] == ["wins", "with"] and float(words[3]) > 0.5, words
	accuracy = [float(doc["steps"]["fit[%d]" % i]["outputs"]["accuracy"]) for i in range(2)]
	assert float(words[3]) == max(accuracy), (words, accuracy)


def sqlite_etl(p, doc):
	with sqlite3.connect("file:%s?mode=ro&immutable=1" % doc["outputs"]["db"]["path"], uri=True) as db:
		tables = [t for (t,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
		rows = sum(db.execute('SELECT count(*) FROM "%s"' % t).fetchone()[0] for t in tables)
	assert tables and rows > 100, (tables, rows)
	assert int(doc["outputs"]["dropped"]) == sum(int(doc["steps"]["clean[%d]" % i]["outputs"]["dropped"]) for i in range(4))


def word_count(p, doc):
	assert int(doc["outputs"]["words"]) == sum(int(doc["steps"]["count[%d]" % i]["outputs"]["n"]) for i in range(6)) > 100
	assert doc["outputs"]["top"][0].split()[0] == "is", doc["outputs"]["top"]


def churn(p, doc):
	assert doc["steps"]["deploy"]["status"] == "succeeded", doc["steps"]["deploy"]


# name: a look at the results; a file to break: old text, new text; steps that run again once it is mended
EXAMPLES = {
	sklearn_sweep: ("sklearn_sweep/evaluate.py", "import", "raise SystemExit('broken')\nimport", {"evaluate", "ship"}),
	text_features: ("text_features/fit.py", "import", "raise SystemExit('broken')\nimport", None),                 # every step has the whole folder as its code
	sqlite_etl: ("sqlite_etl/load.py", "import", "raise SystemExit('broken')\nimport", None),
	word_count: ("word_count.cw", "total = collections.Counter()", "total = collections.Counter(", {"total"}),
	churn: ("churn/deploy.sh", "\n", "\nexit 9\n", {"deploy"}),
}


def questions(couler, bin_folder, look):
	"""[(question, what is wrong or None)]"""
	path, old, new, again = EXAMPLES[look]
	p, results = Project(couler, bin_folder, look.__name__), []

	def ask(question, f):
		try:
			results.append((question, f()))
		except (AssertionError, KeyError, ValueError, OSError, sqlite3.Error, subprocess.SubprocessError) as e:
			results.append((question, "%s: %s" % (type(e).__name__, e)))

	first = {}

	def runs():
		first.update(p.run())
		look(p, first)

	def reuses():
		again = p.run()
		assert first["outputs"] == again["outputs"], "outputs differ"
		assert cached(again), "nothing was reused"

	def resumes():
		doc = p.run("--resume", "last")
		left = {n for n, s in doc["steps"].items() if not s["cached"] and s["status"] == "succeeded" and s["attempts"]}
		assert not left, "ran again: %s" % sorted(left)

	def breaks():
		p.edit(path, old, new)
		doc = p.run("--no-cache", code=6)
		failed = {n for n, s in doc["steps"].items() if s["status"] == "failed"}
		assert failed, doc
		p.edit(path, new, old)
		doc = p.run("--resume", "last", "--no-cache")
		ran = {n for n, s in doc["steps"].items() if s["attempts"] and not s["cached"]}
		assert failed <= ran and (again is None or ran == again), "ran %s after %s had failed" % (sorted(ran), sorted(failed))
		look(p, doc)

	for question, f in (("runs", runs), ("reuses", reuses), ("resumes", resumes), ("goes on after a mend", breaks)):
		ask(question, f)
	shutil.rmtree(p.dir, ignore_errors=True)
	return results


def main():
	if len(sys.argv) < 3:
		sys.exit(__doc__)
	passed = failed = 0
	for look in EXAMPLES:
		if sys.argv[3:] and look.__name__ not in sys.argv[3:]:
			continue
		for question, wrong in questions(sys.argv[1], sys.argv[2], look):
			print("%s %s: %s%s" % ("FAIL" if wrong else "ok  ", look.__name__, question, ": " + wrong if wrong else ""), flush=True)
			passed, failed = passed + (not wrong), failed + bool(wrong)
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
