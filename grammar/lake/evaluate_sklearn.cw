# Accuracy, precision, recall, F1 and AUC of a scikit-learn model on held-out rows.
# kind: evaluate
# tags: evaluate sklearn accuracy auc f1 precision recall classifier test set metrics

task evaluate_sklearn {
  in  model: file
  in  test_set: file
  in  target: string = "label"
  out report: file
  shell = python3
  image = "ghcr.io/acme/sklearn:1.5"
  run = """
    import json, os
    import joblib
    import pandas as pd
    from sklearn import metrics as m
    e = os.environ
    t = pd.read_csv(e["test_set"])
    y = t.pop(e["target"])
    model = joblib.load(e["model"])
    p = model.predict(t)
    figures = {"accuracy": m.accuracy_score(y, p), "f1": m.f1_score(y, p, average="macro"),
               "precision": m.precision_score(y, p, average="macro"), "recall": m.recall_score(y, p, average="macro")}
    if hasattr(model, "predict_proba") and y.nunique() == 2:
        figures["auc"] = m.roc_auc_score(y, model.predict_proba(t)[:, 1])
    for name, value in figures.items():
      if name in e:
        open(e[name], "w").write(str(value))
    json.dump(figures, open(e["report"], "w"))
  """
}

workflow use_evaluate_sklearn {
  defaults { image = "python:3.12-slim" }
  step fit { out model: file; run = """printf m > "$model" """ }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = evaluate_sklearn(model = fit.model, test_set = make.data)
}
