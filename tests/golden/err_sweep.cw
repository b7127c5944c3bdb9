# Sweeps: spaces, searches, objectives.
task train {
  in  lr: float
  in  depth: int
  in  epochs: int = 10
  out model: file
  out auc: float
  run = """python -m train "$lr" "$depth" "$epochs" "$model" "$auc" """
}

workflow sweeps {
  step n { out k: int; run = """echo 3 > "$k" """ }

  sweep a = train(lr = uniform(0.1, 0.3), depth = choice(4, 6)) { search = grid(); maximize = auc }
  sweep b = train(lr = log_uniform(0, 0.3), depth = uniform(1, 9)) { search = random(trials = 20); maximize = auc }
  sweep c = train(lr = 0.1, depth = int_uniform(1, n.k)) { search = random(trials = 20); maximize = auc }
  sweep d = train(lr = choice(0.1, 0.3), depth = 6) { search = random(n = 20); maximize = acu }
  sweep e = train(lr = choice(0.1, 0.3), depth = 6, epochs = 3) {
    search = halving(trials = 9, factor = 3, budget = epochs, min = 1, max = 9)
    maximize = auc
  }
  sweep f = train(lr = choice(0.1, 0.3), depth = 6) { search = grid(); maximize = auc }
  step use { in m = f.model; in lr = f.best.params.lr; in x = f.best; run = """cat "$m" """ }
}
