# Predict rows with a stored scikit-learn model.
# kind: predict
# tags: predict score batch scoring sklearn predictions inference

task predict_sklearn {
  in  model: file
  in  data: file
  out predictions: file
  shell = python3
  image = "ghcr.io/acme/sklearn:1.5"
  run = """
    import os
    import joblib
    import pandas as pd
    e = os.environ
    t = pd.read_csv(e["data"])
    t["prediction"] = joblib.load(e["model"]).predict(t)
    t.to_csv(e["predictions"], index=False)
  """
}

workflow use_predict_sklearn {
  defaults { image = "python:3.12-slim" }
  step fit { out model: file; run = """printf m > "$model" """ }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = predict_sklearn(model = fit.model, data = make.data)
}
