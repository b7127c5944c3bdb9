# A schedule on working days in a time zone, without overlap.
# kind: pattern
# tags: schedule cron nightly weekdays timezone daily overlap

workflow weekdays {
  schedule { cron = "30 6 * * 1-5"; timezone = "Europe/Berlin"; overlap = forbid; keep_runs = 7 }
  defaults { image = "python:3.12-slim" }
  step work { out data: file; run = """date > "$data" """ }
}
