#!/usr/bin/env python3
"""Turns a WfCommons instance (WfFormat 1.4, 1.5) into a .cw workflow.

  wfcommons.py INSTANCE.json [-o FILE] [--stub]

A task becomes a step, a file that a task makes an output, one that none makes an s3 location. With --stub the steps need
no program: each writes the checksum of its inputs into its outputs, so the workflow runs anywhere. Edges without a file
become `after`. Names keep as much of the instance's as .cw allows.
"""
import argparse
import json
import re
import sys


def name_of(text, taken):
	base = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "step"
	if base[0].isdigit():
		base = "s_" + base
	name, n = base, 1
	while name in taken:
		n += 1
		name = "%s_%d" % (base, n)
	taken.add(name)
	return name


def last_component(file_id):
	part = re.sub(r"[^\w.+-]", "_", file_id.rsplit("/", 1)[-1])
	return part if part not in ("", ".", "..") else "file"


def convert(doc, stub):
	spec = doc["workflow"].get("specification", doc["workflow"])
	tasks = spec["tasks"]
	programs = {t["id"]: t.get("command", {}).get("program") for t in doc["workflow"].get("execution", {}).get("tasks", [])}
	taken, names, maker = set(), {}, {}
	for t in tasks:
		names[t["id"]] = name_of(t["name"], taken)
	for t in tasks:
		for i, f in enumerate(t.get("outputFiles", [])):
			maker.setdefault(f, (t["id"], "o%d" % i))
	title = name_of(doc.get("name", "workflow"), set())
	lines = ["# %s: %d tasks, made from a WfCommons instance." % (doc.get("name", "workflow"), len(tasks)), ""]
	lines += ["workflow %s {" % title, '  defaults { image = "ghcr.io/wfcommons/tools:1" }', ""]
	for t in tasks:
		inputs = t.get("inputFiles", [])
		outputs = t.get("outputFiles", [])
		lines.append("  step %s {" % names[t["id"]])
		fed, ins = set(), []
		for i, f in enumerate(dict.fromkeys(inputs)):
			if f in maker and maker[f][0] != t["id"]:
				fed.add(maker[f][0])
				ins.append("i%d" % i)
				lines.append("    in  i%d = %s.%s" % (i, names[maker[f][0]], maker[f][1]))
			elif f not in maker and not stub:
				ins.append("i%d" % i)
				lines.append('    in  i%d: file = "s3://wfcommons/%s"' % (i, last_component(f)))
		for i, f in enumerate(outputs):
			lines.append('    out o%d: file named "%s"' % (i, last_component(f)))
		after = [names[p] for p in t.get("parents", []) if p not in fed and p in names]
		if after:
			lines.append("    after = [%s]" % ", ".join(after))
		lines.append('    run = """')
		if stub:
			lines.append("      sum=$(cat %s </dev/null | cksum)" % (" ".join('"$%s"' % i for i in ins) or "-"))
			lines += ['      printf \'%%s %%s\\n\' %s "$sum" > "$o%d"' % (names[t["id"]], i) for i in range(len(outputs))]
			if not outputs:
				lines.append('      test -n "$sum"')
		else:
			program = programs.get(t["id"]) or ""
			if not re.fullmatch(r"[\w.+-]+", program):
				program = re.sub(r"_ID\d+$", "", re.split(r"[.:]", t["name"])[-1]).lower()
				program = re.sub(r"[^\w.+-]", "_", program)
			words = ['"$%s"' % i for i in ins] + ['"$o%d"' % i for i in range(len(outputs))]
			lines.append("      %s" % " \\\n        ".join([program, *words]))
		lines += ['    """', "  }"]
	lines.append("}")
	return "\n".join(lines) + "\n"


def main():
	ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	ap.add_argument("instance")
	ap.add_argument("-o", "--output")
	ap.add_argument("--stub", action="store_true")
	o = ap.parse_args()
	with open(o.instance, encoding="utf-8") as f:
		text = convert(json.load(f), o.stub)
	if o.output:
		with open(o.output, "w", encoding="utf-8") as f:
			f.write(text)
	else:
		sys.stdout.write(text)


if __name__ == "__main__":
	main()
