# A long list of after: each name once, soft only where each mention is.
workflow order_many {
  step s0 { run = """true""" }
  step s1 { run = """true""" }
  step s2 { run = """true""" }
  step s3 { run = """true""" }
  step s4 { run = """true""" }
  step s5 { run = """true""" }
  step s6 { run = """true""" }
  step s7 { run = """true""" }
  step s8 { run = """true""" }
  step s9 { run = """true""" }
  step s10 { run = """true""" }
  step s11 { run = """true""" }
  step s12 { run = """true""" }
  step s13 { run = """true""" }
  step s14 { run = """true""" }
  step s15 { run = """true""" }
  step s16 { run = """true""" }
  step s17 { run = """true""" }
  step s18 { run = """true""" }
  step s19 { run = """true""" }
  step z {
    after = [
      s0?,
      s1?,
      s2?,
      s3?,
      s4?,
      s5?,
      s6?,
      s7?,
      s8?,
      s9?,
      s10?,
      s11?,
      s12?,
      s13?,
      s14?,
      s15?,
      s16?,
      s17?,
      s18?,
      s19?,
      s0,
      s3,
      s6,
      s9,
      s12,
      s15,
      s18,
      s0?
    ]
    run = """true"""
  }
}
