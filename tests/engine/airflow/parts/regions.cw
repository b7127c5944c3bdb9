# flags: --split-steps 3
# Branches, loops, a sweep and an `on` block, in parts, with a limit on what runs at once.
task trial {
  in  lr: float
  in  base: file
  out loss: float
  out model: file
  run = """echo "$lr" > "$loss"; { cat "$base"; echo "$lr"; } > "$model" """
}

workflow regions {
  max_parallel = 2
  param names: list<string> = ["a b", "{{c}}", "$d"]
  step start {
    out t: time
    out f: file
    out k: int
    run = """echo 2026-01-02T03:04:05Z > "$t"; echo base > "$f"; echo 3 > "$k" """
  }
  for x in names {
    step each {
      in  x
      in  f = start.f
      out o: file
      out s: string
      run = """{ cat "$f"; printf '%s' "$x"; } > "$o"; printf '(%s)' "$x" > "$s" """
    }
  }
  step join {
    in  parts = each.o
    in  all   = each.s
    out text: string = stdout
    out whole: file
    run = """cat "$parts"/*; printf '%s' "$all"; cat "$parts"/* > "$whole" """
  }
  if start.k > 2 { step high { in w = join.whole; out o: file; run = """cp "$w" "$o" """ } }
  step pick {
    in  f: file   = join.whole
    in  h: string = high.status
    after = [high?]
    out o: file
    run = """cat "$f" > "$o" """
  }
  loop grow {
    max = 3
    state m: file = pick.o
    state i: int  = 0
    while i < 2
    step more {
      in  m
      in  i
      out m2: file
      out i2: int
      run = """{ cat "$m"; echo "round $i"; } > "$m2"; echo $((i + 1)) > "$i2" """
    }
    next { m = more.m2; i = more.i2 }
  }
  sweep tune = trial(base = grow.m, lr = uniform(0.1, 0.9)) {
    search   = random(trials = 3, seed = 7)
    minimize = loss
  }
  step end {
    in  m = tune.best.model
    in  t = start.t
    in  i = grow.i
    out all: file
    run = """{ cat "$m"; echo "$t $i"; } > "$all" """
  }
  step after_it { in m = end.all; out n: int; run = """wc -l < "$m" > "$n" """ }
  out text = join.text
  out all  = end.all
  out n    = after_it.n
  out best = tune.best.model
  on exit { step tell { in n = after_it.n ?? -1; run = """echo "$n" """ } }
}
