# A small image model whose pre-processing is elastic: decoding and augmenting depend on nothing that
# is trained, so couler moves them out of the training process onto as many workers as it can use.
# Needs Python 3 and the helper: pip install ./python (docs/elastic.md); on a cluster they are in the image.
# For Argo: couler compile -t argo --runner-image IMAGE-WITH-COULER

task train_images {
  in  shards: dir
  in  rate: float = 0.5
  out model: file
  out accuracy: float
  code = ["elastic_images/prep.py", "elastic_images/train.py"]
  resources { cpu = 1 }
  dataflow {
    source records = split(shards)
    op decode { from = records; run = """python3 elastic_images/prep.py decode""" }
    op augment { from = decode; run = """python3 elastic_images/prep.py augment""" }
    trainer { from = augment; run = """python3 elastic_images/train.py "$rate" """ }
    workers { min = 1; max = 4 }
    framing = length_prefixed
  }
}

workflow elastic_images {
  doc = "Make shards of drawn images, train on them with elastic pre-processing."

  defaults { image = "ghcr.io/acme/images:1" }

  param shards: int = 8 in range(1, 1000)
  param images: int = 40

  step draw {
    in  shards
    in  images
    out folder: dir
    code = ["elastic_images/draw.py"]
    run  = """python3 elastic_images/draw.py "$folder" "$shards" "$images" """
  }

  step train = train_images(shards = draw.folder)

  out model    = train.model
  out accuracy = train.accuracy
}
