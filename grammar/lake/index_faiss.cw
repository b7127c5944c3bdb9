# Build a FAISS index over vectors.
# kind: transform
# tags: faiss index vectors build nearest neighbour rag search

task index_faiss {
  in  data: file
  out result: file
  shell = python3
  image = "ghcr.io/acme/rag:1.2"
  run = """
    import os
    import faiss
    import numpy as np
    x = np.load(os.environ["data"]).astype("float32")
    index = faiss.IndexFlatIP(x.shape[1])
    index.add(x)
    faiss.write_index(index, os.environ["result"])
  """
}

workflow use_index_faiss {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = index_faiss(data = make.data)
}
