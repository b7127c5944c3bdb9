# Embed texts with a sentence-transformer model.
# kind: transform
# tags: embed embeddings vectors sentence transformer texts rag

task embed_texts {
  in  data: file
  in  model_name: string = "BAAI/bge-small-en-v1.5"
  out result: file
  shell = python3
  image = "ghcr.io/acme/rag:1.2"
  resources { gpu = 1 }
  run = """
    import os
    import numpy as np
    from sentence_transformers import SentenceTransformer
    e = os.environ
    np.save(open(e["result"], "wb"), SentenceTransformer(e["model_name"]).encode(open(e["data"]).read().splitlines()))
  """
}

workflow use_embed_texts {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = embed_texts(data = make.data)
}
