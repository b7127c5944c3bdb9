# Normalize text: Unicode, white space, lower case.
# kind: clean
# tags: text nlp normalize unicode lowercase clean

task clean_text {
  in  data: file
  out clean: file
  shell = python3
  run = """
    import os, unicodedata
    with open(os.environ["data"]) as f, open(os.environ["clean"], "w") as g:
        for line in f:
            g.write(" ".join(unicodedata.normalize("NFKC", line).lower().split()) + "\n")
  """
}

workflow use_clean_text {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = clean_text(data = make.data)
}
