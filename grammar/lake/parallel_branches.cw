# Two steps beside each other, then one that reads both.
# kind: pattern
# tags: parallel branches join both concurrently

workflow two_branches {
  defaults { image = "python:3.12-slim" }
  step left { out data: file; run = """echo l > "$data" """ }
  step right { out data: file; run = """echo r > "$data" """ }
  step join {
    in  l = left.data
    in  r = right.data
    out all: file
    run = """cat "$l" "$r" > "$all" """
  }
}
