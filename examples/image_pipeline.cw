# An image model whose pre-processing is elastic: what does not depend on the model runs on as many
# workers as keep the GPU busy.

task train_images {
  in  shards: dir
  in  epochs: int = 3
  out model: file
  image = "ghcr.io/acme/vision:1.8"
  resources { cpu = 4; memory = 32Gi; gpu = 1 }
  dataflow {
    source records = split(shards)
    op decode  { from = records; run = """decode-jpeg"""; cpu = 2.1ms; bytes = 600KB }
    op augment { from = decode; run = """augment --flip --crop 224"""; cpu = 1.4ms; bytes = 150KB }
    op embed   { from = augment; uses_model = true }
    trainer    { from = embed; run = """train --epochs "$epochs" --model-out "$model" """ }
    workers    { min = 1; max = 32; image = "ghcr.io/acme/vision-prep:1.8"; resources { cpu = 1; memory = 1Gi } }
    framing = length_prefixed
  }
}

workflow image_pipeline {
  doc = "Train on image shards with elastic pre-processing, then evaluate."

  param bucket: dir = "s3://acme-images/shards/"

  step train = train_images(shards = bucket)

  step evaluate {
    in  model = train.model
    out top1: float
    image = "ghcr.io/acme/vision:1.8"
    resources { gpu = 1 }
    run = """evaluate --model "$model" --top1-out "$top1" """
  }

  out model = train.model
  out top1  = evaluate.top1
}
