# What the engine would rewrite in an annotation of a step, and what it would not compute in metadata of the workflow.
workflow w {
  param who: string = "{{x}}"
  labels { team = who }
  annotations { note = "{{workflow.name}} {{=1+1}}"; who = "by ${who}" }
  defaults { image = "debian:12-slim"; annotations { all = "from {{defaults}}" } }
  step a { annotations { note = "by {{foo}}"; ok = "{ { ${who} }}" }; run = """true""" }
  step b { annotations { "acme.io/run" = "${who} in {{pod.name}}" }; run = """true""" }
}
