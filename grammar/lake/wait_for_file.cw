# Wait until a file is there, polling, with a time limit.
# kind: pattern
# tags: wait until file exists poll sensor landed

workflow landed {
  defaults { image = "python:3.12-slim" }
  wait file_there {
    in source = "/data/in/_SUCCESS"
    run     = """test -e "$source" """
    every   = 1m
    timeout = 3h
  }
  step work { after = [file_there]; run = """echo go""" }
}
