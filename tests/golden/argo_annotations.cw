# Annotations: text of the workflow's own stays as it is, whatever braces it holds; a step's may hold values of the run.
workflow w {
  param who: string = "ml"
  labels { team = "a-b_c.d" }
  annotations { note = "{{workflow.name}} {{=1+1}} $(HOME)"; n = "3" }
  step a { image = "debian:12-slim"; annotations { note = "for ${who}, {a} }} $(HOME)"; run = "${workflow.run_id}" }; run = """true""" }
}
