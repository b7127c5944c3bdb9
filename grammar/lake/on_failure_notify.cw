# A message when the run fails, a clean-up whatever happens.
# kind: pattern
# tags: on failure exit notify alert cleanup always handler

workflow handlers {
  defaults { image = "python:3.12-slim" }
  step work { out data: file; run = """date > "$data" """ }
  on failure {
    step page { in failed = join(workflow.failed_steps, ", "); run = """echo "failed: $failed" """ }
  }
  on exit {
    step cleanup { run = """echo cleaned""" }
  }
}
