# Deploy only when a metric is good enough, otherwise fail with a message.
# kind: pattern
# tags: if condition threshold metric auc accuracy deploy otherwise gate

workflow metric_gate {
  param floor: float = 0.8
  defaults { image = "python:3.12-slim" }
  step evaluate { out auc: float; run = """echo 0.9 > "$auc" """ }
  if evaluate.auc > floor {
    step deploy { in auc = evaluate.auc; run = """echo "$auc" """ }
  } else {
    fail "auc ${evaluate.auc} is not above ${floor}"
  }
}
