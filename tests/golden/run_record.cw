# A member of a literal map has its type, read by name and by index.
workflow run_record {
  let m = { a = 1, b = "x", "x y" = true }
  for k in [{ n = "p", "s t" = 2 }, { n = "q", "s t" = 3 }] {
    step f { in s = k["s t"]; in n = k.n; out o: string = stdout; run = """echo "$n$s" """ }
  }
  step t {
    in a = m["a"] + 1
    in b = m["b"]
    in c = m["x y"] ? 1 : 2
    out o: string = stdout
    run = """echo "$a $b $c" """
  }
  out f = f.o
  out o = t.o
}
