# Drop duplicates and rows without values with pandas.
# kind: clean
# tags: pandas csv dedup deduplicate duplicates missing nulls dropna clean

task clean_pandas {
  in  data: file
  out clean: file
  shell = python3
  image = "ghcr.io/acme/pandas:2.2"
  run = """
    import os
    import pandas as pd
    t = pd.read_csv(os.environ["data"]).drop_duplicates().dropna()
    t.to_csv(os.environ["clean"], index=False)
  """
}

workflow use_clean_pandas {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = clean_pandas(data = make.data)
}
