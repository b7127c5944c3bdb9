# Run the unit tests of a project.
# kind: validate
# tags: unit tests pytest test suite ci

task validate_pytest {
  in folder: string = "tests"
  run = """pip install -q pytest==8.3.3 && python -m pytest -q "$folder" """
}

workflow use_validate_pytest {
  defaults { image = "python:3.12-slim" }
  step one = validate_pytest()
}
