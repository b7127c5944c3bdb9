# A confusion matrix as a PNG picture.
# kind: evaluate
# tags: confusion matrix png plot picture classifier evaluate

task confusion_matrix {
  in  model: file
  in  test_set: file
  in  target: string = "label"
  out report: file named "confusion.png"
  shell = python3
  image = "ghcr.io/acme/sklearn:1.5"
  run = """
    import os
    import joblib
    import matplotlib
    matplotlib.use("Agg")
    import pandas as pd
    from sklearn.metrics import ConfusionMatrixDisplay
    e = os.environ
    t = pd.read_csv(e["test_set"])
    y = t.pop(e["target"])
    ConfusionMatrixDisplay.from_estimator(joblib.load(e["model"]), t, y).figure_.savefig(e["report"])
  """
}

workflow use_confusion_matrix {
  defaults { image = "python:3.12-slim" }
  step fit { out model: file; run = """printf m > "$model" """ }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = confusion_matrix(model = fit.model, test_set = make.data)
}
