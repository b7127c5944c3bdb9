# Values that Argo or Kubernetes would rewrite, and expressions that may end in an error.
workflow argo_values {
  defaults { image = "debian:12-slim" }
  param who: string = "{{world}}"
  param n: int = 7 in [7, 8, 9]

  step make {
    in  text = "$(id) $$ {{=1+1}} \\ [x]\n"
    in  who
    in  n
    out s: string
    out words: list<string>
    out doc: json
    run = """printf '%s' "$text$who" > "$s"; echo '["a", "{{b}}"]' > "$words"; echo '{"k": [1, 2.5]}' > "$doc" """
  }
  step use {
    in  all = "${make.s}: ${make.doc.k[1]} of ${len(make.words)}"
    in  first = make.words[0]
    in  ratio = 10 / (n - 7)
    in  most = max([n, len(make.s)])
    in  when = format_time(workflow.start_time, "%Y-%m-%d")
    env { LIMIT = n * 9007199254740991 }
    run = """printf '%s|' "$all" "$first" "$ratio" "$most" "$when" "$LIMIT" """
  }
  step said {
    in  s = make.s
    out line: string = stdout
    out f: file
    command = ["sh", "/bin/say", "${s}", "${f}", "n=${n}"]
    in n; in doc = make.doc; in words = make.words; env { PRICE = "$5" }
  }
  step raw { run = """
    echo '{{not a tag}}' "$$"
  """ }
  out said = said.line
}
