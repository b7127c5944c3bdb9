workflow loop_status {
  loop none { max = 2; state n: int = 7; while n < 3; step a { in n; out m: int = stdout; run = """echo $((n + 1))""" }; next { n = a.m } }
  loop some { max = 4; state n: int = 1; while n < 3; step b { in n; out m: int = stdout; run = """echo $((n + 1))""" }; next { n = b.m } }
  loop bad { max = 3; state n: int = 0; step c { in n; out m: int = stdout; run = """[ "$n" -lt 1 ]; echo $((n + 1))""" }; next { n = c.m } }
  step z { in s = none.status; in t = some.status; in u = bad.status; out o: string = stdout; run = """echo "$s $t $u" """ }
  out o = z.o
}
