# A line plot of a table's columns.
# kind: report
# tags: plot chart curve matplotlib png picture

task report_plot {
  in  data: file
  out report: file named "plot.png"
  shell = python3
  image = "ghcr.io/acme/pandas:2.2"
  run = """
    import os
    import matplotlib
    matplotlib.use("Agg")
    import pandas as pd
    pd.read_csv(os.environ["data"]).plot().figure.savefig(os.environ["report"])
  """
}

workflow use_report_plot {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = report_plot(data = make.data)
}
