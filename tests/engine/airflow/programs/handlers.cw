# on blocks of a workflow that is called and of its caller, regions in them, failures in them, allow_failure of a call.
workflow inner {
  param n: int
  step work { in n; out v: int = stdout; run = """[ "$n" -lt 2 ]; echo "$n" """ }
  step side { out s: string = stdout; run = """echo side""" }
  on failure { step mend { in failed = workflow.failed_steps; in v: int = work.v ?? -9; out m: string = stdout; run = """echo "$failed $v" """ } }
  on success { step praise { in v: int = work.v ?? -9; out p: string = stdout; run = """echo "ok $v" """ } }
  on exit { step close_ { in s = side.s ?? "-"; out c: string = stdout; run = """echo "closed $s" """ } }
  out v = work.v
  out s = side.s
}
workflow handlers {
  step a = inner(n = 1)
  step b = inner(n = 5) { allow_failure = true }
  step after_a { in v = a.v; out w: int = stdout; run = """echo $((v + 1))""" }
  step after_b { in v = b.v ?? 77; in st = b.status; out w: string = stdout; run = """echo "$v $st" """ }
  for k in [1, 2, 3] {
    step c = inner(n = k) { allow_failure = true }
    step d { in v = c.v ?? 0; out w: int = stdout; run = """echo "$v" """ }
  }
  step boom { run = """exit 4""" }
  step skipped_ { after = [boom]; run = """true""" }
  on failure {
    for x in [1, 2] { step note { in x; in names = workflow.failed_steps; out n: string = stdout; run = """echo "$x $names" """ } }
    if len(workflow.failed_steps) == 1 { step one { out o: string = stdout; run = """echo one""" } } else { step many { out o: string = stdout; run = """echo many""" } }
    step uses { in ns = note.n; out u: string = stdout; run = """echo "$ns" """ }
  }
  on exit { step last { in w = after_a.w ?? 0; in ds = d.w ?? [0]; out l: string = stdout; run = """echo "$w $ds" """ } }
  out w = after_a.w
  out b = after_b.w
}
