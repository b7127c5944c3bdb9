# Several models on the same data, the best one is kept.
# kind: pattern
# tags: champion challenger compare select best models

workflow champion {
  defaults { image = "python:3.12-slim" }
  step data { out table: file; run = """date > "$table" """ }
  for kind in ["linear", "forest", "boosting"] {
    step fit {
      in  kind
      in  table = data.table
      out model: file
      out score: float
      run = """echo "$kind" > "$model"; wc -c < "$table" > "$score" """
    }
  }
  step choose {
    in  models = fit.model
    in  best   = argmax(fit.score)
    out model: file
    run = """cp "$models/$(printf %06d "$best")" "$model" """
  }
  out model = choose.model
}
