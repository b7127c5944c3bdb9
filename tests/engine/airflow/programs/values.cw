# Functions and operators on values known at run time, against the same on literals folded by the compiler.
workflow values {
  step src {
    out i: int; out f: float; out s: string; out b: bool; out j: json; out xs: list<float>; out ws: list<string>; out t: time; out d: duration; out z: size; out e: string
    shell = python3
    run = """
      import os
      vals = dict(i="-7", f="2.50", s="Hello, Wörld; it's \"x\" $y {{z}}", b="true", j='{"a":[1,2.5,{"k":"v\\u00e9"}],"n":null,"t":true,"s":"9","x y":1e3}',
                  xs="[3, 1.5, 1.5, 10]", ws='["b","a","","c c"]', t="2026-02-28T23:59:59.5+02:00", d="5400.5", z="1048576", e="")
      for k, v in vals.items(): open(os.environ[k], "w").write(v)
    """
  }
  step run_time {
    in a01 = len(src.s)
    in a02 = len(src.xs)
    in a03 = range(src.i + 9, 4)
    in a04 = min(src.xs)
    in a05 = max(src.i, 3, -9)
    in a06 = sum(src.xs)
    in a07 = mean(src.xs)
    in a08 = argmin(src.xs)
    in a09 = argmax(src.xs)
    in a10 = index_of(src.ws, "c c")
    in a11 = index_of(src.ws, "nope")
    in a12 = str(src.f) 
    in a13 = int(src.f)
    in a14 = float(src.i)
    in a15 = bool(src.b)
    in a16 = json(src.ws)
    in a17 = join(src.ws, "-")
    in a18 = split(src.s, " ")
    in a19 = split("", ",")
    in a20 = basename("/a/b//")
    in a21 = dirname("/a/b//")
    in a22 = contains(src.s, "W")
    in a23 = contains(src.ws, "a")
    in a24 = starts_with(src.s, "Hell")
    in a25 = ends_with(src.s, "}}")
    in a26 = lower("ABC") 
    in a27 = upper("abc")
    in a28 = replace(src.s, "l", "LL")
    in a29 = pad(src.i, 5, "0")
    in a30 = pad(src.e, 2)
    in a31 = format_time(src.t, "%Y/%m/%d %H:%M:%S %j %u %%", "Europe/Berlin")
    in a32 = format_time(src.t, "%Y%m%dT%H")
    in a33 = src.t + 1h
    in a34 = src.t - src.d
    in a35 = src.d * 2
    in a36 = src.t < src.t + 1s
    in a37 = src.j.a[1]
    in a38 = src.j.a[2].k
    in a39: int = src.j.a[0]
    in a40: string = src.j.s
    in a41 = "${src.j.s} ${src.j.a} ${src.f} ${src.t}"
    in a42 = src.j["x y"]
    in a43 = len(src.j)
    in a44 = src.z
    in a45 = src.i % 4
    in a46 = -src.i % 4
    in a47 = src.i / 2
    in a48 = 1e300 * 10 < 1e302
    in a49 = src.s < "Z"
    in a50 = src.xs[3]
    in a51 = src.i in [1, -7]
    in a52 = src.e == "" && !(src.b && src.i > 0) ? "yes" : "no"
    in a53 = [src.i, 2, 3]
    in a54 = { k = src.s, l = [src.f, src.i], "q r" = src.b }
    in a55 = int(src.j.s) + 1
    in a56 = parse_json("[1, {\"a\": \"b\"}]")
    in a57 = src.t - (src.t - 90s)
    in a58 = src.ws[0] == "b" ? 1 : 2.5
    in a59: float = src.i
    in a60 = src.d > 1h30m
    in a61 = 0.1 + 0.2 + src.f * 0
    in a62 = 123456789012345680000.0 * (src.i + 8)
    in a63 = 1e21 * (src.i + 8)
    in a64 = 5e-324 * (src.i + 8)
    in a65 = 1.7976931348623157e308 * (src.i + 8)
    in a66 = 0.000001 * (src.i + 8)
    in a67 = 1e-7 * (src.i + 8)
    in a68 = 9007199254740991 + (src.i + 7)
    in a69 = 100 * 1.1 * (src.i + 8)
    out seen: json; shell = python3
    run = """
      import json, os
      json.dump({k: v for k, v in os.environ.items() if len(k) == 3 and k[0] == "a" and k[1:].isdigit()}, open(os.environ["seen"], "w"), sort_keys=True)
    """
  }
  out seen = run_time.seen
}
