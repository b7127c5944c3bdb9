# Fit an isolation forest that finds anomalies.
# kind: train
# tags: isolation forest anomaly outlier detection unsupervised

task train_isolation_forest {
  in  data: file
  in  target: string = "label"
  out model: file
  shell = python3
  image = "ghcr.io/acme/sklearn:1.5"
  resources { cpu = 2; memory = 4Gi }
  run = """
    import os
    import joblib
    import pandas as pd
    from sklearn.ensemble import IsolationForest
    e = os.environ
    t = pd.read_csv(e["data"])
    y = t.pop(e["target"])
    joblib.dump(IsolationForest(random_state=0).fit(t), e["model"])
  """
}

workflow use_train_isolation_forest {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = train_isolation_forest(data = make.data)
}
