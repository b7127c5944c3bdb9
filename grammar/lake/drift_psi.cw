# The population stability index between two tables as a measure of drift.
# kind: validate
# tags: drift psi population stability monitoring

task drift_psi {
  in  data: file
  in  baseline: string = "baseline.csv"
  out psi: float
  shell = python3
  image = "ghcr.io/acme/pandas:2.2"
  run = """
    import os
    import numpy as np
    import pandas as pd
    e = os.environ
    a, b = pd.read_csv(e["baseline"]), pd.read_csv(e["data"])
    worst = 0.0
    for c in a.select_dtypes("number"):
        edges = np.unique(np.quantile(a[c].dropna(), np.linspace(0, 1, 11)))
        p, q = (np.histogram(t[c].dropna(), edges)[0] / max(1, len(t)) + 1e-6 for t in (a, b))
        worst = max(worst, float(((p - q) * np.log(p / q)).sum()))
    open(e["psi"], "w").write(str(worst))
  """
}

workflow use_drift_psi {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = drift_psi(data = make.data)
}
