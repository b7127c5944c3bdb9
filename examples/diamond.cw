# A diamond: two branches in parallel between a source and a join. Order comes from the data alone.

workflow diamond {
  doc = "Split a text in two ways and put the results together."

  defaults { image = "debian:12-slim" }

  step source {
    out text: file
    run = """
      printf '%s\n' the quick brown fox jumps over the lazy dog > "$text"
    """
  }

  step sorted {
    in  text = source.text
    out lines: file
    run = """LC_ALL=C sort "$text" > "$lines" """
  }

  step counted {
    in  text = source.text
    out lines: file
    run = """LC_ALL=C sort "$text" | uniq -c | sed 's/^ *//' > "$lines" """
  }

  step join {
    in  left  = sorted.lines
    in  right = counted.lines
    out report: file
    out words: int
    run = """
      paste -d '|' "$left" "$left" | head -n 3 > "$report"
      cat "$right" >> "$report"
      wc -l < "$left" | tr -d ' ' > "$words"
    """
  }

  out report = join.report
  out words  = join.words
}
