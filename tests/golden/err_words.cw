# Words of other languages: constants, types; a type that is none gives one error.
task t { in l: array = []; in m: map<string, int>; in q: Fooo?; run = """true""" }
workflow w {
  param p: array = []
  param u: map<string, int> = {}
  step a { in s = nil; in t = False; in u2 = undefined; in y = yes; run = """true""" }
  step b { in CW_x = 1; in PATH = "x"; run = """true""" }
  step c {
    in x = 1
    env {
      x = "3"
    }
    run = """true"""
  }
}
