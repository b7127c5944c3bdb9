# Train a random forest with scikit-learn.
# kind: train
# tags: random forest sklearn scikit-learn classifier tabular

task train_random_forest {
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
    from sklearn.ensemble import RandomForestClassifier
    e = os.environ
    t = pd.read_csv(e["data"])
    y = t.pop(e["target"])
    joblib.dump(RandomForestClassifier(n_estimators=300, n_jobs=-1, random_state=0).fit(t, y), e["model"])
  """
}

workflow use_train_random_forest {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = train_random_forest(data = make.data)
}
