# Lists of files with nothing in them.
task use {
  in  f: list<file>
  in  d: list<dir>
  out n: int
  run = """ls "$f" "$d" | wc -l > "$n" """
}

workflow sub {
  defaults { image = "debian:12-slim" }
  param f: list<file>
  param d: list<dir> = []
  step u = use(f = f, d = d)
  out n = u.n
}

workflow no_files {
  defaults { image = "debian:12-slim" }
  step u = use(f = [], d = [])
  step v = sub(f = [])
  for i in range(2) {
    step w = use(f = [], d = [])
  }
  out n = u.n + v.n + sum(w.n)
}
