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
  if n > 5 {
    step high = mk(n = 100)
  } else {
    step high = mk(n = 1)
  }
  step a = mk(n = 7) { allow_failure = true }
  step b = mk(n = 8)
  step u = use(f = high.f)
  step v = use(f = a.f ?? b.f)
  out n = u.n
}
