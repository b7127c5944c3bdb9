# Loops, gates and on blocks that are not right.
workflow loops {
  let a = b
  let b = a

  loop l {
    state n = null
    while inc.m < 3
    step inc { out m: int = stdout; run = """echo 1""" }
    next { n = inc.m; k = 1 }
  }
  wait w_ { }
  approve gate { ask verdict: string = "maybe" in ["yes", "no"] }
  service db { image = "x:1" }
  on exit { step tell { in v = work.v; run = """echo "$v" """ } }
  on exit { step again { run = """true""" } }
  step work { out v: int = stdout; run = """echo 1""" }
  step late { in v = tell.status; run = """echo "$v" """ }
}
