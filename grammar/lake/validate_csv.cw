# Check a CSV file: columns, missing values, number of rows.
# kind: validate
# tags: csv schema columns nulls rows quality validate check pandas metrics

task validate_csv {
  in data: file
  shell = python3
  run = """
    import csv, os, sys
    rows = list(csv.DictReader(open(os.environ["data"])))
    if not rows:
        sys.exit("no rows")
    empty = sum(1 for r in rows for v in r.values() if v in ("", None))
    figures = {"rows": len(rows), "nulls": empty / (len(rows) * max(1, len(rows[0])))}
    for name, value in figures.items():
        if name in os.environ:
            open(os.environ[name], "w").write(str(value))
    print(figures)
  """
}

workflow use_validate_csv {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = validate_csv(data = make.data)
}
