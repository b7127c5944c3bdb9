# Put CSV files with the same columns together.
# kind: merge
# tags: merge csv concat combine parts union

task merge_csv {
  in  parts: list<file>
  out merged: file
  run = """
    first=1
    for p in "$parts"/*; do
      if [ "$first" = 1 ]; then cat "$p"; else tail -n +2 "$p"; fi
      first=0
    done > "$merged"
  """
}

workflow use_merge_csv {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = merge_csv(parts = [make.data, make.data])
}
