# Clone a git repository at a branch or tag.
# kind: load
# tags: git clone repository github checkout code

task load_git {
  in  source: string = "https://github.com/owner/name.git"
  in  ref:    string = "main"
  out data: dir
  image = "alpine/git:2.45.2"
  run   = """git clone --depth 1 --branch "$ref" "$source" "$data" """
}

workflow use_load_git {
  defaults { image = "python:3.12-slim" }
  step one = load_git()
}
