# The same step for each value of a fixed list, a few at a time, then a merge.
# kind: pattern
# tags: for each fan-out parallel list countries regions merge

workflow countries {
  defaults { image = "python:3.12-slim" }
  for country in ["DE", "FR", "IT"] {
    max_parallel = 2
    step load { in country; out rows: file; run = """echo "$country" > "$rows" """ }
  }
  step merge { in parts = load.rows; out all: file; run = """cat "$parts"/* > "$all" """ }
}
