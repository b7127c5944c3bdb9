# Successive halving: many configurations with a small budget, the best third with three times as much.

task train {
  in  data: dir
  in  lr: float
  in  width: int
  in  dropout: float
  in  epochs: int
  out model: dir
  out loss: float
  image = "ghcr.io/acme/torch:2.5"
  resources { cpu = 4; memory = 16Gi; gpu = 1 }
  timeout = 6h
  run = """
    train --data "$data" --lr "$lr" --width "$width" --dropout "$dropout" \
          --epochs "$epochs" --out "$model" --loss-out "$loss"
  """
}

workflow hyperparameters {
  doc = "Find learning rate, width and dropout within 27 starts."

  step data {
    out set: dir
    image = "ghcr.io/acme/torch:2.5"
    run = """prepare-data --out "$set" """
  }

  sweep tune = train(
    data    = data.set,
    lr      = log_uniform(1e-5, 1e-2),
    width   = choice(128, 256, 512),
    dropout = uniform(0.0, 0.5)
  ) {
    search       = halving(trials = 27, seed = 11, factor = 3, budget = epochs, min = 2, max = 54)
    minimize     = loss
    max_parallel = 9
  }

  out model = tune.best.model
  out lr    = tune.best.lr
  out loss  = tune.best.loss
}
