# Build and test a retrieval index against a vector database that lives only as long as the run needs it.

workflow rag_index {
  doc = "Embed documents, load them into a throw-away Qdrant, measure recall."

  param corpus: dir = "s3://acme-docs/handbook/"

  defaults { image = "ghcr.io/acme/rag:1.2" }

  service db { image = "qdrant/qdrant:v1.9.0"; port = 6333; ready = "/readyz" }

  step chunk {
    in  corpus
    out parts: list<file>
    run = """chunk --size 512 --out "$parts" "$corpus" """
  }

  for part in chunk.parts {
    max_parallel = 8
    step embed {
      in  part
      out vectors: file
      resources { gpu = 1 }
      run = """embed --in "$part" --out "$vectors" """
    }
  }

  step load {
    in  url = "http://${db.address}"
    in  vectors = embed.vectors
    out n: int
    run = """load --url "$url" --count-out "$n" "$vectors"/*"""
  }

  step measure {
    in  url = "http://${db.address}"
    in  n = load.n
    out recall: float
    run = """measure --url "$url" --expect "$n" --recall-out "$recall" """
  }

  if measure.recall < 0.9 {
    fail "recall ${measure.recall} is below 0.9"
  }

  out recall = measure.recall
}
