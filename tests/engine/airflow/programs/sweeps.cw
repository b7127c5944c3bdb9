# Sweeps over a workflow, in a for, with halving, with a goal, with too many failures; each read afterwards.
task fit { in lr: float; in depth: int = 1; in tag: string = "t"; out score: float; out model: file; out note: string
  shell = python3
  run = """
    import os
    e = os.environ
    s = round(float(e["lr"]) * int(e["depth"]), 6)
    open(e["score"], "w").write(repr(s))
    open(e["model"], "w").write("%s %s %s" % (e["lr"], e["depth"], e["tag"]))
    open(e["note"], "w").write("n" + e["tag"])
  """ }
task fragile { in n: int; out v: float; run = """if [ "$n" -gt 2 ]; then exit 3; fi; echo "$n.5" > "$v" """ }
task budgeted { in x: int; in epochs: int; out loss: float; shell = python3
  run = """
    import os
    x, n = int(os.environ["x"]), int(os.environ["epochs"])
    if x == 4 and n > 1: raise SystemExit(9)
    open(os.environ["loss"], "w").write(repr(abs(x - 7) / n))
  """ }
workflow two_steps {
  param a: int
  param b: string = "q"
  step one { in a; out v: int = stdout; run = """echo $((a * a))""" }
  step two { in v = one.v; in b; out r: float; out f: file; run = """echo "$v.25" > "$r"; echo "$b$v" > "$f" """ }
  for k in range(0, a) { step extra { in k; out w: int = stdout; run = """echo "$k" """ } }
  out r = two.r
  out f = two.f
  out n = len(extra.w)
}
workflow sweeps {
  sweep plain  = fit(lr = choice(0.5, 0.1, 0.25), depth = choice(1, 2)) { search = grid(); maximize = score }
  sweep called = two_steps(a = choice(1, 3, 2), b = choice("x", "y")) { search = grid(); minimize = r; max_parallel = 2 }
  for t in ["u", "v"] {
    sweep inside = fit(lr = choice(0.1, 0.2), tag = t) { search = grid(); maximize = score }
    step got { in m = inside.best.model; in n = inside.best.note; in lr = inside.best.lr; out s: string = stdout; run = """echo "$(cat "$m") $n $lr" """ }
  }
  sweep bad = fragile(n = choice(1, 3, 4, 2, 5)) { search = grid(); maximize = v; max_failed = 2; allow_failure = true }
  sweep few = fragile(n = choice(1, 3, 4, 2, 5)) { search = grid(); maximize = v; max_failed = 4 }
  sweep goal = fragile(n = choice(0, 2, 1, 3)) { search = grid(); maximize = v; goal = 2.0 }
  sweep half = budgeted(x = int_uniform(0, 9)) { search = halving(trials = 9, seed = 3, factor = 3, budget = epochs, min = 1, max = 9); minimize = loss }
  step show {
    in p = plain.best.model; in pt = plain.trials; in cf = called.best.f; in cn = called.best.n; in ca = called.best.a; in cb = called.best.b
    in gots = got.s; in b = bad.status; in bv = bad.best.v ?? -1.0; in f = few.best.n; in g = goal.best.n; in gt = goal.trials
    in hx = half.best.x; in hl = half.best.loss; in he = half.best.epochs
    out o: json; shell = python3
    run = """
      import json, os
      e = os.environ
      d = {k: e[k] for k in "cn ca cb gots b bv f g hx hl he".split()}
      d["pt"], d["gt"] = len(json.loads(e["pt"])), [t["status"] for t in json.loads(e["gt"])]
      d["p"], d["cf"] = open(e["p"]).read(), open(e["cf"]).read()
      json.dump(d, open(e["o"], "w"))
    """ }
  out o = show.o
  out trials = plain.trials
}
