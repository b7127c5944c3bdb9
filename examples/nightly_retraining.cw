# Nightly retraining with everything a production job wants: schedule, lock, retries, comparison with the model
# in service, clean-up and a page on failure.

workflow nightly_retraining {
  doc      = "Retrain on the last 30 days; replace the model in service only when the new one is better."
  schedule = { cron = "30 3 * * 1-5"; timezone = "Europe/Berlin"; overlap = forbid; deadline = 1h; keep_runs = 5 }
  lock     = "churn-model"
  timeout  = 8h
  labels { team = "growth" }

  param days: int = 30
  param gain: float = 0.002

  let bucket = "s3://acme-models/churn"

  defaults {
    image = "ghcr.io/acme/ml:2.1"
    retry { limit = 3; backoff = 1m; factor = 2; max_backoff = 10m; on = error }
    resources { cpu = 2; memory = 8Gi }
  }

  wait landed {
    image   = "ghcr.io/acme/aws-cli:2"
    run     = """aws s3 ls s3://acme-lake/events/_SUCCESS"""
    every   = 5m
    timeout = 3h
  }

  step extract {
    in  days
    out table: file
    after = [landed]
    env { PGPASSWORD = secret("warehouse", "password") }
    run = """extract --days "$days" --out "$table" """
  }

  step train {
    in  table = extract.table
    out model: file
    out auc: float
    resources { cpu = 8; memory = 32Gi; gpu = 1; gpu_type = "nvidia-a10" }
    timeout = 4h
    run = """train --table "$table" --model-out "$model" --auc-out "$auc" """
  }

  step current {
    out auc: float
    allow_failure = true
    run = """model-metric --name churn --metric auc > "$auc" """
  }

  if train.auc >= (current.auc ?? 0.0) + gain {
    step publish {
      in  model = train.model
      in  auc = train.auc
      out stored: file to "${bucket}/${workflow.run_id}.bin"
      run = """
        cp "$model" "$stored"
        model-promote --name churn --auc "$auc"
      """
    }
  }

  on failure {
    step page {
      in name   = workflow.name
      in failed = join(workflow.failed_steps, ", ")
      env { PAGER_KEY = secret("pager", "key") }
      run = """page --title "$name failed" --text "steps: $failed" """
    }
  }
  on exit {
    step cleanup { run = """cleanup-scratch""" }
  }
}
