# Load a CSV file into a PostgreSQL table.
# kind: upload
# tags: postgres postgresql psql write insert load table database sql

task write_postgres {
  in data: file
  in table: string = "results"
  image = "postgres:16"
  env {
    PGPASSWORD = secret("warehouse", "password")
    PGHOST     = config("warehouse", "host")
    PGUSER     = config("warehouse", "user")
  }
  lock = "results-table"
  run  = """psql -v ON_ERROR_STOP=1 -c "\\copy $table from '$data' with csv header" """
}

workflow use_write_postgres {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = write_postgres(data = make.data)
}
