# Train gradient-boosted trees with XGBoost.
# kind: train
# tags: xgboost gradient boosting gbm boosted trees tabular

task train_xgboost {
  in  data: file
  in  target: string = "label"
  out model: file
  shell = python3
  image = "ghcr.io/acme/xgboost:2.1"
  resources { cpu = 2; memory = 4Gi }
  run = """
    import os
    import joblib
    import pandas as pd
    from xgboost import XGBClassifier
    e = os.environ
    t = pd.read_csv(e["data"])
    y = t.pop(e["target"])
    joblib.dump(XGBClassifier(n_estimators=400, max_depth=6, learning_rate=0.05).fit(t, y), e["model"])
  """
}

workflow use_train_xgboost {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = train_xgboost(data = make.data)
}
