# Run a query in PostgreSQL and keep its rows as CSV.
# kind: load
# tags: postgres postgresql psql sql query table warehouse extract database

task load_postgres {
  in  query: string = "select * from events"
  out data: file
  image = "postgres:16"
  env {
    PGPASSWORD = secret("warehouse", "password")
    PGHOST     = config("warehouse", "host")
    PGUSER     = config("warehouse", "user")
  }
  run = """psql -c "copy ($query) to stdout with csv header" > "$data" """
}

workflow use_load_postgres {
  defaults { image = "python:3.12-slim" }
  step one = load_postgres()
}
