# Register a model in MLflow.
# kind: register
# tags: mlflow register registry model version stage

task register_mlflow {
  in model: file
  in name: string = "model"
  image = "ghcr.io/mlflow/mlflow:v2.17.0"
  env {
    MLFLOW_TRACKING_TOKEN = secret("mlflow", "token")
    MLFLOW_TRACKING_URI   = config("mlflow", "uri")
  }
  run = """
    run=$(mlflow runs create --experiment-name "$name" | sed -n "s/.*run_id=\([^,)]*\).*/\1/p")
    mlflow artifacts log-artifact --local-file "$model" --run-id "$run"
  """
}

workflow use_register_mlflow {
  defaults { image = "python:3.12-slim" }
  step fit { out model: file; run = """printf m > "$model" """ }
  step one = register_mlflow(model = fit.model)
}
