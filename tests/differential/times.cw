# Times as steps write them: what is one, and in UTC.
task write {
  in  t: string
  out w: time
  run = """printf %s "$t" > "$w" """
}

task show {
  in  w: time
  out s: string
  run = """printf %s "$w" > "$s" """
}

workflow times {
  param old: time = "2000-01-01T00:00:00Z"
  defaults { image = "debian:12-slim" }
  for t in [
    "2026-01-02T03:04:05.250+01:00",
    "2026-01-01T00:30:00+01:00",
    "2025-12-31T23:59:60Z",
    "2024-02-29T23:00:00-02:30",
    "0001-01-01T00:00:00.123456789123Z",
    "2023-02-29T00:00:00Z",
    "2026-01-01 00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-01t00:00:00.000z",
    "2025-12-31T23:59:60+01:00",
    "2026-01-01T24:00:00Z",
    "2026-03-01T00:10:00+00:20"
  ] {
    step a = write(t = t) { allow_failure = true }
    step b = show(w = a.w ?? old)
    step c = show(w = (a.w ?? old) + 1s)
  }
}
