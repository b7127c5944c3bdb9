# A scikit-learn sweep that trains, picks and ships a model, on data that the package brings along.
#
#   python3 -m venv build/venv && build/venv/bin/pip install -r examples/requirements.txt
#   PATH="$PWD/build/venv/bin:$PATH" couler run examples/sklearn_sweep.cw

task train {
  doc = "A random forest on the breast cancer data set; accuracy by five-fold cross-validation."
  in  table: file
  in  trees: int
  in  depth: int
  in  leaf: int
  out model: file
  out accuracy: float
  code = ["sklearn_sweep/train.py"]
  run = """
    python3 sklearn_sweep/train.py "$table" "$trees" "$depth" "$leaf" "$model" "$accuracy"
  """
}

workflow sklearn_sweep {
  doc = "Load, search, evaluate on held-out rows, ship."

  param floor: float = 0.9

  defaults { image = "ghcr.io/acme/sklearn:1.5" }

  step data {
    out train: file
    out test: file
    code = ["sklearn_sweep/data.py"]
    run = """python3 sklearn_sweep/data.py "$train" "$test" """
  }

  sweep tune = train(
    table = data.train,
    trees = choice(10, 30),
    depth = choice(2, 5),
    leaf  = steps(1, 5, 4)
  ) {
    search   = grid()
    maximize = accuracy
  }

  step evaluate {
    in  model = tune.best.model
    in  test = data.test
    out accuracy: float
    code = ["sklearn_sweep/evaluate.py"]
    run = """python3 sklearn_sweep/evaluate.py "$model" "$test" > "$accuracy" """
  }

  if evaluate.accuracy >= floor {
    step ship {
      in  model = tune.best.model
      in  accuracy = evaluate.accuracy
      out card: json
      shell = python3
      run = """
        import hashlib, json, os
        e = os.environ
        digest = hashlib.sha256(open(e["model"], "rb").read()).hexdigest()
        json.dump({"model": digest[:12], "accuracy": float(e["accuracy"])}, open(e["card"], "w"))
      """
    }
  } else {
    fail "accuracy ${evaluate.accuracy} is below ${floor}"
  }

  out accuracy = evaluate.accuracy
  out depth    = tune.best.depth
}
