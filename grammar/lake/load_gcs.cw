# Copy an object from Google Cloud Storage to a file.
# kind: load
# tags: gs gcs google cloud storage bucket download

task load_gcs {
  in  source: string = "gs://bucket/data.csv"
  out data: file
  image = "google/cloud-sdk:496.0.0-slim"
  run   = """gcloud storage cp "$source" "$data" """
}

workflow use_load_gcs {
  defaults { image = "python:3.12-slim" }
  step one = load_gcs()
}
