# Copy a file to Google Cloud Storage.
# kind: upload
# tags: gs gcs google upload write store save

task upload_gcs {
  in data: file
  in destination: string = "gs://bucket/out/data.csv"
  image = "google/cloud-sdk:496.0.0-slim"
  run   = """gcloud storage cp "$data" "$destination" """
}

workflow use_upload_gcs {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = upload_gcs(data = make.data)
}
