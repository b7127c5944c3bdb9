# The step itself: code, named, lists of files, env, links in outputs, odd names, background processes, timeouts, locks, publishing.
task named_ { in xs: list<file> named "*.csv"; in one: file named "the one.txt"; out r: file named "res.out"; run = """{ ls "$xs"; basename "$one"; cat "$one"; } > "$r" """ }
workflow steps {
  param where: string = ""
  step make { out many: list<file>; out tree: dir; out one: file; run = """
    mkdir "$many" "$tree" "$tree/sub"
    for i in 9 10 a; do echo "$i" > "$many/f$i"; done
    printf 'odd\n' > "$many/it's \"odd\" é"
    echo x > "$tree/sub/x"; ln -s sub/x "$tree/link"; ln -s x "$tree/sub/y"
    echo hi > "$CW_TMP/hidden"; ln -s "$CW_TMP/hidden" "$one"
  """ }
  step n = named_(xs = make.many, one = make.one)
  step look { in r = n.r; in tree = make.tree; out b: string = stdout; run = """cat "$r"; (cd "$tree" && find . -type f | sort; cat link sub/y)""" }
  for f in make.many { step each { in f; out c: string = stdout; run = """cat "$f" """ } }
  step pick { in f = make.many[1]; in g = each.c[0]; out o: string = stdout; run = """cat "$f"; echo "$g" """ }
  step files { in fs = [make.one, n.r]; in c = len(make.many) > 2 ? make.one : n.r; out o: string = stdout; run = """ls "$fs"; cat "$c" """ }
  step env_ { in x: string = "a\nb\t'\"$(id)`id`{{7*7}}{%z%}"; out o: string = stdout; env { V = "${x}!"; N = len(x) }; run = """printf '%s\n%s\n%s\n' "$x" "$V" "$N" """ }
  step bg { out o: string = stdout; run = """sleep 300 & echo started""" }
  step slow { out o: string = stdout; timeout = 1s; allow_failure = true; run = """sleep 60 & sleep 60; echo late""" }
  step slow_code { in c = slow.exit_code; in s = slow.status; out o: string = stdout; run = """echo "$c $s" """ }
  step term { allow_failure = true; run = """kill -TERM $$; sleep 5""" }
  step term_code { in c = term.exit_code; out o: string = stdout; run = """echo "$c" """ }
  for i in range(0, 3) { step locked { in i; lock = "one-at-a-time"; out o: string = stdout; run = """sleep 0.2; echo "$i" """ } }
  step big { out s: string; run = """head -c 119000 /dev/zero | tr '\0' 'x' > "$s" """ }
  step big_in { in s = big.s; out n: int = stdout; run = """printf '%s' "$s" | wc -c | tr -d ' '""" }
  step too_big { out s: string; allow_failure = true; run = """head -c 130000 /dev/zero | tr '\0' 'x' > "$s" """ }
  step ctrl { out s: string; allow_failure = true; run = """printf 'a\001b' > "$s" """ }
  step latin { out s: string; allow_failure = true; run = """printf 'a\351b' > "$s" """ }
  step codes { in a = too_big.exit_code; in b = ctrl.exit_code; in c = latin.exit_code; out o: string = stdout; run = """echo "$a $b $c" """ }
  step quiet { out n: json = stdout; run = """printf ' {"a": [1, 2.50, "\\u00e9"], "b": 1e2} ' """ }
  step quiet_in { in j = quiet.n; in a = quiet.n.a[1]; in t = "${quiet.n.a[2]}"; out o: string = stdout; run = """echo "$a $t" """ }
  out b = look.b
  out o = pick.o
  out e = env_.o
}
