# A result that is reused for a week, and a step that always runs.
# kind: pattern
# tags: cache reuse ttl fresh recompute

workflow cached {
  defaults { image = "python:3.12-slim" }
  step slow {
    out data: file
    cache { ttl = 7d; version = "1" }
    run = """date > "$data" """
  }
  step fresh {
    in  data = slow.data
    out line: string = stdout
    cache = off
    run   = """cat "$data" """
  }
}
