# flags: --split-steps 3
# fail_fast and a timeout hold in parts: what one part's failure stops, stops in the others.
workflow stops {
  fail_fast = true
  timeout   = 1h
  step first {
    out v: int
    run = """echo 1 > "$v" """
  }
  step bad {
    in  n = first.v
    out v: int
    run = """exit 3"""
  }
  step held { in n = bad.v; out v: int; run = """echo 1 > "$v" """ }
  step held2 { in n = held.v; out v: int; run = """echo 1 > "$v" """ }
  step slow { out v: int; run = """sleep 4; echo 1 > "$v" """ }
  step late { in n = slow.v; out v: int; run = """echo 2 > "$v" """ }
  step later { in n = late.v; out v: int; run = """echo 3 > "$v" """ }
  on failure {
    step page {
      in  names = workflow.failed_steps
      out said: json
      run = """printf '%s' "$names" > "$said" """
    }
  }
}
