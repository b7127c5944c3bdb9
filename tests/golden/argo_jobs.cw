# Jobs that operators of the cluster run: values, files, code and outputs of each kind.

task train {
  in  name: string
  in  rate: float = 0.5
  in  tags: list<string> = ["a b", "c\"d"]
  in  data: dir
  in  vocab: file named "vocab.txt"
  in  parts: list<file>
  in  pinned: file = file("https://example.org/base.bin", sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  out model: file named "model.pt"
  out loss: float
  out notes: json
  out shards: list<file>
  image = "acme/torch:${name}"
  code = ["argo_jobs/train.py", "argo_jobs/lib/util.py"]
  resources { cpu = 4; memory = 16Gi; gpu = 2; limit_memory = 32Gi }
  env { LABEL = "run ${name} $$ {{x}}"; TOKEN = secret("hub", "token") }
  env_from = [secret("aws"), config("train")]
  retry = { limit = 2; on = failure; backoff = 30s }
  timeout = 2h
  labels { team = "growth" }
  mounts { "/cred" = secret("gcp") }
  job pytorch {
    workers = 4
    run = """
      # braces {{ and dollars $$ and $(name) stay
      python3 argo_jobs/train.py --rank "$RANK" --rate "$rate" "$data" > "$loss"
    """
  }
}

workflow argo_jobs {
  param name: string = "x"
  param n: int = 2
  param vocab: file = "s3://acme/vocab.txt"
  volume shared { size = 100Gi; mode = rwx }
  volume lake { claim = "lake"; mode = rwx }
  defaults { image = "acme/base:1" }

  step prepare {
    out data: dir
    out parts: list<file>
    out note: string
    run = """mkdir "$data" "$parts"; echo 1 > "$parts/a"; echo hi > "$note" """
  }
  step fit = train(name = prepare.note, data = prepare.data, vocab = vocab, parts = prepare.parts) { mounts { "/work" = shared } }

  step embed {
    in  n
    in  note = prepare.note
    out vectors: list<float>
    shell = bash
    mounts { "/lake" = lake }
    job tensorflow { workers = n; ps = 1; run = """echo "[1, 2]" > "$vectors" """ }
  }
  step solve {
    in n
    in note = prepare.note
    env { OMP_NUM_THREADS = 4 }
    resources { cpu = 2; gpu = 1 }
    retry = 1
    job mpi { workers = n; slots = 2; run = """solve "$note" """ }
  }
  step tune {
    in  note = prepare.note
    out best: json
    out log: string = stdout
    shell = python3
    resources { cpu = 2; memory = 4Gi; gpu = 1 }
    mounts { "/work" = shared }
    timeout = 30m
    job ray { workers = 3; run = """
      import os
      open(os.environ["best"], "w").write("{}")
    """ }
  }
  for k in ["a", "b"] {
    step each {
      in  k
      out part: file
      allow_failure = true
      mounts { "/work" = shared }
      job pytorch { workers = 1; run = """echo "$k" > "$part" """ }
    }
  }
  step serve {
    in  name
    in  n
    in  loss = fit.loss
    in  note = prepare.note
    out uid: string at "{.metadata.uid}"
    out ready: int at "{.status.readyReplicas}"
    after = [solve]
    timeout = 10m
    retry = 1
    job kubernetes {
      action = create
      manifest = '''
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: serve
          annotations: { note: "braces {{ and dollars $$ $(HOME)" }
        spec:
          replicas: 1
          selector: { matchLabels: { app: serve } }
          template:
            metadata: { labels: { app: serve } }
            spec:
              containers:
              - name: main
                image: acme/serve:1
                args:
                - sh
                - -c
                - |
                  echo $$ "$(date)"
                  exec serve
      '''
      set {
        "metadata.name" = name
        "spec.replicas" = n
        "metadata.annotations[\"acme.org/note\"]" = note
        "metadata.annotations.fixed" = "a {{b}} $$"
        "metadata.annotations.loss" = str(loss)
      }
      success = "status.readyReplicas > 0"
      failure = "status.unavailableReplicas > 5"
    }
  }
  step record {
    in  notes = fit.notes
    in  vectors = embed.vectors
    in  at = workflow.start_time
    job kubernetes {
      action = apply
      manifest = '''{ apiVersion: acme.org/v1, kind: Record, metadata: { name: last }, spec: { items: [{ id: 1 }, old] } }'''
      set { "spec.notes" = notes; "spec.items[1]" = vectors; "spec.items[2].at" = at; "spec.fixed" = [1, 2] }
    }
  }
  step gone {
    after = [serve]
    job kubernetes { action = delete; manifest = '''{ apiVersion: v1, kind: ConfigMap, metadata: { name: old, namespace: prod } }''' }
  }
  step a { out v: int; run = """echo 1 > "$v" """ }
  step b { after = [a?]; run = """true""" }
  on exit { step tell { in m = fit.loss ?? 0.0; run = """echo "$m" """ } }

  out model = fit.model
  out parts = each.part
  out v = a.v
}
