# Delete what a run left under a prefix in S3.
# kind: clean up
# tags: s3 delete remove clean up temporary prefix

task cleanup_s3 {
  in source: string = "s3://bucket/tmp/"
  image = "amazon/aws-cli:2.17.0"
  run   = """aws s3 rm --recursive "$source" """
}

workflow use_cleanup_s3 {
  defaults { image = "python:3.12-slim" }
  step one = cleanup_s3()
}
