# A person approves before a step goes on, within a time limit.
# kind: pattern
# tags: approve approval manual gate human review sign-off

workflow gated {
  defaults { image = "python:3.12-slim" }
  step work { out data: file; run = """date > "$data" """ }
  approve gate { message = "publish?"; timeout = 4h; after = [work] }
  step publish { in data = work.data; after = [gate]; run = """cat "$data" """ }
}
