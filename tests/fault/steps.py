#!/usr/bin/env python3
"""Steps that go wrong, each in its way: steps.py COULER [WORD...]"""
import os
import subprocess
import sys
import time

from fault import case, main


def fails(box, body, code, *words, head=""):
	"""A workflow whose step `a` fails with this code and says this; what needs it is skipped, what does not runs."""
	box.workflow("step a { %s }\nstep beside { out o: string; run = \"\"\"echo there > \"$o\" \"\"\" }" % body, head=head)
	r = box.run().ended(6).says(r"\ba failed", *words)
	a = r.step("a")
	assert (a["status"], a["exit_code"]) == ("failed", code), a
	assert r.step("beside")["outputs"]["o"] == "there"
	assert r.doc["status"] == "failed"
	return r


@case
def exits(box):
	"exit 3: the end of its log, the exit code, a script that runs it again"
	r = fails(box, 'in x: string = "a \'b\' c"; out o: file; run = """\n  echo "x is $x"\n  echo some > "$o"\n  exit 3\n"""', 3, r"exit code 3", r"\| x is a 'b' c", r"couler resume")
	again = [line.split("sh ", 1)[1].strip("'") for line in r.err.splitlines() if "again by hand" in line]
	assert len(again) == 1, r.err
	p = subprocess.run(["sh", again[0]], capture_output=True, text=True)
	assert p.returncode == 3 and p.stdout == "x is a 'b' c\n", p


@case
def needs_the_failed(box):
	"what needs a failed step is skipped, what is after it with a question mark runs, the exit code is 6"
	box.workflow('step a { out o: file; run = """exit 1""" }\nstep b { in o = a.o; out p: file; run = """cp "$o" "$p" """ }\n'
		'step c { in p = b.p; run = """cat "$p" """ }\nstep d { after = [a?]; out s: string; run = """echo ran > "$s" """ }')
	r = box.run().ended(6).says("2 skipped")
	assert [r.step(s)["status"] for s in "abcd"] == ["failed", "skipped", "skipped", "succeeded"]


@case
def hangs(box):
	"a timeout: exit code 124; TERM first"
	fails(box, 'timeout = 1s; run = """\n  trap \'echo got TERM; exit 0\' TERM\n  sleep 60 & wait\n"""', 124, r"timed out after 1 s", r"got TERM")


@case
def hangs_on(box):
	"a step that ignores TERM is killed after the grace time, its children, too"
	start = time.monotonic()
	fails(box, 'timeout = 1s; run = """\n  trap "" TERM\n  sleep 61 &\n  while :; do sleep 1; done\n"""', 124, r"timed out after 1 s")
	assert time.monotonic() - start < 20
	box.nobody_left()


@case
def dumps_core(box):
	"SIGSEGV: 139, with the signal's name"
	fails(box, 'run = """ulimit -c unlimited 2>/dev/null; kill -SEGV $$"""', 139, r"signal 11 \(Segmentation fault\)")


@case
def is_killed(box):
	"SIGKILL from outside: 137, and the hint at memory"
	fails(box, 'run = """kill -KILL $$"""', 137, r"signal 9 \(Killed\)", r"memory")


@case
def no_output(box):
	"an output that is not there: 121, with its name, and nothing is kept"
	fails(box, 'out model: file; out auc: float; cache = on; run = """echo 0.5 > "$auc" """', 121, r"'model' \(file\) was not written")
	assert box.run().ended(6).step("a")["cached"] is False


@case
def no_value(box):
	"a value that is not there: 121"
	fails(box, 'out auc: float; run = """auc=0.5; echo "$auc" """', 121, r"'auc' \(float\) was not written; the step must write")


@case
def bad_value(box):
	"a value of another type: 121, with what it holds"
	fails(box, 'out n: int; run = """echo 07 > "$n" """', 121, r"'n' \(int\) holds \"07\"")


@case
def long_value(box):
	"a value over the limit: 121, and what to do"
	fails(box, 'out s: string; run = """head -c 600000 /dev/zero | tr "\\\\0" x > "$s" """', 121, r"'s' \(string\) is too large: 600000 bytes; larger data must be a file")


@case
def dir_for_file(box):
	"a directory where a file should be"
	fails(box, 'out o: file; run = """mkdir "$o" """', 121, r"'o' \(file\) is a directory, not a file")


@case
def dangling(box):
	"a link to nowhere is no output, a pipe neither"
	fails(box, 'out o: file; run = """ln -s /nonexistent "$o" """', 121, r"'o' \(file\)")
	fails(box, 'out o: file; run = """mkfifo "$o" """', 121, r"'o' \(file\) is not a regular file")


@case
def no_program(box):
	"a program that is not there: 127, and where it was looked for"
	fails(box, 'command = ["nonesuch-program", "x"]', 127, r"there is no program 'nonesuch-program' in PATH")
	fails(box, 'run = """nonesuch-program"""', 127, r"nonesuch-program")


@case
def no_shell(box):
	"a shell that is not there"
	fails(box, 'shell = "nonesuch-shell"; run = """echo"""', 127, r"nonesuch-shell")


@case
def not_executable(box):
	"a program that cannot be executed: 126"
	box.put("prog", "echo no first line\n")
	os.chmod(box.path("prog"), 0o755)
	fails(box, 'code = ["prog"]; command = ["./prog"]', 126, r"#!/bin/sh")
	os.chmod(box.path("prog"), 0o644)
	fails(box, 'code = ["prog"]; command = ["./prog"]', 126, r"Permission denied")


@case
def stdin_is_empty(box):
	"a step that reads standard input gets its end at once"
	box.workflow('step a { out o: string; run = """cat > "$o"; echo end >> "$o" """ }')
	assert box.run().ended(0).step("a")["outputs"]["o"] == "end"


@case
def daemon(box):
	"a process that left its group and session ends with the step"
	box.workflow('step a { out o: string; run = """\n  setsid sh -c \'sh -c "sleep 62 & sleep 63" & sleep 64\' >/dev/null 2>&1 &\n  sleep 0.2\n  echo done > "$o"\n""" }')
	start = time.monotonic()
	box.run().ended(0)
	assert time.monotonic() - start < 10
	box.nobody_left(1)


@case
def writes_on(box):
	"what a process that stayed behind still writes does not reach the output that was taken"
	box.workflow('step a { out o: file; run = """\n  echo first > "$o"\n  exec 3>>"$o"\n  setsid sh -c \'while :; do echo more >&3; done\' >/dev/null 2>&1 &\n  sleep 0.3\n""" }\n'
		'step b { in o = a.o; out n: int; run = """\n  x=$(wc -c < "$o"); sleep 0.3; y=$(wc -c < "$o")\n  echo $((y - x)) > "$n"\n""" }')
	assert box.run().ended(0).step("b")["outputs"]["n"] == "0"


@case
def writes_to_input(box):
	"a step cannot change what an earlier one gave: the input is read-only, or at least the change is found"
	box.workflow('step a { out o: file; run = """echo good > "$o" """ }\nstep b { in o = a.o; after = [a]; cache = off; run = """chmod u+w "$o"; echo bad > "$o" || true""" }\n'
		'step c { in o = a.o; after = [b]; out s: string; run = """cat "$o" > "$s" """ }')
	box.run()
	r = box.do("cache", "verify")
	assert r.code == 1 and "1 damaged" in r.out + r.err, (r.code, r.out, r.err)


@case
def much_log(box):
	"60 MB of output: the log holds all, the view its end"
	box.workflow('step a { run = """yes 0123456789abcdef | head -c 59999999; echo; echo the end; exit 1""" }')
	r = box.run().ended(6).says(r"\| the end")
	assert len(r.err) < 20000
	run = box.runs()[0]
	assert os.path.getsize(box.path(".couler", "runs", run, "log", "a")) == 60000008


@case
def odd_log(box):
	"escape sequences and bytes that are no text do not reach the terminal"
	box.workflow('step a { run = """printf \'\\\\033]0;title\\\\007\\\\033[2Jx\\\\377\\\\000y\\\\n\'; exit 1""" }')
	box.run().ended(6).never_says("\x1b", "\x07", "\x00")


@case
def long_names(box):
	"an output in a deep directory with odd names comes back whole"
	box.workflow('step a { out d: dir; run = """\n  mkdir "$d"; cd "$d"\n  for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do mkdir "a b $i"; cd "a b $i"; done\n'
		'  printf x > "$(printf \'n\\\\tw\\\\"q\')"\n  printf y > -rf\n""" }\nstep b { in d = a.d; out n: int; run = """find -L "$d" -type f | wc -l > "$n" """ }')
	assert box.run().ended(0).step("b")["outputs"]["n"] == "2"


@case
def many_files(box):
	"100,000 files in a directory output"
	box.workflow('step a { out d: dir; shell = python3; cache = on; run = """\n  import os\n  d = os.environ["d"]\n  for i in range(100):\n    os.makedirs("%s/%02d" % (d, i))\n'
		'    for k in range(1000):\n      open("%s/%02d/%03d" % (d, i, k), "w").write("%d" % (k % 50))\n""" }\n'
		'step b { in d = a.d; out n: int; run = """find -L "$d" -type f | wc -l > "$n" """ }')
	r = box.run(timeout=240).ended(0)
	assert r.step("b")["outputs"]["n"] == "100000"
	start = time.monotonic()
	assert box.run().ended(0).step("b")["cached"]
	assert time.monotonic() - start < 15, "reuse took %.1f s" % (time.monotonic() - start)


@case
def large_file(box):
	"a sparse file of 2 GiB and a byte"
	box.workflow('step a { out o: file; run = """dd if=/dev/zero of="$o" bs=1 count=1 seek=2147483648 2>/dev/null""" }\n'
		'step b { in o = a.o; out n: int; run = """wc -c < "$o" > "$n" """ }')
	assert box.run(timeout=240).ended(0).step("b")["outputs"]["n"] == "2147483649"


@case
def allowed(box):
	"allow_failure: the run succeeds, the view says so, the absent output has its fallback"
	box.workflow('step a { allow_failure = true; out v: int; run = """exit 9""" }\nstep b { in v = a.v ?? 5; out w: int; run = """echo "$v" > "$w" """ }')
	r = box.run().ended(0).says("which is allowed")
	assert r.step("b")["outputs"]["w"] == "5" and r.step("a")["exit_code"] == 9


@case
def stands_before(box):
	"inputs that cannot be evaluated: 121 with the place in the source"
	box.workflow('step a { out n: int; run = """echo 0 > "$n" """ }\nstep b { in x = 10 / a.n; run = """echo "$x" """ }')
	r = box.run().ended(6).says(r"w\.cw:4:\d+.*division by zero")
	assert r.step("b")["exit_code"] == 121


if __name__ == "__main__":
	sys.exit(main(sys.argv))
