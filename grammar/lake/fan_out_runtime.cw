# The same step for each item of a list that is only known when the run has begun.
# kind: pattern
# tags: for each file runtime list dynamic fan-out map parallel

workflow each_file {
  defaults { image = "python:3.12-slim" }
  step find { out items: list<string>; run = """echo '["a", "b"]' > "$items" """ }
  for item in find.items {
    max_parallel = 10
    step handle { in item; out result: file; run = """echo "$item" > "$result" """ }
  }
  step collect { in parts = handle.result; out all: file; run = """cat "$parts"/* > "$all" """ }
}
