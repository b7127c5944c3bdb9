# Split a table into a training and a test set with scikit-learn.
# kind: split
# tags: train test split holdout stratified csv sklearn 80 20

task split_train_test {
  in  data: file
  in  test_size: float = 0.2
  out train_set: file
  out test_set: file
  shell = python3
  image = "ghcr.io/acme/sklearn:1.5"
  run = """
    import os
    import pandas as pd
    from sklearn.model_selection import train_test_split
    e = os.environ
    a, b = train_test_split(pd.read_csv(e["data"]), test_size=float(e["test_size"]), random_state=0)
    a.to_csv(e["train_set"], index=False)
    b.to_csv(e["test_set"], index=False)
  """
}

workflow use_split_train_test {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = split_train_test(data = make.data)
}
