# Cycles, loops, gates.
workflow flow {
  param c: bool = true

  step a { in x = b.v; out v: int; run = """echo "$x" > "$v" """ }
  step b { in x = d.v; out v: int; run = """echo "$x" > "$v" """ }
  step d { in x = a.v; after = [b]; out v: int; run = """echo "$x" > "$v" """ }

  if c {
    step p { out v: int; run = """echo 1 > "$v" """ }
    step q { in x = r.v; run = """echo "$x" """ }
  }
  step r { in x = p.v ?? 0; out v: int; run = """echo "$x" > "$v" """ }

  loop l {
    max = 3
    state n: int = 0
    while n < 3
    step inc { in n; out m: int = stdout; run = """echo $((n + 1))""" }
    next { n = inc.m }
  }
}
