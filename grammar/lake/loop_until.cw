# Train in rounds until a metric is reached, at most a number of times.
# kind: pattern
# tags: loop repeat until rounds iterate while metric retrain

workflow rounds_until {
  defaults { image = "python:3.12-slim" }
  loop rounds {
    max = 5
    state accuracy: float = 0.0
    while accuracy < 0.9
    step fit {
      in  accuracy
      out better: float
      run = """python3 -c "print(min(1, $accuracy + 0.3))" > "$better" """
    }
    next { accuracy = fit.better }
  }
  out accuracy = rounds.accuracy
}
