# Files of which one may not be there.
task mk {
  in  n: int
  out f: file
  run = """echo "$n" > "$f" """
}

task use {
  in  f: file
  out n: int
  run = """cat "$f" > "$n" """
}

workflow choice {
  param n: int = 3
  defaults { image = "debian:12-slim" }
  step start = mk(n = n)
  if n > 5 {
    step high = mk(n = 100)
  }
  step a = mk(n = 7) { allow_failure = true }
  step v = use(f = a.f ?? start.f)
  step u = use(f = high.f ?? start.f)
  out n = u.n
}
