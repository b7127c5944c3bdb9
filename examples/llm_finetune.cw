# Fine-tune a language model in rounds until the evaluation is good enough, then ask a person.

task finetune {
  in  base: dir
  in  data: file
  in  epochs: int
  out adapter: dir
  image = "ghcr.io/acme/llm:0.9"
  resources { cpu = 16; memory = 128Gi; gpu = 4; gpu_type = "nvidia-h100-80gb" }
  timeout = 12h
  run = """lora-train --base "$base" --data "$data" --epochs "$epochs" --out "$adapter" """
}

task evaluate {
  in  model: dir
  in  suite: string
  out score: float
  out report: file
  image = "ghcr.io/acme/llm-eval:0.4"
  resources { cpu = 4; memory = 32Gi; gpu = 1 }
  run = """evaluate --model "$model" --suite "$suite" --report "$report" --score-out "$score" """
}

workflow llm_finetune {
  doc = "LoRA rounds on a base model with three evaluation suites and an approval before release."

  param base:  dir   = "s3://acme-models/base/llama-8b/"
  param floor: float = 0.72

  step prepare {
    out data: file
    image = "ghcr.io/acme/llm:0.9"
    run = """prepare-instructions --out "$data" """
  }

  loop rounds {
    max = 4
    state model: dir = base
    state score: float = 0.0
    while score < floor
    step tune  = finetune(base = model, data = prepare.data, epochs = 1)
    step judge = evaluate(model = tune.adapter, suite = "helpfulness")
    next { model = tune.adapter; score = judge.score }
  }

  for suite in ["safety", "reasoning", "multilingual"] {
    step check = evaluate(model = rounds.model, suite = suite)
  }

  step summary {
    in  reports = check.report
    in  scores  = check.score
    out worst: float
    image = "python:3.12-slim"
    shell = python3
    run = """
      import json, os
      scores = json.loads(os.environ["scores"])
      open(os.environ["worst"], "w").write(str(min(scores)))
    """
  }

  approve release {
    message = "Release after ${rounds.iterations} rounds? worst suite: ${summary.worst}"
    timeout = 2d
    after   = [summary]
    ask verdict: string = "no" in ["yes", "no"]
  }

  if release.verdict == "yes" {
    step publish {
      in model = rounds.model
      image = "ghcr.io/acme/registry-cli:1.0"
      run = """registry put --name assistant "$model" """
    }
  }

  out model = rounds.model
}
