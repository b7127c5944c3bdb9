# List the objects under a prefix in S3.
# kind: list
# tags: s3 list objects prefix bucket find files

task list_s3 {
  in  source: string = "s3://bucket/inbox/"
  out items: list<string>
  image = "amazon/aws-cli:2.17.0"
  run = """
    aws s3 ls --recursive "$source" | awk '{ printf "%s\"%s\"", sep, $4; sep = "," } BEGIN { printf "[" } END { print "]" }' > "$items"
  """
}

workflow use_list_s3 {
  defaults { image = "python:3.12-slim" }
  step one = list_s3()
}
