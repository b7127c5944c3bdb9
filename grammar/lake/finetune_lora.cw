# Fine-tune a language model with LoRA adapters.
# kind: train
# tags: fine-tune finetune lora llm language model adapter transformer

task finetune_lora {
  in  data: file
  in  base: string = "meta-llama/Llama-3.1-8B"
  in  rank: int    = 16
  out model: dir
  image = "ghcr.io/acme/llm:0.9"
  resources { cpu = 16; memory = 128Gi; gpu = 2 }
  env { HF_TOKEN = secret("huggingface", "token") }
  run   = """python finetune.py --base "$base" --rank "$rank" --data "$data" --out "$model" """
}

workflow use_finetune_lora {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = finetune_lora(data = make.data)
}
