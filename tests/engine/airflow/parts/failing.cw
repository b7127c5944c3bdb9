# flags: --split-steps 3
# What fails in a part: names of the steps, what it holds up and what it does not.
task inc { in n: int; out v: int; run = """echo $((n + 1)) > "$v" """ }

workflow failing {
  step a = inc(n = 1)
  step b = inc(n = a.v)
  step soft { in n = b.v; out v: int; allow_failure = true; run = """exit 7""" }
  step bad { in n = a.v; out v: int; run = """exit 3""" }
  step held = inc(n = bad.v)
  step p    = inc(n = 10)
  step q    = inc(n = p.v)
  step r    = inc(n = q.v)
  on failure {
    step page {
      in  names = workflow.failed_steps
      out said: json
      run = """printf '%s' "$names" > "$said" """
    }
  }
}
