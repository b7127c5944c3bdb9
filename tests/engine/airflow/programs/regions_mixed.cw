# Regions in regions: if in for, for in if, loop in for, for in loop, a call in a for over a run-time list, an if in a called workflow.
task echo_ { in v: string; out s: string = stdout; run = """printf '%s\n' "$v" """ }

workflow grade {
  param n: int
  param name: string = "g${n}"
  step double { in n; out d: int = stdout; run = """echo $((n * 2))""" }
  if double.d > 4 {
    step word { in name; out s: string = stdout; run = """echo "big $name" """ }
  } else {
    step word { in name; out s: string = stdout; run = """echo "small $name" """ }
  }
  for k in range(0, n) { step tick { in k; out t: int = stdout; run = """echo $((k + 1))""" } }
  out word = word.s
  out sum  = sum(tick.t)
  out maybe = double.d > 100 ? "huge" : "normal"
}

workflow regions_mixed {
  step src { out xs: list<int>; out flag: bool; run = """echo '[1,2,3,4]' > "$xs"; echo true > "$flag" """ }

  for i, x in src.xs {
    if x % 2 == 0 {
      step even { in x; out v: int = stdout; run = """echo $((x * 100))""" }
      if x > 2 { step deep { in v = even.v; out w: string = stdout; run = """echo "deep $v" """ } }
    } else if x == 3 {
      step three { in x; out v: int = stdout; run = """echo 3""" }
    }
    step what { in e = even.v ?? -1; in t = three.v ?? -2; in s = even.status; in d = deep.w ?? "flat"; out line: string = stdout
      run = """echo "$e/$t/$s/$d" """ }
    step g = grade(n = x)
    loop grow {
      max = 4
      state v: int = x
      state trace: string = "t"
      while v < 4
      step add { in v; in trace; out next_v: int; out t: string; run = """echo $((v + 1)) > "$next_v"; printf '%s%s' "$trace" "$v" > "$t" """ }
      next { v = add.next_v; trace = add.t }
    }
    step grown { in v = grow.v; in trace = grow.trace; in n = grow.iterations; out r: string = stdout; run = """echo "$v $trace $n" """ }
  }

  if src.flag {
    for y in src.xs { step inner { in y; out v: int = stdout; run = """echo $((y + 1))""" } }
    step after_inner { in vs = inner.v; out s: string = stdout; run = """echo "$vs" """ }
  } else {
    for y in src.xs { step other { in y; out v: int = stdout; run = """echo 0""" } }
  }

  loop rounds {
    max = 3
    state xs: list<int> = src.xs
    for y in xs { step dbl { in y; out v: int = stdout; run = """echo $((y * 2))""" } }
    step total { in vs = dbl.v; in all = sum(dbl.v); out t: int = stdout; out keep: list<int>; shell = python3
      run = """
        import json, os
        print(os.environ["all"])
        json.dump(json.loads(os.environ["vs"])[1:], open(os.environ["keep"], "w"))
      """ }
    next { xs = total.keep }
  }
  step fin { in lines = what.line; in words = g.word; in sums = g.sum; in grown = grown.r; in inner = inner.v ?? [0]; in other = other.v ?? [7]
    in last = rounds.xs; in n = rounds.iterations; in s = after_inner.s ?? "none"; in ms = g.maybe; out o: json; shell = python3
    run = """
      import json, os
      e = os.environ
      json.dump({k: e[k] for k in "lines words sums grown inner other last n s ms".split()}, open(e["o"], "w"))
    """ }
  out o = fin.o
}
