# Successive halving: many starts with a small budget, the best third goes on.
# kind: pattern
# tags: halving hyperband budget epochs search sweep

task fit {
  in  lr: float
  in  epochs: int
  out loss: float
  run = """echo "$lr $epochs"; echo 0.5 > "$loss" """
}

workflow search_halving {
  defaults { image = "python:3.12-slim" }
  sweep tune = fit(lr = log_uniform(1e-4, 1e-1)) {
    search   = halving(trials = 27, seed = 1, factor = 3, budget = epochs, min = 1, max = 27)
    minimize = loss
  }
  out lr = tune.best.lr
}
