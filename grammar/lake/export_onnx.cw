# Convert a PyTorch model to ONNX with a program of your own.
# kind: export
# tags: onnx export convert torchscript pytorch

task export_onnx {
  in  model: file
  out exported: file named "model.onnx"
  image = "pytorch/pytorch:2.4.1-cuda12.4-cudnn9-runtime"
  run   = """python export.py --model "$model" --out "$exported" """
}

workflow use_export_onnx {
  defaults { image = "python:3.12-slim" }
  step fit { out model: file; run = """printf m > "$model" """ }
  step one = export_onnx(model = fit.model)
}
