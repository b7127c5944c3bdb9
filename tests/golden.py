#!/usr/bin/env python3
"""Golden outputs by sibling name: golden.py COULER [--update] [FOLDER...]

Beside NAME.cw (for examples/NAME.cw, in tests/golden/examples) may stand NAME.argo.yaml, NAME.airflow.json, NAME.sh, NAME.ir.json (what `couler compile -t` gives),
NAME.dot, NAME.txt (couler graph), NAME.fmt (couler fmt; without it the file itself is in canonical form if its
folder is examples/), NAME.err (what `couler check` prints, with exit code 1) and NAME.argo.err and the like (how an
engine refuses, with exit code 4), NAME.run.json (what `couler run` gives: its exit code, the outputs of the workflow with files by
their SHA-256, status and exit code of each step that did not succeed). A first line `# flags: ...`
of the .cw file holds options for compile. --update rewrites the siblings that exist; read the diff.
Last line: `N passed, N failed`.
"""
import difflib
import json
import os
import re
import subprocess
import sys
import tempfile

# suffix, command, exit code; what comes with an exit code other than 0 is read from standard error
KINDS = [
	*((suffix, ["compile", "-t", target], 0) for suffix, target in ((".argo.yaml", "argo"), (".airflow.json", "airflow"), (".sh", "shell"), (".ir.json", "ir"))),
	*((".%s.err" % target, ["compile", "-t", target], 4) for target in ("argo", "airflow", "shell")),
	(".run.json", ["run"], None), (".dot", ["graph", "-f", "dot"], 0), (".txt", ["graph", "-f", "text"], 0), (".fmt", ["fmt"], 0), (".err", ["check"], 1),
]


def run(couler, folder, name, env):
	"""A run in a fresh store: what it gives, as text, and what it printed."""
	with tempfile.TemporaryDirectory() as tmp:
		env = dict(env, COULER_CACHE=os.path.join(tmp, "cache"))
		p = subprocess.run([couler, "run", name, "--outputs-json", os.path.join(tmp, "out.json")], cwd=folder, env=env,
			capture_output=True, text=True, stdin=subprocess.DEVNULL)
		r = json.load(open(os.path.join(tmp, "out.json"), encoding="utf-8"))
	outs = {k: v["sha256"] if isinstance(v, dict) and set(v) == {"path", "sha256"} else v for k, v in r["outputs"].items()}
	steps = {k: [v["status"], v["exit_code"]] for k, v in r["steps"].items() if v["status"] != "succeeded"}
	return json.dumps({"exit": p.returncode, "outputs": outs, "steps": steps}, indent=1, ensure_ascii=False) + "\n", p.stderr


def main():
	args = [a for a in sys.argv[1:] if a != "--update"]
	update = "--update" in sys.argv
	couler, folders = os.path.abspath(args[0]), args[1:] or ["tests/golden", "examples"]
	passed = failed = 0
	for folder in folders:
		for name in sorted(n for n in os.listdir(folder) if n.endswith(".cw")):
			stem = os.path.join(folder, name[:-3])
			head = re.match(r"# flags: (.*)", open(os.path.join(folder, name), encoding="utf-8", errors="replace").readline())
			flags = head.group(1).split() if head else []
			if folder == "examples":
				stem = os.path.join("tests/golden/examples", name[:-3])
			kinds = [(s, c, code) for s, c, code in KINDS if os.path.exists(stem + s)]
			if not kinds:
				failed += 1
				print("%s: no golden of it: %s.argo.yaml for one" % (name, stem))
			for suffix, command, want_code in kinds:
				env = dict(os.environ, NO_COLOR="1", LC_ALL="C.UTF-8")
				if command[0] == "run":
					got, err = run(couler, folder, name, env)
					code = want_code
				else:
					p = subprocess.run([couler, *command, *(flags if command[0] == "compile" else []), name], cwd=folder, env=env, capture_output=True, text=True)
					got, err, code = p.stderr if want_code else p.stdout, p.stderr, p.returncode
				old = open(stem + suffix, encoding="utf-8").read()
				if code != want_code:
					failed += 1
					print("%s: couler %s: exit %d, expected %d\n%s" % (stem + suffix, " ".join(command), code, want_code, err[:2000]))
				elif got != old and update:
					open(stem + suffix, "w", encoding="utf-8").write(got)
					print("updated %s" % (stem + suffix))
					passed += 1
				elif got != old:
					failed += 1
					print("%s differs:" % (stem + suffix))
					print("\n".join(list(difflib.unified_diff(old.splitlines(), got.splitlines(), "golden", "now", lineterm="", n=2))[:40]))
				else:
					passed += 1
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
