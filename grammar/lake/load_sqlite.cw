# Read a table of an SQLite file as CSV.
# kind: load
# tags: sqlite db local table database

task load_sqlite {
  in  source: string = "data.db"
  in  table:  string = "events"
  out data: file
  shell = python3
  run = """
    import csv, os, sqlite3
    rows = sqlite3.connect(os.environ["source"]).execute("select * from " + os.environ["table"])
    with open(os.environ["data"], "w", newline="") as f:
        w = csv.writer(f)
        w.writerow([c[0] for c in rows.description])
        w.writerows(rows)
  """
}

workflow use_load_sqlite {
  defaults { image = "python:3.12-slim" }
  step one = load_sqlite()
}
