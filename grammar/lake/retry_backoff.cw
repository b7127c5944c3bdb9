# Retries with exponential backoff, on infrastructure errors only.
# kind: pattern
# tags: retry backoff exponential attempts errors

workflow retrying {
  defaults { image = "python:3.12-slim" }
  step call {
    out data: file
    retry { limit = 4; backoff = 20s; factor = 2; max_backoff = 5m; on = error }
    timeout = 30m
    run     = """date > "$data" """
  }
}
