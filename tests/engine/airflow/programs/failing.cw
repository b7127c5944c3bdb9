# What a failure stops: in loops, in ifs whose condition needs it, in gathers, in calls; errors of evaluation; fail_fast is apart.
workflow part { param n: int; step s { in n; out v: int = stdout; run = """[ "$n" != 3 ]; echo "$n" """ }; step t { in v = s.v; out w: int = stdout; run = """echo "$v" """ }; out w = t.w }
workflow failing {
  step ok { out v: int; out z: int; out xs: list<int>; run = """echo 4 > "$v"; echo 0 > "$z"; echo '[1,2]' > "$xs" """ }
  step boom { out v: int; run = """exit 7""" }
  loop l {
    max = 3
    state i: int = 0
    step a { in i; out n: int = stdout; run = """[ "$i" != 1 ]; echo $((i + 1))""" }
    step b { in n = a.n; out m: int = stdout; run = """echo "$n" """ }
    next { i = b.m }
  }
  step after_l { in i = l.i; run = """true""" }
  loop m { max = 2; state i: int = boom.v; step mm { in i; out n: int = stdout; run = """echo 1""" }; next { i = mm.n } }
  if boom.v > 1 { step x1 { run = """true""" } } else { step x2 { run = """true""" } }
  step div { in q = ok.v / ok.z; out r: float = stdout; run = """echo "$q" """ }
  step needs_div { in r = div.r; run = """true""" }
  step codes { in d = div.exit_code; in s = div.status; in n = needs_div.status; out o: string = stdout; run = """echo "$d $s $n" """ }
  if ok.xs[5] == 1 { step y1 { out v: int = stdout; run = """echo 1""" } }
  for k in ok.xs { step e { in k; in w = 10 / (k - 1); out v: float = stdout; run = """echo "$w" """ } }
  step uses_e { in vs = e.v; run = """true""" }
  for k in [ok.v / ok.z] { step never { in k; run = """true""" } }
  step p = part(n = 3)
  step pw { in w = p.w; run = """true""" }
  step q = part(n = 2)
  step qw { in w = q.w; out o: int = stdout; run = """echo "$w" """ }
  step bad_int { out n: int; run = """echo x > "$n" """ }
  step no_out { out f: file; run = """true""" }
  step is_dir { out f: file; run = """mkdir "$f" """ }
  fail "v is ${ok.v}"
  step sig { run = """kill -9 $$""" }
  step gone { command = ["no-such-program-here"] }
  on exit { step sum_up { in names = workflow.failed_steps; in st = workflow.status; out s: string = stdout; run = """echo "$st $names" """ } }
}
