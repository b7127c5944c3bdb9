# A small ETL that runs anywhere Python does: clean CSV files, load them into SQLite, report, check.
#
#   couler run examples/sqlite_etl.cw

workflow sqlite_etl {
  doc = "Orders of four days into one database, with a report and a quality gate."

  param days: list<string> = ["2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04"]

  defaults { image = "python:3.12-slim"; code = ["sqlite_etl/"] }

  for day in days {
    step fetch {
      in  day
      out raw: file named "orders.csv"
      run = """python3 sqlite_etl/fetch.py "$day" "$raw" """
    }
    step clean {
      in  raw = fetch.raw
      out rows: file named "orders.csv"
      out dropped: int
      run = """python3 sqlite_etl/clean.py "$raw" "$rows" "$dropped" """
    }
  }

  step load {
    in  parts = clean.rows
    out db: file named "orders.db"
    run = """python3 sqlite_etl/load.py "$db" "$parts" """
  }

  step report {
    in  db = load.db
    out totals: json
    run = """python3 sqlite_etl/report.py "$db" > "$totals" """
  }

  if sum(clean.dropped) > 100 {
    fail "too many bad rows: ${sum(clean.dropped)}"
  }

  out db      = load.db
  out totals  = report.totals
  out dropped = sum(clean.dropped)
}
