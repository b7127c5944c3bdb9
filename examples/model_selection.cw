# Train several kinds of model on the same data in parallel and keep the best.

task fit {
  doc = "One kind of model, one score on held-out data."
  in  table: file
  in  kind: string in ["linear", "tree", "forest"]
  out model: file
  out score: float
  image = "ghcr.io/acme/ml:2.1"
  resources { cpu = 2; memory = 4Gi }
  retry { limit = 2; backoff = 30s; on = error }
  run = """
    fit --kind "$kind" --table "$table" --model-out "$model" --score-out "$score"
  """
}

workflow model_selection {
  doc = "Three models, one winner."

  param table: file = "s3://acme-data/customers/2026-11.parquet"

  sweep best_of = fit(table = table, kind = choice("linear", "tree", "forest")) {
    search   = grid()
    maximize = score
  }

  step register {
    in model = best_of.best.model
    in kind  = best_of.best.kind
    in score = best_of.best.score
    image = "ghcr.io/acme/registry-cli:1.0"
    env { REGISTRY_TOKEN = secret("registry", "token") }
    run = """
      registry put --name churn --tag "$kind" --metric "score=$score" "$model"
    """
  }

  out model = best_of.best.model
  out kind  = best_of.best.kind
}
