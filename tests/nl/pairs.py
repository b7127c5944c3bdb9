"""Pairs of a description, flawed drafts as models write them, and how many calls the loop should need.

Each: (description, good draft, [how the drafts before it are spoiled]). A spoiler is (name, from, to): a mistake that
people and models bring from elsewhere. The loop must end with the good draft after one call more than there are spoilers.
"""

BASE = '''workflow w {
  param region: string = "eu"
  defaults { image = "python:3.12-slim" }
  step load {
    in  region
    out data: file
    retry = 2
    run = """python load.py "$region" > "$data" """
  }
  step train {
    in  data = load.data
    out model: file
    out auc: float
    resources { cpu = 4; memory = 8Gi; gpu = 1 }
    run = """python train.py "$data" "$model" "$auc" """
  }
  if train.auc > 0.8 {
    step deploy { in model = train.model; run = """python deploy.py "$model" """ }
  } else {
    fail "auc ${train.auc} is too low"
  }
  on failure {
    step tell { run = """python tell.py""" }
  }
}
'''
SPOILERS = [
    ("retries", "retry = 2", "retries = 2"),
    ("depends_on", "in  data = load.data", "depends_on = [load]\n    in  data = load.data"),
    ("colon in resources", "cpu = 4;", "cpu: 4;"),
    ("gpus", "gpu = 1", "gpus = 1"),
    ("run as a string", 'run = """python tell.py"""', 'run = "python tell.py"'),
    ("outputs member", "train.auc > 0.8", "train.outputs.auc > 0.8"),
    ("unknown step", "in  data = load.data", "in  data = loader.data"),
    ("unknown output", "in  data = load.data", "in  data = load.table"),
    ("missing brace", "    run = \"\"\"python load.py \"$region\" > \"$data\" \"\"\"\n  }", "    run = \"\"\"python load.py \"$region\" > \"$data\" \"\"\"\n"),
    ("and", "train.auc > 0.8", "train.auc > 0.8 and true"),
    ("elif", "} else {\n    fail", "} elif true {\n    fail"),
    ("on event", "on failure {", "on event failure {"),
    ("undeclared variable", "    in  region\n", ""),
    ("type", "out auc: float", "out auc: number"),
    ("size", "memory = 8Gi", "memory = 8Gigs"),
    ("string as number", "train.auc > 0.8", 'train.auc > "0.8"'),
    ("inputs block", "    in  data = load.data\n", "    inputs { data = load.data }\n"),
    ("when", "if train.auc > 0.8 {", "when train.auc > 0.8 {"),
    ("single equals", "train.auc > 0.8", "train.auc = 0.8"),
    ("yaml", BASE, "steps:\n  - name: load\n    image: python\n"),
]
ABOUT = "load the data for a region, retry 2 times; train with 4 cpus, 8Gi memory and 1 gpu; deploy if auc > 0.8, otherwise fail; tell somebody on failure"
FAILURE = [("threshold left out", "train.auc > 0.8", "train.auc > 0.0"), ("retry left out", "    retry = 2\n", "")]
PAIRS = [(ABOUT, BASE, [s]) for s in SPOILERS]
PAIRS += [(ABOUT, BASE, [a, b]) for a, b in zip(SPOILERS[:19], SPOILERS[1:20])]
PAIRS += [(ABOUT, BASE, [s]) for s in FAILURE]
