# for in for over lists known at run time, of different lengths, some empty; gathers inside and outside.
workflow nested_for {
  step src { out xs: list<int>; out none: list<string>; run = """echo '[2,0,3]' > "$xs"; echo '[]' > "$none" """ }

  for i, n in src.xs {
    step head { in n; out label: string = stdout; run = """echo "row$n" """ }
    step cut { in n; out ys: list<string>; shell = python3; run = """
      import json, os
      json.dump(["y%d" % k for k in range(int(os.environ["n"]))], open(os.environ["ys"], "w"))
    """ }
    for j, y in cut.ys {
      step cell { in i; in j; in y; in label = head.label; in size = len(cut.ys); out v: string; out f: file; allow_failure = true
        run = """printf '%s.%s.%s.%s/%s\n' "$i" "$j" "$y" "$label" "$size" > "$v"; echo "$y" > "$f"; [ "$i$j" != 21 ]""" }
      step tail { in v = cell.v ?? "lost"; in st = cell.status; out w: string = stdout; run = """echo "$v:$st" """ }
    }
    step row { in vs = cell.v; in ws = tail.w; in fs = cell.f; out line: string = stdout; run = """echo "$vs $ws $(ls "$fs" | wc -l | tr -d ' ')" """ }
    for k in [10, 20] {
      step lit { in k; in n; in i; out s: int = stdout; run = """echo $((k * n + i))""" }
    }
    step lits { in all = lit.s; in total = sum(lit.s); out t: int = stdout; run = """echo "$total" """ }
  }
  for z in src.none {
    for q in [1, 2] { step never { in q; in z; out v: int = stdout; run = """echo 1""" } }
    step none_of { in vs = never.v; out n: int = stdout; run = """echo 1""" }
  }
  for a in [1, 2] {
    for b in [3, 4, 5] { step mul { in a; in b; out p: int = stdout; run = """echo $((a * b))""" } }
    step muls { in ps = mul.p; in last = mul.p[2]; out s: string = stdout; run = """echo "$ps $last" """ }
  }
  step all { in rows = row.line; in ts = lits.t; in ms = muls.s; in no = none_of.n; out out_: string = stdout; after = [cell?, mul]
    run = """printf '%s %s %s %s\n' "$rows" "$ts" "$ms" "$no" """ }
  out all = all.out_
}
