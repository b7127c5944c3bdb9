# Parameters with defaults and allowed values that reach a step.
# kind: pattern
# tags: param parameter default choices configurable

workflow parameters {
  param country: string = "DE" in ["DE", "AT", "CH"]
  param days:    int    = 30
  defaults { image = "python:3.12-slim" }
  step load { in country; in days; out data: file; run = """echo "$country $days" > "$data" """ }
}
