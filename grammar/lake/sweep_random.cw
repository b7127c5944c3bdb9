# A random search over hyperparameters; the best model goes on.
# kind: pattern
# tags: sweep random search hyperparameters tune trials learning rate

task fit {
  in  lr: float
  in  batch: int
  out model: file
  out f1: float
  resources { gpu = 1 }
  run = """echo "$lr $batch" > "$model"; echo 0.5 > "$f1" """
}

workflow search_random {
  defaults { image = "python:3.12-slim" }
  sweep tune = fit(lr = log_uniform(1e-5, 1e-2), batch = choice(16, 32, 64)) {
    search       = random(trials = 25, seed = 7)
    maximize     = f1
    max_parallel = 4
  }
  out model = tune.best.model
}
