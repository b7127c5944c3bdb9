# Copy a file to S3.
# kind: upload
# tags: s3 aws upload write put store save publish

task upload_s3 {
  in data: file
  in destination: string = "s3://bucket/out/data.csv"
  image = "amazon/aws-cli:2.17.0"
  retry { limit = 2; backoff = 10s }
  run   = """aws s3 cp "$data" "$destination" """
}

workflow use_upload_s3 {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = upload_s3(data = make.data)
}
