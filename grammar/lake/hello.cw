# Say hello.
# kind: run
# tags: hello
task hello {
  image = "debian:12-slim"
  run = """echo hello"""
}

workflow say {
  step one = hello()
}
