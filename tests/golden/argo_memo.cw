# flags: --set argo.memoize=on --set cache.budget=10MB --set cache.profile=argo_memo.jsonl
# What is kept on a cluster: features is worth its room, a budget of 10 MB has none left for copy, and the rest cannot be kept.
workflow memo {
  param day: string = "2026-11-21"
  param n:   int    = 3
  defaults {
    image = "debian:12-slim"
    cache = on
  }
  step features {
    in  d = day
    in  k: int = n + 1
    out csv: file
    out rows: int
    run = """
      printf '%s\n' "$d" > "$csv"
      echo $k > "$rows"
    """
  }
  step copy {
    in  r = features.rows
    out big: file
    run = """printf %s "$r" > "$big" """
  }
  step scale {
    in  r = features.rows
    out v: float
    env {
      FACTOR = "2"
      DAY    = day
    }
    cache {
      mode    = on
      ttl     = 1d
      key     = [day]
      version = "2"
    }
    run = """echo "$r$FACTOR" > "$v" """
  }
  step load {
    in  csv = features.csv
    out rows: int
    run = """wc -l < "$csv" > "$rows" """
  }
  step names {
    in  r = features.rows
    out all: list<string>
    run = """echo '["a"]' > "$all" """
  }
  step now {
    in  r = features.rows
    out t: string
    cache = off
    run   = """date > "$t" """
  }
  for i in range(0, n) {
    step each {
      in  i = i
      out v: int
      run = """echo $i > "$v" """
    }
  }
  out v     = scale.v
  out lines = load.rows
  out s     = sum(each.v)
}
