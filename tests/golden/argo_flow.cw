# Loops, gathers, branches, sweeps, failures that are allowed, handlers.
task score { in x: float; in part: file; out y: float; run = """score "$x" "$part" > "$y" """ }

workflow one_day { param day: string; defaults { image = "debian:12-slim" }
  step load { in day; out rows: file; run = """load "$day" > "$rows" """ }
  out rows = load.rows
}

workflow argo_flow {
  defaults { image = "debian:12-slim"; retry { limit = 2; on = [75]; backoff = 10s } }
  for day in ["mon", "tue"] { step load = one_day(day = day) }
  for i, rows in load.rows {
    max_parallel = 3
    step clean { in rows; in i; out table: file; out kept: int; run = """clean "$rows" "$table" > "$kept" """ }
    step check { in table = clean.table; allow_failure = true; run = """check "$table" """ }
  }
  step join { in tables = clean.table; in kept = sum(clean.kept); in checks = check.status; out all: file; run = """join "$tables" > "$all" """ }
  sweep tune = score(part = join.all, x = choice(0.1, 0.2)) { search = grid(); maximize = y; max_parallel = 2 }
  loop refine {
    max = 3
    state y = tune.best.y
    while y < 0.9
    step again = score(part = join.all, x = y)
    next { y = again.y }
  }
  if refine.y >= 0.9 { step ship { in y = refine.y; out id: string = stdout; run = """ship "$y" """ } }
  else { fail "only ${refine.y} after ${refine.iterations}" }
  on failure { step page { in what = join(workflow.failed_steps, ", "); run = """page "$what" """ } }
  on exit { step tell { in id = ship.id ?? "none"; in s = workflow.status; run = """tell "$id" "$s" """ } }
}
