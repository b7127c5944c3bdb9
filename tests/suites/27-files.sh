#!/bin/sh
# What couler does to files: sources are never written over, names of any length run.
set -u
make -s -j2 B="$B" "$B/couler" || exit 1
couler=$(cd "$(dirname "$B/couler")" && pwd)/couler
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
COULER_CACHE=$dir/cache
export COULER_CACHE
passed=0 failed=0
expect() { # expect CODE WORDS COMMAND...: the exit code, and that WORDS are printed
	want=$1 words=$2 rc=0
	shift 2
	"$@" >out 2>&1 </dev/null || rc=$?
	if [ "$rc" = "$want" ] && { [ -z "$words" ] || grep -q -e "$words" out; }; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "$*: exit $rc, expected $want and '$words':"; cut -c1-300 out; fi
}

mkdir lib
printf 'task t { out n: int = stdout; run = """echo 3""" }\n' >lib/t.cw
cat >a.cw <<'END'
import "lib/t.cw" as lib
workflow a { defaults { image = "x:1" }
  step s = lib.t()
  out n = s.n
}
END
ln -s a.cw link.cw
cp a.cw keep.cw
expect 2 'is the source' "$couler" compile a.cw -t argo -o a.cw
expect 2 'is the source' "$couler" compile a.cw -t shell -o ./link.cw
expect 2 'is the source' "$couler" compile link.cw -t ir -o a.cw
expect 2 'is the source' "$couler" compile a.cw -t argo -o lib/t.cw
expect 2 'is the source' "$couler" graph a.cw -f dot -o a.cw
expect 2 'is the source' "$couler" run a.cw --outputs-json a.cw
expect 2 'is the source' "$couler" run a.cw --events lib/../a.cw
expect 0 '' cmp a.cw keep.cw
expect 0 '' "$couler" compile a.cw -t ir -o a.ir.json
expect 2 'is the source' "$couler" compile a.ir.json -t argo -o a.ir.json
expect 0 '' "$couler" compile a.cw -t argo -o /dev/null

name=$(head -c 1000 /dev/zero | tr '\0' x)
cat >long.cw <<END
workflow w$name {
  param p$name: int = 1
  for i$name in [1, 2] { step s$name { in p$name; in i$name; out o$name: file named "x.txt"; out n$name: int; run = """echo \$((p$name + i$name)) | tee "\$o$name" > "\$n$name" """ } }
  step t$name { in l$name = s$name.o$name; out c$name: string = stdout; run = """cat "\$l$name"/*""" }
  out r$name = t$name.c$name
  out q$name = s$name.n$name
}
END
expect 0 '= \[2,3\]' "$couler" run long.cw
expect 4 'CW0801' "$couler" compile long.cw -t shell -o long.sh
# without a terminal nobody can be asked: the gate fails, and what reads its status sees that
cat >gate.cw <<'END'
workflow gate { approve g { message = "go?" }
  step s { in st = g.status; run = """echo "gate $st" > "$CW_TMP/x"; [ "$st" = failed ]""" } }
END
expect 6 'nobody can be asked' setsid "$couler" run gate.cw
expect 0 '' "$couler" compile gate.cw -t shell -o gate.sh
expect 6 's: ok' setsid dash gate.sh
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
