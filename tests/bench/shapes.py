#!/usr/bin/env python3
"""Writes a workflow of N steps: shapes.py chain|fan|layered|tasks N [-o FILE]

chain: each step reads the one before; fan: one, N - 2, one; layered: layers of 100, each step reads two of the layer before;
tasks: layered, every step a call of one task.
"""
import argparse
import sys

STEP = '''  step s%d {
%s    out v: string
    run = """echo "step %d" > "$v" """
  }
'''


def parents(shape, i, n):
	if shape == "chain":
		return [i - 1] if i else []
	if shape == "fan":
		return [] if i == 0 else [0] if i < n - 1 else list(range(1, n - 1))
	layer, at = divmod(i, 100)
	return [] if layer == 0 else sorted({(layer - 1) * 100 + at, (layer - 1) * 100 + (at * 7 + 3) % 100})


def write(shape, n, out):
	if shape == "tasks":
		out.write('task work {\n  in a: string = ""\n  in b: string = ""\n  out v: string\n  run = """echo "$a$b" | cksum > "$v" """\n}\n\n')
	out.write('workflow bench {\n  defaults { image = "debian:12-slim" }\n\n')
	for i in range(n):
		ps = parents(shape, i, n)
		if shape == "tasks":
			out.write("  step s%d = work(%s)\n" % (i, ", ".join("%s = s%d.v" % (x, p) for x, p in zip("ab", ps))))
		elif shape == "fan" and i == n - 1 and n > 2:
			out.write("  step s%d { after = [%s]; out v: string; run = \"\"\"echo end > \"$v\" \"\"\" }\n" % (i, ", ".join("s%d" % p for p in ps)))
		else:
			out.write(STEP % (i, "".join("    in  p%d = s%d.v\n" % (k, p) for k, p in enumerate(ps)), i))
	out.write("}\n")


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("shape", choices=["chain", "fan", "layered", "tasks"])
	ap.add_argument("n", type=int)
	ap.add_argument("-o", "--output")
	o = ap.parse_args()
	if o.output:
		with open(o.output, "w", encoding="utf-8") as f:
			write(o.shape, o.n, f)
	else:
		write(o.shape, o.n, sys.stdout)


if __name__ == "__main__":
	main()
