# A verbatim block that is not closed ends where the next one was to begin: one error, at its start.
workflow w {
  step a {
    out o: file
    run = """
      echo hi > "$o"
  }
  step b {
    in o = a.o
    run = """
      cat "$o"
    """
  }
}
