# Nightly churn model: extract, build features, search hyperparameters, ship when good enough.
#
#   couler run examples/churn.cw                       # here and now, in parallel, cached
#   couler compile examples/churn.cw -o churn.yaml     # an Argo CronWorkflow

task train {
  doc = "Gradient-boosted churn classifier."
  in  table: file
  in  lr: float
  in  depth: int = 2
  out model: file
  out auc: float
  code    = ["churn/train.py", "churn/boost.py"]
  resources { cpu = 1; memory = 1Gi }
  timeout = 10m
  run = """
    python3 churn/train.py --table "$table" --lr "$lr" --depth "$depth" \
                           --model-out "$model" --auc-out "$auc"
  """
}

workflow churn {
  doc      = "Retrain the churn model every night and ship it when it is good."
  schedule = "0 2 * * *"

  param customers: int   = 2000
  param floor:     float = 0.80

  defaults { image = "python:3.12-slim"; retry = 2 }

  step extract {
    in  customers
    out raw: file
    code = ["churn/extract.py"]
    run  = """python3 churn/extract.py "$customers" "$raw" """
  }

  step features {
    in  raw = extract.raw
    out table: file
    code = ["churn/features.py"]
    run  = """python3 churn/features.py "$raw" "$table" """
  }

  sweep tune = train(
    table = features.table,
    lr    = log_uniform(3e-2, 1.0),
    depth = choice(1, 2, 3)
  ) {
    search       = random(trials = 8, seed = 7)
    maximize     = auc
    max_parallel = 4
  }

  if tune.best.auc >= floor {
    step deploy {
      in  model = tune.best.model
      in  auc   = tune.best.auc
      out receipt: string = stdout
      code = ["churn/deploy.sh"]
      run  = """sh churn/deploy.sh "$model" "$auc" """
    }
  } else {
    fail "churn model too weak: auc ${tune.best.auc}, floor ${floor}"
  }

  on failure {
    step page {
      in failed = workflow.failed_steps
      run = """echo "churn failed in: $failed" >&2"""
    }
  }

  out auc     = tune.best.auc
  out model   = tune.best.model
  out receipt = deploy.receipt ?? "not shipped"
}
