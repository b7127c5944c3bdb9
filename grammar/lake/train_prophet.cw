# Fit a time-series model with Prophet.
# kind: train
# tags: prophet time series forecast seasonality demand

task train_prophet {
  in  data: file
  out model: file
  shell = python3
  image = "ghcr.io/acme/prophet:1.1"
  run = """
    import os, pickle
    import pandas as pd
    from prophet import Prophet
    t = pd.read_csv(os.environ["data"])
    pickle.dump(Prophet().fit(t), open(os.environ["model"], "wb"))
  """
}

workflow use_train_prophet {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = train_prophet(data = make.data)
}
