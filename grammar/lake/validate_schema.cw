# Hold JSON records against a JSON Schema.
# kind: validate
# tags: json schema jsonschema validate records contract

task validate_schema {
  in data: file
  in schema: string = "schema.json"
  run = """pip install -q check-jsonschema==0.29.4 && check-jsonschema --schemafile "$schema" "$data" """
}

workflow use_validate_schema {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = validate_schema(data = make.data)
}
