# Batch scoring over shards that are only known once the table has been split.

workflow batch_scoring {
  doc = "Split, score each shard in parallel, merge, publish."

  param table: file   = "s3://acme-lake/scoring/input.parquet"
  param model: file   = "s3://acme-models/churn/current.bin"
  param day:   string = "2026-11-21"

  defaults { image = "ghcr.io/acme/ml:2.1"; retry = 2 }

  step shard {
    in  table
    out shards: list<file>
    run = """split-table --rows 1000000 --out "$shards" "$table" """
  }

  for i, part in shard.shards {
    max_parallel = 16
    step score {
      in  i
      in  part
      in  model
      out scored: file
      out rows: int
      resources { cpu = 2; memory = 4Gi }
      run = """
        echo "shard $i"
        score --model "$model" --in "$part" --out "$scored" --rows-out "$rows"
      """
    }
  }

  step merge {
    in  parts = score.scored
    in  total = sum(score.rows)
    out all: file to "s3://acme-lake/scoring/${day}.parquet"
    run = """
      echo "$total rows"
      merge-tables --out "$all" "$parts"/*
    """
  }

  out all  = merge.all
  out rows = sum(score.rows)
}
