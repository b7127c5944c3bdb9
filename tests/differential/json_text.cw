# JSON as it comes, taken apart and put together: the same text everywhere.
task m {
  out j: json
  run = """printf '{"b": 1.0, "a":[2 ,{"z":1e3, "é":"x/y", "aa":null}], "s":{"y":1.50,"x":"\\u00e9"}}' > "$j" """
}

task show {
  in  j: json
  out s: string
  run = """printf '%s' "$j" > "$s" """
}

workflow json_text {
  defaults { image = "debian:12-slim" }
  step a = m()
  step p = show(j = a.j)
  step q = show(j = a.j.s)
  step r = show(j = json({ z = 1, a = a.j.s, m = [3, 1] }))
  step t = show(j = json({ z = 1, a = 2.50 }))
  step u = show(j = a.j.a[1])
  out x = str(a.j.s)
  out y = "${a.j.s}"
  out w = json({ zz = 1, b = a.j })
}
