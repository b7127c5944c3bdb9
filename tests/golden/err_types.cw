# Types: wrong ones, absent values, gathered lists.
task score {
  in  shard: file
  in  depth: int = 6
  out result: file
  out n: int
  run = """score "$shard" "$depth" > "$result"; echo 1 > "$n" """
}

workflow types {
  param go: bool = true
  param days: int = 7

  step cut { out shards: list<file>; out ratio: float; run = """mkdir "$shards"; echo 1 > "$ratio" """ }

  for shard in cut.shards {
    step each = score(shard = shard, depth = "6")
  }
  step merge { in part: file = each.result; in total: int = cut.ratio; run = """cat "$part" """ }

  if go {
    step maybe { out v: int; run = """echo 1 > "$v" """ }
  }
  step use { in v = maybe.v + 1; run = """echo "$v" """ }
  if days { step weekly { run = """true""" } }

  let label = "run-" + days
  step name { in label; in path = "in ${cut.shards[0]}"; run = """echo "$label" """ }

  for a in [1, 2] { for b in [3, 4] { step cell { in a; in b; out v: int; run = """echo 1 > "$v" """ } } }
  step grid { in cells = cell.v; run = """echo "$cells" """ }
  step last { in x = [1, 2, 3][3]; in y = 1 / 0; run = """echo "$x" """ }
}
