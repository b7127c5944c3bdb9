# What of jobs an engine that sees only an object cannot know.

workflow refused {
  defaults { image = "acme/base:1" }
  step codes { retry = { limit = 2; on = [75] }; job pytorch { workers = 2; run = """true""" } }
  step ended { allow_failure = true; job tensorflow { workers = 2; run = """true""" } }
  step reads { in code = ended.exit_code; run = """echo "$code" """ }
  step path {
    job kubernetes {
      manifest = '''
        apiVersion: v1
        kind: ConfigMap
        metadata: { name: x }
        data: { a: text }
      '''
      set { "data.a[0]" = 1 }
    }
  }
}
