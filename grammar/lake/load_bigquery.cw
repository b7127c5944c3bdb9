# Run a query in BigQuery and keep its rows as CSV.
# kind: load
# tags: bigquery google sql query warehouse extract

task load_bigquery {
  in  query: string = "select 1"
  out data: file
  image = "google/cloud-sdk:496.0.0-slim"
  run   = """bq query --use_legacy_sql=false --format=csv --max_rows=1000000 "$query" > "$data" """
}

workflow use_load_bigquery {
  defaults { image = "python:3.12-slim" }
  step one = load_bigquery()
}
