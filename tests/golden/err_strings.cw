# A string that is not closed is one error, at the string, wherever the next quote stands.
workflow w {
  doc = "daily; schedule = "0 0 * * *"
  step a { in a = "x; run = """true""" }
  step b { in a = "x; in b = "y"; run = """true""" }
  step c { in a = ["a, "b"]; run = """true""" }
  step d { in a = len("x); in b = "y"; run = """true""" }
  step e { in a = "x""y"; run = """true""" }
  step f { in a = ""; in b = "${""}"; in c = "a"in ["a"]; run = """true""" }
  step g { in x = f.none; run = """true""" }
}
