# Replace personal columns by keyed hashes.
# kind: clean
# tags: anonymize pseudonymize pii gdpr hash mask personal

task anonymize {
  in  data: file
  in  columns: string = "name,email"
  out clean: file
  env { SALT = secret("pii", "salt") }
  shell = python3
  run = """
    import csv, hashlib, hmac, os
    e = os.environ
    hide = e["columns"].split(",")
    with open(e["data"]) as f, open(e["clean"], "w", newline="") as g:
        r = csv.DictReader(f)
        w = csv.DictWriter(g, r.fieldnames or [])
        w.writeheader()
        for row in r:
            for c in hide:
                if c in row:
                    row[c] = hmac.new(e["SALT"].encode(), row[c].encode(), hashlib.sha256).hexdigest()[:16]
            w.writerow(row)
  """
}

workflow use_anonymize {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = anonymize(data = make.data)
}
