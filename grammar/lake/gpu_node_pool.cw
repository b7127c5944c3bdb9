# A step on a GPU of a certain kind, on a node pool, with a toleration.
# kind: pattern
# tags: gpu a100 node pool selector toleration resources

workflow on_gpu {
  step train {
    out model: file
    image   = "pytorch/pytorch:2.4.1-cuda12.4-cudnn9-runtime"
    resources { cpu = 8; memory = 64Gi; gpu = 2; gpu_type = "nvidia-a100" }
    nodes { selector { pool = "gpu" }; tolerate = ["nvidia.com/gpu"] }
    timeout = 8h
    run     = """python train.py --model-out "$model" """
  }
}
