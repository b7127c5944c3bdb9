# Train a logistic regression with scikit-learn.
# kind: train
# tags: logistic regression sklearn linear classifier baseline

task train_logistic {
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
    from sklearn.linear_model import LogisticRegression
    e = os.environ
    t = pd.read_csv(e["data"])
    y = t.pop(e["target"])
    joblib.dump(LogisticRegression(max_iter=1000).fit(t, y), e["model"])
  """
}

workflow use_train_logistic {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = train_logistic(data = make.data)
}
