# A fan-out over files that a step makes: split a text, count words in each part, add up.
#
#   couler run examples/word_count.cw

workflow word_count {
  doc = "Count words over parts in parallel."

  param parts: int = 6

  defaults { image = "python:3.12-slim" }

  step cut {
    in  parts
    out texts: list<file>
    shell = python3
    run = """
      import os
      import this
      text = "".join(this.d.get(c, c) for c in this.s).split()
      n, folder = int(os.environ["parts"]), os.environ["texts"]
      os.makedirs(folder)
      for i in range(n):
          with open(os.path.join(folder, "part-%03d" % i), "w") as f:
              f.write(" ".join(text[i::n]) + "\n")
    """
  }

  for text in cut.texts {
    step count {
      in  text
      out words: json
      out n: int
      shell = python3
      run = """
        import collections, json, os, re
        words = re.findall("[a-z']+", open(os.environ["text"]).read().lower())
        json.dump(collections.Counter(words), open(os.environ["words"], "w"))
        open(os.environ["n"], "w").write(str(len(words)))
      """
    }
  }

  step total {
    in  counts = count.words
    out top: list<string>
    shell = python3
    run = """
      import collections, json, os
      total = collections.Counter()
      for part in json.loads(os.environ["counts"]):
          total.update(part)
      top = sorted(total.items(), key=lambda kv: (-kv[1], kv[0]))[:5]
      json.dump(["%s %d" % kv for kv in top], open(os.environ["top"], "w"))
    """
  }

  out words = sum(count.n)
  out top   = total.top
}
