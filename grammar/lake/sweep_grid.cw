# A grid search over two arguments.
# kind: pattern
# tags: grid search sweep combinations hyperparameters

task fit {
  in  depth: int
  in  rate: float
  out loss: float
  run = """echo "$depth $rate"; echo 0.5 > "$loss" """
}

workflow search_grid {
  defaults { image = "python:3.12-slim" }
  sweep tune = fit(depth = choice(4, 6, 8), rate = choice(0.1, 0.3)) {
    search   = grid()
    minimize = loss
  }
  out depth = tune.best.depth
}
