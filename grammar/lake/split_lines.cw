# Cut a text file into parts of equal numbers of lines.
# kind: split
# tags: split shard parts lines chunks text

task split_lines {
  in  data: file
  in  lines: int = 100000
  out shards: list<file>
  run = """mkdir "$shards" && split -l "$lines" "$data" "$shards/part-" """
}

workflow use_split_lines {
  defaults { image = "python:3.12-slim" }
  step make { out data: file; run = """printf 'x,label\n1,0\n' > "$data" """ }
  step one = split_lines(data = make.data)
}
