# Names: what is not there, what is not visible, what stands twice.
task train {
  in  table: file
  in  lr: float
  out model: file
  out auc: float
  run = """python -m train "$table" "$lr" "$model" "$auc" """
}

workflow names {
  param region: string = "eu-west-1"

  step extract { in regoin; out raw: file; run = """fetch > "$raw" """ }
  step clean   { in raw = extract.rwa; out table: file; run = """sort "$raw" > "$table" """ }
  step fit     = trian(table = clean.table, lr = 0.1)
  step fit2    = train(tabel = clean.table, lr = 0.1)
  step fit3    = train(clean.table, lr = 0.1)
  step report  { in model = fit2; in day = workflow.day; run = """cat "$model" """ }

  loop refine {
    max = 3
    state auc: float = 0.0
    step round { in auc; out better: float; run = """echo 1 > "$better" """ }
    next { auc = round.better; loss = 0 }
  }
  step after_all { in auc = round.better; after = [reprot]; run = """echo "$auc" """ }
  step clean { run = """true""" }
}
