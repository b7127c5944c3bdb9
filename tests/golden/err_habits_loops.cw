# Loops and branches as other languages write them: one error each, with what to write.
workflow w {
  step a { out s: bool; run = """echo true > "$s" """ }
  for x = 1 to 3 { step b { in x; run = """echo "$x" """ } }
  for i = 0; i < 3; i++ { step c { in i; run = """echo "$i" """ } }
  for y in 1..3 { step d { in y; run = """echo "$y" """ } }
  if a.s { step e { run = """echo""" } } else { step f { run = """echo""" } } else { step g { run = """echo""" } }
  step h { run = """echo""" }
}
