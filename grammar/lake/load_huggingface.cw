# Download a data set from the Hugging Face hub.
# kind: load
# tags: huggingface hf datasets hub download

task load_huggingface {
  in  dataset: string = "imdb"
  out data: dir
  run = """pip install -q huggingface_hub==0.25.2 && huggingface-cli download --repo-type dataset "$dataset" --local-dir "$data" """
}

workflow use_load_huggingface {
  defaults { image = "python:3.12-slim" }
  step one = load_huggingface()
}
