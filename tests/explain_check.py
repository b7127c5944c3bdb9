#!/usr/bin/env python3
"""What the pass `parallel` remarks, and the page of `couler explain`: explain_check.py COULER. Last line: `N passed, N failed`."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from tally import done, ok

COULER = os.path.abspath(sys.argv[1])
TMP = tempfile.mkdtemp()


def couler(*args, code=0):
	p = subprocess.run([COULER, *args], cwd=TMP, capture_output=True, text=True, env=dict(os.environ, NO_COLOR="1", COULER_CACHE=os.path.join(TMP, "cache")), stdin=subprocess.DEVNULL)
	ok(p.returncode == code, "exit of " + " ".join(args), "%d %s" % (p.returncode, p.stderr))
	return p


def workflow(body, name="w.cw"):
	with open(os.path.join(TMP, name), "w", encoding="utf-8") as f:
		f.write("workflow w {\n%s\n}\n" % body)
	return name


def step(name, of=(), after=()):
	order = "after = [%s]; " % ", ".join(after) if after else ""
	ins = "; ".join("in i%d = %s.v" % (k, o) for k, o in enumerate(of))
	return '  step %s { %s%s%sout v: int; run = """echo 1 > "$v" """ }' % (name, order, ins, "; " if ins else "")


def remarks(path, *more):
	err = couler("compile", path, "-t", "ir", "-o", "/dev/null", "--remarks", *more).stderr
	return [m.group(1) for m in re.finditer(r"remark: (parallel: .*)", err)], err


def parallel():
	# the text is sequential, the data are not: a, b, c at once, then d
	said, err = remarks(workflow("\n".join([step("a"), step("b"), step("c"), step("d", "abc")])), "--passes=parallel")
	ok(said == ["parallel: 4 steps, the longest path has 2 (a → d), at most 3 run at once"], "a fan-in", err)
	said, err = remarks(workflow("\n".join(step("s%d" % k, ["s%d" % (k - 1)] if k else []) for k in range(12))), "--passes=parallel")
	ok(said == ["parallel: 12 steps, the longest path has 12 (s0 → s1 → s2 → s3 → s4 → s5 → s6 → s7 → ... → s10 → s11), at most 1 run at once"], "a chain is shortened, its ends are shown", err)
	said, err = remarks(workflow("\n".join([step("a"), step("b", "a"), step("c", (), "b"), step("d", "c"), step("e", "a")])), "--passes=parallel")
	ok(said[:1] == ["parallel: 5 steps, the longest path has 4 (a → b → c → d), at most 2 run at once"], "a path through an after", err)
	ok(said[1:] == ["parallel: 'c' is `after` 'b' and takes no value of it: without that the longest path has 2 steps, not 4"], "the after that costs the most", err)
	ok(re.search(r"w\.cw:4:\d+: remark: parallel: 'c'", err), "its place", err)
	said, err = remarks(workflow("\n".join([step("a"), step("b", "a"), step("x", (), "a"), step("y", "x"), step("z", (), "y"), step("end", "bz")])), "--passes=parallel")
	ok(said[1:] == ["parallel: 'z' is `after` 'y' and takes no value of it: without that the longest path has 3 steps, not 5"], "of two the one whose absence shortens the path most", err)
	said, err = remarks(workflow("\n".join([step("a"), step("b", "a", "a"), step("c", "b")])), "--passes=parallel")
	ok(len(said) == 1, "an after beside a value costs nothing", err)
	said, err = remarks(workflow(step("a") + "\n  loop l { max = 5; state k: int = a.v; while k < 3; step i { in x = k; out v: int; run = \"\"\"echo $((x + 1)) > \"$v\" \"\"\" }; next { k = i.v } }"), "--passes=parallel")
	ok(said == ["parallel: 2 steps, the longest path has 6 (a → l), at most 1 run at once"], "a loop counts its rounds", err)
	said, _ = remarks(workflow("  param p: int = 1"), "--passes=parallel")
	ok(said == [], "nothing to say of no steps", said)
	ok("remark" not in couler("compile", workflow(step("a")), "-t", "ir", "-o", "/dev/null").stderr, "no remarks unless they are asked for")


def sections(text):
	"""name: the lines below it."""
	out, at = {}, None
	for line in text.splitlines():
		m = re.match(r"([a-z]+): ", line)
		if m:
			at = out.setdefault(m.group(1), [])
		elif line.startswith("  ") and at is not None:
			at.append(line.strip())
	return out


def explain():
	table = os.path.join(TMP, "t.csv")
	with open(table, "w") as f:
		f.write("1\n2\n")
	text = '  param t: file = file("t.csv")\n' + "\n".join('  step %s { in t = t; out v: int; run = """wc -l < "$t" > "$v" """ }' % n for n in ("one", "two")) + "\n" + step("sum", ["one", "two"])
	path = workflow(text, "e.cw")
	p = couler("explain", path)
	page = sections(p.stdout)
	passes = re.findall(r"^  ([a-z]+) ", couler("passes").stdout, re.M)
	ok(p.stdout.startswith("e.cw: workflow w, ") and "for a local run" in p.stdout, "the head", p.stdout)
	ok(list(page) == passes and len(page) >= 10, "a section a pass, in their order", "%s %s" % (list(page), passes))
	ok(page["fold"] == ["nothing to do"], "a pass with nothing to do", page)
	ok(any("two" in line and "one" in line and line.startswith("e.cw:4:") for line in page["cse"]), "what a pass did, and where", page["cse"])
	ok(any("the longest path has 2" in line for line in page["parallel"]), "the longest path", page["parallel"])
	ok("would run one" in p.stderr and "would run two" not in p.stderr and not os.path.exists(os.path.join(TMP, "ran")), "what a run would do", p.stderr)
	couler("run", path, "-q")
	p = couler("explain", path)
	ok("would run one" not in p.stderr, "what is kept does not run again", p.stderr)
	with open(table, "a") as f:
		f.write("3\n")
	p = couler("explain", path)
	ok("would run one" in p.stderr and "identity has changed" in p.stderr, "what will run again, and why", p.stderr)
	p = couler("explain", workflow('  defaults { image = "debian:12-slim" }\n' + "\n".join(step("s%d" % k, ["s%d" % (k - 1)] if k else []) for k in range(20)), "c.cw"), "-t", "argo", "--split-steps", "5")
	ok("for argo" in p.stdout and "what a run would do" not in p.stdout and any("4 documents of their own" in line for line in sections(p.stdout)["split"]), "for an engine, with what split did", p.stdout[-800:])
	ok(couler("explain", "none.cw", code=3).stderr, "a file that is not there")
	ok(couler("explain", code=2).stderr and couler("explain", path, path, code=2).stderr and couler("explain", path, "-t", "nowhere", code=2).stderr, "wrong usage")
	ok("error" in couler("explain", workflow("  step a { in x = nothing.v; run = \"\"\"true\"\"\" }", "bad.cw"), code=1).stderr, "a mistake in the source")


parallel()
explain()
shutil.rmtree(TMP, ignore_errors=True)
sys.exit(done())
