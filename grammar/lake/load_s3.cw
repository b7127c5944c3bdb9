# Copy an object from S3 to a file.
# kind: load
# tags: s3 aws bucket object fetch download copy

task load_s3 {
  in  source: string = "s3://bucket/data.csv"
  out data: file
  image = "amazon/aws-cli:2.17.0"
  retry { limit = 2; backoff = 10s }
  run   = """aws s3 cp "$source" "$data" """
}

workflow use_load_s3 {
  defaults { image = "python:3.12-slim" }
  step one = load_s3()
}
