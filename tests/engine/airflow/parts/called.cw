# flags: --split-steps 3
# A workflow that is called once for each element, and as the trial of a sweep: mapped triggers, and parts that have parts.
task inc { in n: int; out v: int; run = """echo $((n + 1)) > "$v" """ }

workflow five {
  param n: int
  param more: int = n * 10
  step a = inc(n = n)
  step b = inc(n = a.v)
  step c = inc(n = b.v)
  step d = inc(n = c.v + more)
  step e { in n = d.v; out err: float; run = """echo "$n.5" > "$err" """ }
  out last = d.v
  out err  = e.err
}

workflow called {
  step first { out many: list<int>; run = """echo '[1, 20, 300]' > "$many" """ }
  for x in first.many { step f = five(n = x) }
  sweep s = five(n = choice(3, 1, 2)) { search = grid(); minimize = err }
  step total {
    in  all  = f.last
    in  best = s.best.n
    in  err  = s.best.err
    out t: string
    run = """printf '%s %s %s' "$all" "$best" "$err" > "$t" """
  }
  out t   = total.t
  out all = f.last
}
