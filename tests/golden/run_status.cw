# What is read of steps that did not run: a fallback stands in for an exit code, without one the reader fails.
workflow run_status {
  step a { out v: int = stdout; run = """exit 3""" }
  step b { in v = a.v; out o: int = stdout; run = """echo "$v" """ }
  step c { in e = b.exit_code ?? -1; in s = b.status; in t = a.exit_code; out o: string = stdout; run = """echo "$e $s $t" """ }
  step d { in e = b.exit_code; run = """echo "$e" """ }
  out o = c.o
}
