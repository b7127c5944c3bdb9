# Download a file over HTTP.
# kind: load
# tags: http https url curl web api download

task load_http {
  in  source: string = "https://example.com/data.csv"
  out data: file
  image = "curlimages/curl:8.10.1"
  retry { limit = 3; backoff = 10s }
  run   = """curl -fsSL "$source" -o "$data" """
}

workflow use_load_http {
  defaults { image = "python:3.12-slim" }
  step one = load_http()
}
