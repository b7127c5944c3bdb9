# Data-parallel training on four workers that share a volume, then one evaluation.

workflow distributed_training {
  doc = "PyTorch DDP on four workers with two GPUs each."

  param epochs: int = 10

  volume shared { size = 200Gi; mode = rwx; class = "fast" }

  defaults {
    image = "ghcr.io/acme/torch:2.5"
    mounts { "/shared" = shared }
  }

  step stage {
    out done: string = stdout
    run = """stage-dataset /shared/data && echo ready"""
  }

  step train {
    in  epochs
    in  ready = stage.done
    out model: file
    resources { cpu = 8; memory = 64Gi; gpu = 2 }
    nodes { selector { pool = "gpu-large" }; tolerate = ["gpu=true:NoSchedule"] }
    job pytorch {
      workers = 4
      run = """
        test "$ready" = ready
        torchrun --nnodes "$WORLD_SIZE" --node_rank "$RANK" \
                 --master_addr "$MASTER_ADDR" --master_port "$MASTER_PORT" --nproc_per_node 2 \
                 -m acme.train --data /shared/data --epochs "$epochs" --out "$model"
      """
    }
  }

  step evaluate {
    in  model = train.model
    out accuracy: float
    resources { gpu = 1 }
    run = """evaluate --model "$model" --data /shared/data > "$accuracy" """
  }

  out accuracy = evaluate.accuracy
}
