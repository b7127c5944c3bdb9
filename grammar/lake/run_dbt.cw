# Build a dbt project.
# kind: run
# tags: dbt build run models warehouse snowflake

task run_dbt {
  in target: string = "prod"
  image = "ghcr.io/dbt-labs/dbt-core:1.8.7"
  env { DBT_PASSWORD = secret("warehouse", "password") }
  run   = """dbt build --target "$target" """
}

workflow use_run_dbt {
  defaults { image = "python:3.12-slim" }
  step one = run_dbt()
}
