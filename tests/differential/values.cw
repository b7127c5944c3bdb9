# Text that is passed on as it came, parts of a second, and JSON that cannot be.
task measure {
  out w: time
  out x: float
  out xs: list<float>
  out ss: list<string>
  out j: json
  run = """
    echo 2026-01-02T03:04:05.25+01:00 > "$w"
    echo inf > "$x"
    echo '[1.50, 2e0 , 3]' > "$xs"
    echo '[ "a" , "\\u00e9"]' > "$ss"
    echo '{"b": 1.0, "a":[2 ,3]}' > "$j"
  """
}

task show {
  in  j: json
  out s: string
  run = """printf %s "$j" > "$s" """
}

task pass {
  in  xs: list<float>
  in  ss: list<string>
  in  j: json
  in  x: float
  out s: string
  run = """printf '%s|%s|%s|%s' "$xs" "$ss" "$j" "$x" > "$s" """
}

workflow values {
  defaults { image = "debian:12-slim" }
  step m      = measure()
  step list   = show(j = json(m.xs))
  step passed = pass(xs = m.xs, ss = m.ss, j = m.j, x = m.xs[0])
  step given = pass(
    xs = [1.50, 2],
    ss = ["a", "b"],
    j  = json({ b = [1.50], a = m.xs[1] }),
    x  = 1.50
  )
  step inf = show(j = json(m.x)) { allow_failure = true }
  out later     = m.w + 1ms
  out earlier   = m.w - 1500ms
  out between   = m.w + 1ms - m.w
  out after     = m.w + 1ms > m.w
  out same      = m.w + 1ms == m.w
  out text      = str(m.w + 1ms)
  out day       = format_time(m.w, "%Y-%m-%d %H:%M:%S")
  out list      = list.s
  out passed_on = passed.s
  out given_on  = given.s
  out inside    = "${m.j}"
  out xs        = m.xs
  out inf       = inf.status
}
