# Train a PyTorch model on one GPU with a program of your own.
# kind: train
# tags: pytorch torch deep learning neural network gpu cnn

task train_pytorch {
  in  data: file
  in  epochs:        int   = 10
  in  learning_rate: float = 0.001
  out model: file
  image   = "pytorch/pytorch:2.4.1-cuda12.4-cudnn9-runtime"
  resources { cpu = 8; memory = 32Gi; gpu = 1 }
  timeout = 12h
  run = """python train.py --data "$data" --epochs "$epochs" --lr "$learning_rate" --model-out "$model" """
}

workflow use_train_pytorch {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = train_pytorch(data = make.data)
}
