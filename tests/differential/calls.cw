# Calls that are allowed to fail, calls inside them, copies of a workflow.
workflow sub {
  step a { out v: int = stdout; run = """exit 2""" }
  step b { in v = a.v; out w: int = stdout; run = """echo "$v" """ }
  step c { out v: int = stdout; run = """echo "4${MARK:-}" """ }
  on failure {
    step f { in fs = workflow.failed_steps; in st = workflow.status; out o: string = stdout; run = """echo "$fs $st" """ }
  }
  out w = b.w
  out c = c.v
}
workflow mid {
  step m = sub()
  step n { in w = m.w; run = """true""" }
  out w = m.w
}
workflow outer {
  step m = sub() { allow_failure = true }
  step n { in s = m.status; out o: string = stdout; run = """echo "$s" """ }
  out o = n.o
}
workflow calls {
  step x = sub() { allow_failure = true }
  step y = mid() { allow_failure = true }
  step v = outer()
  step u = sub() { allow_failure = true; env { MARK = "2" } }
  step z {
    in s = x.status
    in t = y.status
    in u = v.status
    in w = x.w ?? 7
    in c = x.c ?? 8
    in d = u.c ?? 9
    in o2 = v.o
    out o: string = stdout
    run = """echo "$s $t $u $w $c $d $o2" """
  }
  on exit {
    step e { in fs = workflow.failed_steps; in st = workflow.status; run = """echo "$fs $st" """ }
  }
  out o = z.o
}
