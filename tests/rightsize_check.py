#!/usr/bin/env python3
"""What steps ask for after rightsize: rightsize_check.py COULER. Last line: `N passed, N failed`.

Runs a workflow that allocates a known amount five times, then compiles it with the history: the request is above every peak
that was seen, below what was asked for, and says so; a missing and a damaged history are errors that name the file.
"""
import os
import re
import sqlite3
import subprocess
import sys
import tempfile

FLOW = '''workflow w {
  step a { resources { memory = 2Gi; cpu = 4 }; out v: int; run = """python3 -c "b = bytearray(64 << 20); print(len(b))" > "$v" """ }
}
'''


def main():
	couler, work, bad = os.path.abspath(sys.argv[1]), tempfile.mkdtemp(prefix="couler-size-"), []
	path, cache = os.path.join(work, "w.cw"), os.path.join(work, "cache")
	env = dict(os.environ, COULER_CACHE=cache)
	with open(path, "w", encoding="utf-8") as f:
		f.write(FLOW)
	for _ in range(5):
		subprocess.run([couler, "run", path, "-q", "--no-cache"], env=env, check=True, capture_output=True, timeout=120)
	subprocess.run([couler, "runs"], env=env, check=True, capture_output=True)
	db = os.path.join(cache, "history.db")
	peak = sqlite3.connect(db).execute("SELECT max(rss) FROM steps").fetchone()[0]
	p = subprocess.run([couler, "compile", path, "-t", "ir", "--remarks", "--set", "rightsize.history=" + db], capture_output=True, text=True)
	memory = [int(x) for x in re.findall(r'"memory":\{"op":"lit","value":\{"type":"size","v":([0-9]+)\}', p.stdout)]
	said = re.search(r"'a' gets ([0-9]+) MiB and ([0-9.]+) CPU, by 5 runs", p.stderr)
	if p.returncode or not said:
		bad.append("no remark: %s" % p.stderr[-400:])
	else:
		if int(said.group(1)) * 1048576 < peak:
			bad.append("%s MiB is below a peak of %d bytes" % (said.group(1), peak))
		if not 64 < int(said.group(1)) < 1024 or float(said.group(2)) > 4:
			bad.append("an odd size: " + said.group(0))
	if len(memory) != 1 or not peak <= memory[0] < 1 << 30 or (said and memory[0] != int(said.group(1)) * 1048576):
		bad.append("the IR asks for %s" % memory)
	if "MiB and" not in p.stderr or not re.search(r"1 steps ask for what they took; (1[0-9]{3}|20[0-4][0-9]) MiB", p.stderr):
		bad.append("what it saves is not said: " + p.stderr[-300:])
	p = subprocess.run([couler, "compile", path, "-t", "ir", "--remarks", "--set", "rightsize.history=" + db, "--set", "rightsize.runs=6"], capture_output=True, text=True)
	if p.returncode or "'a' gets" in p.stderr:
		bad.append("sized by fewer runs than asked for")
	for name, data in (("gone.db", None), ("damaged.db", b"this is no database" * 100)):
		f = os.path.join(work, name)
		if data:
			with open(f, "wb") as h:
				h.write(data)
		p = subprocess.run([couler, "compile", path, "-t", "ir", "--set", "rightsize.history=" + f], capture_output=True, text=True)
		if p.returncode != 1 or name not in p.stderr:
			bad.append("%s: exit %d: %s" % (name, p.returncode, p.stderr[:300]))
	for b in bad:
		print(b)
	print("%d passed, %d failed" % (7 - len(bad), len(bad)))
	return 1 if bad else 0


if __name__ == "__main__":
	sys.exit(main())
