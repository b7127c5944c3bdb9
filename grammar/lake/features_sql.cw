# Features by a SQL query in DuckDB over a file.
# kind: features
# tags: sql duckdb aggregate features window query

task features_sql {
  in  data: file
  in  query: string = "select * from read_csv_auto(getenv('data'))"
  out table: file
  image = "ghcr.io/acme/duckdb:1.1"
  run   = """duckdb -csv -c "$query" > "$table" """
}

workflow use_features_sql {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = features_sql(data = make.data)
}
