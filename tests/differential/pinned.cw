# A file that is pinned to its content, and one that is not what it is pinned to.
task size_of {
  in  f: file
  in  more: list<file>
  out n: int
  run = """cat "$f" "$more"/* | wc -c > "$n" """
}

workflow pinned {
  step right = size_of(f = file("pinned.txt", sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"), more = ["pinned.txt"])
  step in_list = size_of(f = "pinned.txt", more = ["pinned.txt", file("pinned.txt", sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")])
  step wrong = size_of(f = file("pinned.txt", sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be04"), more = ["pinned.txt"]) { allow_failure = true }
  step wrong_in_list = size_of(f = "pinned.txt", more = [file("pinned.txt", sha256 = "0000000000000000000000000000000000000000000000000000000000000000")]) { allow_failure = true }
  out n      = right.n + in_list.n
  out states = "${wrong.status} ${wrong_in_list.status}"
}
