#!/usr/bin/env python3
"""Signals, terminals and what a run leaves behind: signals.py COULER [WORD...]"""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

from fault import case, finish, main, pids_of

SLOW = '''step a { out o: string; run = """
  trap 'echo got it > %(dir)s/flag.trapped; exit 7' INT TERM HUP
  echo flag > %(dir)s/flag.up
  sleep 30 & wait
""" }
step b { after = [a]; run = """echo b""" }
on exit { step tidy { run = """echo tidied > %(dir)s/flag.tidied""" } }'''


def until_up(box, *args):
	box.workflow(SLOW % {"dir": box.dir})
	p = box.start(*args)
	box.wait_for("flag.up")
	return p


@case
def interrupted(box):
	"SIGINT: the step gets it and may tidy up, nothing new starts, couler dies by the signal, resume goes on"
	p = until_up(box)
	p.send_signal(signal.SIGINT)
	r = finish(p, 15)
	assert r.code == -signal.SIGINT, r.code
	r.says("interrupted: nothing new starts", "was interrupted", "couler resume")
	assert box.read("flag.trapped") == "got it\n"
	doc = box.doc()
	assert doc["steps"]["b"]["status"] == "skipped" and doc["status"] == "failed", doc
	box.workflow((SLOW % {"dir": box.dir}).replace("sleep 30 & wait", 'echo fine > "$o"'))
	box.do("resume", "last").ended(0)


@case
def interrupted_twice(box):
	"SIGINT twice: a step that ignores signals is killed at once"
	box.workflow('step a { run = """\n  trap "" INT TERM\n  echo flag > %s/flag.up\n  while :; do sleep 1; done\n""" }' % box.dir)
	p = box.start()
	box.wait_for("flag.up")
	p.send_signal(signal.SIGINT)
	time.sleep(0.3)
	assert p.poll() is None
	start = time.monotonic()
	p.send_signal(signal.SIGINT)
	assert finish(p, 5).code == -signal.SIGINT
	assert time.monotonic() - start < 2
	box.nobody_left(1)


@case
def terminated(box):
	"SIGTERM and SIGHUP end a run in the same way"
	for sig in (signal.SIGTERM, signal.SIGHUP):
		p = until_up(box)
		p.send_signal(sig)
		r = finish(p, 15)
		assert r.code == -sig, (sig, r.code, r.err)
		box.nobody_left()
		os.remove(box.path("flag.up"))


@case
def killed(box):
	"SIGKILL of couler: its steps end within a second, the run is listed as killed, resume goes on"
	p = until_up(box)
	p.kill()
	p.communicate()
	box.nobody_left(2)
	assert "killed" in box.do("runs").out
	box.workflow((SLOW % {"dir": box.dir}).replace("sleep 30 & wait", 'echo fine > "$o"'))
	box.do("resume", "last").ended(0)
	assert box.read("flag.tidied") == "tidied\n"


@case
def supervisor_killed(box):
	"SIGKILL of the supervisor: the step fails with a message, nothing is left"
	p = until_up(box)
	with open("/proc/%d/task/%d/children" % (p.pid, p.pid), encoding="ascii") as f:
		for pid in f.read().split():
			os.kill(int(pid), signal.SIGKILL)
	r = finish(p, 15)
	assert r.code in (3, 6), (r.code, r.err)
	r.says("supervisor")
	box.nobody_left(2)


@case
def stopped_and_continued(box):
	"SIGSTOP and SIGCONT of couler while steps run"
	box.workflow('for i in range(6) { step a { in i; out n: int; run = """sleep 0.2; echo "$i" > "$n" """ } }\nstep b { in all = a.n; out s: int; run = """echo 15 > "$s" """ }')
	p = box.start("-j3")
	time.sleep(0.25)
	p.send_signal(signal.SIGSTOP)
	time.sleep(1)
	p.send_signal(signal.SIGCONT)
	finish(p, 20).ended(0)


@case
def nobody_reads(box):
	"standard error is closed, or its reader goes away: the run goes on"
	box.workflow('for i in range(50) { step a { in i; run = """echo "$i" """ } }')
	p = subprocess.Popen(box.argv(), cwd=box.dir, env=box.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
	p.stderr.close()
	assert p.wait(30) == 0
	p = subprocess.Popen(["sh", "-c", 'exec "$@" 2>&- >&- <&-', "sh", *box.argv()], cwd=box.dir, env=box.env)
	assert p.wait(30) in (0, 3)
	assert box.doc()["steps"]["a[49]"]["status"] == "succeeded"


# ---- on a terminal ----


class Terminal:
	"""couler on a terminal of its own."""

	def __init__(self, box, *argv, rows=24, columns=80):
		self.pid, self.fd = pty.fork()
		if self.pid == 0:
			os.chdir(box.dir)
			os.execve(argv[0], argv, {**box.env, "TERM": "xterm"})
		import fcntl
		import struct
		import termios
		fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
		self.text = ""

	def read(self, seconds, word=None):
		end = time.monotonic() + seconds
		while time.monotonic() < end and not (word and re.search(word, self.text)):
			if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
				break
			try:
				data = os.read(self.fd, 65536)
			except OSError:
				break
			if not data:
				break
			self.text += data.decode("utf-8", "replace")
		assert not word or re.search(word, self.text), "the terminal lacks /%s/: %r" % (word, self.text[-1500:])
		return self.text

	def write(self, text):
		os.write(self.fd, text.encode())

	def end(self, seconds=20):
		stop = time.monotonic() + seconds
		while time.monotonic() < stop:
			self.read(0.05)
			pid, status = os.waitpid(self.pid, os.WNOHANG)
			if pid:
				self.read(0.2)
				os.close(self.fd)
				return os.waitstatus_to_exitcode(status)
		raise AssertionError("still running: %r" % self.text[-1500:])


def screen(text, columns=80):
	"""Lines that a terminal shows in the end: the sequences that the live view uses."""
	lines, row, col = [""], 0, 0
	for part in re.findall(r"\x1b\[\d*[A-Za-z]|[^\x1b]", re.sub(r"\x1b\[[\d;]*m", "", text)):
		if part.startswith("\x1b["):
			n = int(part[2:-1] or 1)
			if part[-1] == "A":
				row = max(0, row - n)
			elif part[-1] == "J":
				lines[row] = lines[row][:col]
				del lines[row + 1:]
		elif part == "\n":
			row += 1
			if row == len(lines):
				lines.append("")
		elif part == "\r":
			col = 0
		else:
			if col == columns:
				row, col = row + 1, 0
				if row == len(lines):
					lines.append("")
			lines[row] = (lines[row].ljust(col) + part + lines[row][col + 1:])
			col += 1
			continue
	return lines


@case
def live_view(box):
	"a terminal: what runs with its time and last line, nothing of it left on the screen at the end"
	box.workflow('for i in range(4) { step slow { in i; out n: int; run = """\n  for k in 1 2 3 4 5 6; do echo "epoch $k of $i"; sleep 0.15; done\n  echo "$i" > "$n"\n""" } }\n'
		'step last { in all = slow.n; out s: int; run = """echo 6 > "$s" """ }\nout s = last.s')
	t = Terminal(box, box.couler, "run", "w.cw", "-j2")
	t.read(10, r"\[0/5\] 0:0\d, 2 running")
	t.read(10, r"0:0\d  slow\[\d\].*epoch \d of \d")
	assert t.end() == 0
	shown = [line.rstrip() for line in screen(t.text) if line.strip()]
	assert not [line for line in shown if "running" in line or "epoch" in line], shown
	assert any(re.search(r"slow\[3\] done", line) for line in shown), shown
	assert shown[-1] == "s = 6" and "succeeded in" in shown[-2] and "5 done" in shown[-2], shown


@case
def live_view_narrow(box):
	"a narrow terminal: no line is longer than it, so nothing is left behind"
	box.workflow('for i in range(30) { step a_step_with_a_rather_long_name { in i; run = """printf "\\\\303\\\\244 %0100d\\\\n" "$i"; sleep 0.3""" } }')
	t = Terminal(box, box.couler, "run", "w.cw", "-j8", rows=8, columns=40)
	assert t.end(40) == 0
	for picture in re.split(r"\x1b\[\d+A\r\x1b\[J", t.text)[1:-1]:
		lines = re.sub(r"\x1b\[[\d;]*m", "", picture).split("\r\n")
		live = [line for line in lines if re.match(r"  \d:\d\d  ", line) or "running" in line]
		assert len(live) <= 8 and all(len(line) < 40 for line in live), live
	assert not [line for line in screen(t.text, 40) if "running" in line]


@case
def ctrl_c(box):
	"Ctrl-C on the terminal: the steps get it once, the view is wiped, the shell sees the signal"
	box.workflow(SLOW % {"dir": box.dir})
	t = Terminal(box, box.couler, "run", "w.cw")
	box.wait_for("flag.up")
	t.write("\x03")
	assert t.end(15) == -signal.SIGINT
	assert box.read("flag.trapped") == "got it\n"
	assert "was interrupted" in t.text


@case
def hang_up(box):
	"the terminal goes away: the run ends in order"
	box.workflow(SLOW % {"dir": box.dir})
	t = Terminal(box, box.couler, "run", "w.cw")
	box.wait_for("flag.up")
	os.close(t.fd)
	end = time.monotonic() + 15
	while not os.waitpid(t.pid, os.WNOHANG)[0] and time.monotonic() < end:
		time.sleep(0.05)
	box.nobody_left()
	assert box.read("flag.trapped") == "got it\n"


@case
def approve_on_terminal(box):
	"a gate asks on the terminal, a wrong answer is asked again, what follows gets the answer"
	box.workflow('approve gate { message = "ship it?"; ask verdict: string = "no" in ["yes", "no"] }\nstep ship { in v = gate.verdict; out s: string; run = """echo "shipped: $v" > "$s" """ }\nout s = ship.s')
	t = Terminal(box, box.couler, "run", "w.cw")
	t.read(10, "ship it")
	t.write("maybe\n")
	time.sleep(0.3)
	t.write("yes\n")
	time.sleep(0.3)
	t.write("yes\n")
	assert t.end(15) == 0, t.text
	assert "s = shipped: yes" in t.text


if __name__ == "__main__":
	sys.exit(main(sys.argv))
