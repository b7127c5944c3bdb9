# Run a notebook with parameters.
# kind: run
# tags: notebook jupyter papermill ipynb

task run_notebook {
  in  notebook: string = "report.ipynb"
  out page: file named "out.ipynb"
  run = """pip install -q papermill==2.6.0 ipykernel==6.29.5 && papermill "$notebook" "$page" """
}

workflow use_run_notebook {
  defaults { image = "python:3.12-slim" }
  step one = run_notebook()
}
