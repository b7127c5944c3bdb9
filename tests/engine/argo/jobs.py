#!/usr/bin/env python3
"""Jobs on Argo: jobs.py COULER

Programs with jobs are compiled, held against the oracle, and run under the engine's controller, with stand-ins for the
operators that make pods of PyTorchJob, TFJob, MPIJob and RayJob. Their outputs are those of `couler run`, where that
carries the job, or those written here. Last line: `N passed, N failed`.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from conform import decode  # noqa: E402

BIN = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "couler-dev", "bin")
COULER = os.path.abspath(sys.argv[1])
passed = failed = 0

# Braces, dollars, quotes, what YAML or Kubernetes reads, C1 and line separators of Unicode, a backslash at the end.
HOSTILE = "a\"b' {{=1+1}} {{workflow.name}} $(HOME) $$ \\n [x] %s\n# : é\t- x\u0085\u2028😀 \\"

MAKE = '''
  step make {
    out odd: string
    out list: list<string>
    out dir: dir
    out one: file
    code = ["odd.txt"]
    run = """
      cat odd.txt > "$odd"
      printf '%s' '["a {{x}}", "$$", "e\\\\n"]' > "$list"
      mkdir "$dir"; echo 1 > "$dir/a"; echo data > "$one"
    """
  }
'''


def program(body, outs=""):
	return 'workflow jobs {\n  volume shared { size = 1Gi; mode = rwx }\n  param who: string = "plain"\n  param n: int = 2\n  defaults { image = "sh"; mounts { "/work" = shared } }\n%s%s\n%s}\n' % (MAKE, body, outs)


# name: text, and what comes of it; None: the same as locally
PROGRAMS = {
	"pytorch": (program('''
  step fit {
    in odd = make.odd
    in list = make.list
    in who
    in d = make.dir
    in vocab: file named "v.txt" = make.one
    out same: string
    out lists: list<string>
    out model: file named "m.bin"
    out parts: list<file>
    out rank: int
    out text: string = stdout
    code = ["odd.txt", "lib/tool.sh"]
    env { MORE = "x ${odd} $$ {{y}}" }
    job pytorch { workers = n + 1; run = """
      # braces {{ }} $(odd) $$
      [ "$MORE" = "x $odd "'$$ {{y}}' ]
      [ "$WORLD_SIZE" = 3 ] && [ -n "$MASTER_ADDR" ] && [ -n "$MASTER_PORT" ]
      cmp odd.txt "$CW_CODE/odd.txt"; printf '%s' "$odd" | cmp - odd.txt
      . lib/tool.sh
      tool "$vocab" "$d/a" > "$model"; basename "$vocab" >> "$model"; echo "$RANK $who" >> "$model"
      printf '%s' "$odd" > "$same"; printf '%s' "$list" > "$lists"; echo "$RANK" > "$rank"
      mkdir "$parts"; echo p1 > "$parts/x"; echo p2 > "$parts/y"
      echo "rank $RANK of $WORLD_SIZE"
    """ }
  }
''', "  out same = fit.same\n  out lists = fit.lists\n  out model = fit.model\n  out parts = fit.parts\n  out rank = fit.rank\n  out text = fit.text\n"), None),
	"tensorflow": (program('''
  step fit {
    in odd = make.odd
    out same: string
    out rank: json
    out sum: string
    shell = bash
    code = ["lib/big.txt", "lib/tool.sh"]
    job tensorflow { workers = 2; ps = 1; run = """
      . lib/tool.sh
      tool lib/big.txt | cksum > "$sum"
      if [[ $TF_CONFIG == *'"type":"ps"'* ]]; then sleep 60; fi
      printf '%s' "$odd" > "$same"
      [[ $TF_CONFIG == *'"type":"worker"'* ]] && echo "{\\"rank\\": $RANK}" > "$rank"
    """ }
  }
''', "  out same = fit.same\n  out rank = fit.rank\n  out sum = fit.sum\n"), None),
	"mpi": (program('''
  step fit {
    in odd = make.odd
    in n
    out same: string
    out ranks: file
    job mpi { workers = n; slots = 2; run = """
      printf '%s' "$odd" > "$same"
      [ "$WORLD_SIZE" = "$n" ]
      echo "$RANK" > "$ranks"
    """ }
  }
''', "  out same = fit.same\n  out ranks = fit.ranks\n"), None),
	"ray": (program('''
  step fit {
    in odd = make.odd
    in n
    out same: string
    out text: string = stdout
    shell = python3
    job ray { workers = n; run = """
      import os
      open(os.environ["same"], "w", newline="").write(os.environ["odd"])
      print(os.environ["WORLD_SIZE"], os.environ["RANK"])
    """ }
  }
''', "  out same = fit.same\n  out text = fit.text\n"), {"same": HOSTILE, "text": "2 0"}),
	"each": (program('''
  for k in ["a", "b", "c"] {
    step fit {
      in k
      out part: file
      out name: string
      job pytorch { run = """echo "$k" > "$part"; echo "$k$k" > "$name" """ }
    }
  }
  step join { in parts = fit.part; out all: string = stdout; run = """cat "$parts"/* | tr -d '\\\\n' """ }
''', "  out all = join.all\n  out names = fit.name\n"), None),
	"sweep": ('task trial {\n  in lr: float\n  out loss: float\n  out model: file\n  image = "sh"\n  job pytorch { workers = 2; run = """echo "$lr" > "$loss"; echo "m $lr" > "$model" """ }\n}\n' + program('''
  sweep best = trial(lr = uniform(0.1, 0.9)) { search = random(trials = 3, seed = 7); minimize = loss }
  loop grow {
    max = 4
    state k: int = 1
    while k < 4
    step double { in k; out m: int; job mpi { workers = 1; run = """echo $((k * 2)) > "$m" """ } }
    next { k = double.m }
  }
''', "  out loss = best.best.loss\n  out model = best.best.model\n  out k = grow.k\n"), None),
	"retry": (program('''
  step fit {
    in who
    out tries: int
    retry = { limit = 3; on = failure }
    job pytorch { workers = 2; run = """
      [ "$COULER_ATTEMPT" = 2 ] || exit 3
      echo "$COULER_ATTEMPT" > "$tries"
    """ }
  }
  step lazy {
    out never: int
    allow_failure = true
    job pytorch { workers = 2; run = """true""" }
  }
  step wrong {
    out number: int
    allow_failure = true
    job mpi { workers = 1; run = """echo x > "$number" """ }
  }
  step silent { allow_failure = true; retry = { limit = 2; on = error }; job ray { run = """exit 4""" } }
  step say { in a = lazy.status; in b = wrong.status; in c = silent.status; in d = lazy.never ?? -1; out all: string = stdout; run = """echo "$a $b $c $d" """ }
''', "  out tries = fit.tries\n  out all = say.all\n"), {"tries": 2, "all": "failed failed failed -1"}),
	"object": (program('''
  step put {
    in odd = make.odd
    in list = make.list
    in n
    out uid: string at "{.metadata.uid}"
    out back: string at "{.data.odd}"
    out size: int at "{.spec.size}"
    out owner: string at "{.metadata.ownerReferences[0].kind}"
    out fixed: string at "{.data.fixed}"
    out said: string at "{.data.said}"
    out list2: json at "{.spec.list}"
    job kubernetes {
      manifest = \'\'\'
        apiVersion: acme.org/v1
        kind: Note
        metadata: { name: first }
        data:
          said: "{{x}} $$ $(HOME)"
          fixed: old
      \'\'\'
      set { "data.odd" = odd; "data.fixed" = "{{a}} $$ \\"b\\""; "spec.size" = n * 3; "spec.list" = list }
    }
  }
  step see {
    in name: string = "first"
    after = [put]
    out back: string at "{.data.odd}"
    job kubernetes { action = get; manifest = \'\'\'{ apiVersion: acme.org/v1, kind: Note, metadata: { name: none } }\'\'\'; set { "metadata.name" = name }; success = "spec.size > 5" }
  }
  step gone {
    after = [see]
    job kubernetes { action = delete; manifest = \'\'\'{ apiVersion: acme.org/v1, kind: Note, metadata: { name: first } }\'\'\' }
  }
''', "  out back = put.back\n  out again = see.back\n  out size = put.size\n  out owner = put.owner\n  out fixed = put.fixed\n  out said = put.said\n  out list = put.list2\n"),
		{"back": HOSTILE, "again": HOSTILE, "size": 6, "owner": "Workflow", "fixed": '{{a}} $$ "b"', "said": "{{x}} $$ $(HOME)", "list": ["a {{x}}", "$$", "e\\n"]}),
}


def ok(cond, name, more=""):
	global passed, failed
	passed += bool(cond)
	failed += not cond
	if not cond:
		print("FAIL %s: %s" % (name, str(more)[-1500:]))


def sources(folder):
	os.makedirs(os.path.join(folder, "lib"))
	with open(os.path.join(folder, "odd.txt"), "w", encoding="utf-8", newline="") as f:
		f.write(HOSTILE)
	with open(os.path.join(folder, "lib", "tool.sh"), "w", encoding="utf-8") as f:
		f.write('tool() { cat "$@"; }\n# {{ $$ $(x) \\ %s\n')
	with open(os.path.join(folder, "lib", "big.txt"), "w", encoding="utf-8") as f:
		f.write("{{x}} $$ $(y) \\n\n" * 3000)


def files_of(path):
	if os.path.isdir(path):
		return {n: open(os.path.join(path, n), "rb").read() for n in sorted(os.listdir(path))}
	return open(path, "rb").read()


def here(folder, text):
	"""Outputs of a local run: name to value, or to the bytes of its files."""
	where = os.path.join(folder, "local")
	os.mkdir(where)
	sources(where)
	with open(os.path.join(where, "jobs.cw"), "w", encoding="utf-8") as f:
		f.write(re.sub(r'; mounts \{ "/work" = shared \}|  volume [^\n]*\n', "", text))
	p = subprocess.run([COULER, "run", "jobs.cw", "--outputs-json", "o.json"], cwd=where, capture_output=True, text=True, env=dict(os.environ, NO_COLOR="1"))
	if p.returncode:
		return None, p.stdout + p.stderr
	with open(os.path.join(where, "o.json"), encoding="utf-8") as f:
		return {k: contents(v) for k, v in json.load(f)["outputs"].items()}, ""


def contents(v):
	"""A value, or the bytes of a file, or of the files of a list by their names."""
	if isinstance(v, dict) and "path" in v:
		return files_of(v["path"])
	if isinstance(v, list) and v and isinstance(v[0], dict) and "path" in v[0]:
		return {"%06d" % i: files_of(e["path"]) for i, e in enumerate(v)}
	return v


def there(report, name, files):
	root = next((n for n in report["nodes"] if n["name"] == ""), {})
	out = {}
	for p in (root.get("outputs") or {}).get("parameters") or []:
		out[p["name"]] = p["value"]
	for a in (root.get("outputs") or {}).get("artifacts") or []:
		path = os.path.join(files, report["name"], ".root", a["name"])
		if os.path.exists(path):
			out[a["name"]] = files_of(path)
	return out


def same(want, got):
	if isinstance(want, (bytes, dict)) and not isinstance(got, str):
		return want == got
	if isinstance(want, str):
		return decode(got) == want
	if isinstance(want, list) and all(isinstance(v, str) for v in want) and got.startswith("["):
		return [decode(v) for v in json.loads(got)] == want
	return json.loads(decode(got)) == want


def main():
	work = tempfile.mkdtemp(prefix="couler-jobs-")
	manifests = {}
	for name, (text, _) in PROGRAMS.items():
		folder = os.path.join(work, name)
		os.mkdir(folder)
		sources(folder)
		with open(os.path.join(folder, "jobs.cw"), "w", encoding="utf-8") as f:
			f.write(text)
		path = os.path.join(work, name + ".yaml")
		p = subprocess.run([COULER, "compile", "-t", "argo", "jobs.cw", "-o", path], cwd=folder, capture_output=True, text=True, env=dict(os.environ, NO_COLOR="1"))
		ok(p.returncode == 0, name + " compiles", p.stderr)
		if p.returncode == 0:
			manifests[name] = path
	p = subprocess.run([os.path.join(BIN, "argo-oracle"), "-text", *manifests.values()], capture_output=True, text=True)
	ok(p.returncode == 0, "the oracle takes them", p.stdout)
	files = os.path.join(work, "files")
	p = subprocess.run([os.path.join(BIN, "argo-run"), "-together", "-parallelism", "3", "-logs", "-timeout", "5m", "-outputs", files, *manifests.values()], capture_output=True, text=True)
	reports = {os.path.basename(r["file"])[:-5]: r for r in map(json.loads, filter(None, p.stdout.split("\n")))}
	for name, (text, want) in PROGRAMS.items():
		report, said = reports.get(name), ""
		if want is None:
			want, said = here(os.path.join(work, name), text)
			ok(want is not None, name + " runs locally", said)
		ok(report and report["phase"] == "Succeeded", name + " succeeds",
			p.stderr if not report else [(n["name"], n["phase"], n.get("message"), n.get("log")) for n in report["nodes"] if n["phase"] != "Succeeded"])
		got = there(report, name, files) if report else {}
		for key, value in (want or {}).items():
			ok(key in got and same(value, got[key]), "%s: output %s" % (name, key), (value, got.get(key)))
	attempts = [n for n in reports.get("retry", {"nodes": []})["nodes"] if n["type"] == "Pod" and re.match(r"silent.*\(\d+\)$", n["name"])]
	ok(len(attempts) == 1, "a failure is no error of the infrastructure", [n["name"] for n in attempts])
	shutil.rmtree(work, ignore_errors=True)
	print("%d passed, %d failed" % (passed, failed))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
