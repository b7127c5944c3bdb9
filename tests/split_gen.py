"""Random workflows with many steps at the top: what the pass that splits has to divide."""
import random


def generate(seed, steps=30, soft=True):
	"""soft: with `after = [a?]`, too."""
	r = random.Random(seed)
	out = ["workflow big {", '  param n: int = %d' % r.randrange(1, 9), '  param word: string = "w%d"' % seed, '  defaults { image = "debian:12-slim" }']
	ints, texts, files, gone, names, maybe = ["n"], ["word"], [], [], [], []

	def order():
		pick = [x for x in r.sample(names, min(len(names), r.randrange(0, 3)))]
		may_fail = {m.split(".")[0] for m in gone}
		if not soft:
			pick = [p for p in pick if p not in may_fail]
			return "  after = [%s]; " % ", ".join(pick) if pick else "  "
		return "  after = [%s]; " % ", ".join(p + ("?" if p in may_fail and r.random() < 0.98 else r.choice(["", "", "?"])) for p in pick) if pick else "  "

	for i in range(steps):
		name, kind = "s%d" % i, r.random()
		a, b = r.choice(ints[-12:]), r.choice(texts[-12:])
		if kind < 0.6:
			take = "in g = %s; " % r.choice(files[-8:]) if files and r.random() < 0.4 else ""
			out.append("  step %s {%sin a: int = %s + 1; in b: string = \"${%s}.%d\"; %sout v: int; out t: string; out f: file" % (name, order(), a, b, i, take))
			out.append('    run = """')
			out.append('      echo $((a + %d)) > "$v"; printf %%s "$b" | cut -c1-40 > "$t"; echo "$a $b" > "$f"%s' % (i % 7, '; cat "$g" >> "$f"' if take else ""))
			out.append('    """\n  }')
			ints.append(name + ".v")
			texts.append(name + ".t")
			files.append(name + ".f")
			names.append(name)
		elif kind < 0.7:
			out.append("  step %s {%sin a: int = %s; out v: int; allow_failure = true; run = \"\"\"echo 7 > \"$v\"; exit $((a %% 3))\"\"\" }" % (name, order(), a))
			gone.append(name + ".v")
			maybe.append("%s.status" % name)
			names.append(name)
		elif kind < 0.8:
			out.append("  if %s %% 2 == %d {\n    step %s { in a: int = %s; out v: int; run = \"\"\"echo $a > \"$v\" \"\"\" }\n  }" % (a, r.randrange(2), name, r.choice(ints[-5:])))
			gone.append(name + ".v")
		elif kind < 0.88:
			out.append("  for x%d in range(0, %s %% 3) {\n    step %s { in a: int = x%d + %s; out v: int; run = \"\"\"echo $a > \"$v\" \"\"\" }\n  }" % (i, a, name, i, r.choice(ints[-5:])))
			ints.append("len(%s.v)" % name)
			ints.append("sum(%s.v)" % name)
		elif gone and kind < 0.95:
			out.append("  step %s { in a: int = %s ?? %s; out v: int; run = \"\"\"echo $a > \"$v\" \"\"\" }" % (name, r.choice(gone), a))
			ints.append(name + ".v")
			names.append(name)
		else:
			out.append("  loop %s { max = 3; state k: int = %s; while k %% 5 != 0; step %s_in { in a: int = k; out v: int; run = \"\"\"echo $((a + 1)) > \"$v\" \"\"\" }; next { k = %s_in.v } }" % (name, a, name, name))
			ints.append(name + ".k")
			names.append(name)
		if maybe and r.random() < 0.05:
			last = maybe.pop()
			out.append("  step t%d { in a: string = %s; out v: string; run = \"\"\"echo $a > \"$v\" \"\"\" }" % (i, last))
			texts.append("t%d.v" % i)
	for k, e in enumerate(r.sample(ints, min(4, len(ints))) + r.sample(texts, min(4, len(texts)))):
		out.append("  out o%d = %s" % (k, e))
	for k, e in enumerate(r.sample(gone, min(2, len(gone)))):
		out.append("  out p%d = %s ?? %s" % (k, e, r.choice(ints)))
	if names and r.random() < 0.4:
		watched = r.choice(names)
		out.append("  on exit { step last { in s: string = %s.status; out v: string; run = \"\"\"echo $s > \"$v\" \"\"\" } }" % watched)
	out.append("}")
	return "\n".join(out) + "\n"
