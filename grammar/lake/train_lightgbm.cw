# Train gradient-boosted trees with LightGBM.
# kind: train
# tags: lightgbm gradient boosting trees tabular

task train_lightgbm {
  in  data: file
  in  target: string = "label"
  out model: file
  shell = python3
  image = "ghcr.io/acme/lightgbm:4.5"
  resources { cpu = 2; memory = 4Gi }
  run = """
    import os
    import joblib
    import pandas as pd
    from lightgbm import LGBMClassifier
    e = os.environ
    t = pd.read_csv(e["data"])
    y = t.pop(e["target"])
    joblib.dump(LGBMClassifier(n_estimators=400).fit(t, y), e["model"])
  """
}

workflow use_train_lightgbm {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = train_lightgbm(data = make.data)
}
