#!/bin/sh
# What split says of budgets that are not right and of what cannot be split. $1: couler. Last line: N passed, N failed.
set -u
couler=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
passed=0 failed=0

# says CODE EXIT WORDS ARGUMENTS...
says() {
	code=$1 want=$2 words=$3
	shift 3
	"$couler" compile "$@" -o /dev/null >"$work/out" 2>&1
	got=$?
	if [ $got -eq "$want" ] && grep -q "$code" "$work/out" && grep -q -- "$words" "$work/out"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf '%s: exit %d, wanted %d, %s and "%s"\n' "$*" "$got" "$want" "$code" "$words"
		head -5 "$work/out"
	fi
}

python3 tests/bench/shapes.py chain 20 -o "$work/chain.cw"
{
	printf 'workflow one {\n  defaults { image = "debian:12-slim" }\n  step big {\n    run = """\n'
	awk 'BEGIN { for (i = 0; i < 200; i++) print "      echo line number " i " of a script that is longer than a part may be" }'
	printf '    """\n  }\n  step small { after = [big]; run = """true""" }\n}\n'
} >"$work/one.cw"
cat >"$work/tied.cw" <<'X'
workflow tied {
  step a { out v: int; run = """echo 1 > "$v" """ }
  step b { in s = a.status; run = """true""" }
  step c { in s = b.status; run = """true""" }
  step d { in s = c.status; run = """true""" }
}
X
says CW1204 1 "nothing fits into a budget of 0" "$work/chain.cw" -t ir --split-steps 0
says CW1204 1 "not negative" "$work/chain.cw" -t ir --split-steps -3
says CW1204 1 "not negative" "$work/chain.cw" -t ir --split-bytes -1
says CW1204 1 "too small" "$work/chain.cw" -t ir --split-bytes 10
says CW1204 1 "no engine takes that much" "$work/chain.cw" -t ir --split-pods 999999999999
says CW0401 2 "a whole number" "$work/chain.cw" -t ir --split-steps many
says CW0401 2 "a size" "$work/chain.cw" -t ir --split-bytes lots
says CW0401 2 "acyclic|dfs|off" "$work/chain.cw" -t ir --split best
says CW1205 1 "cannot be split further" "$work/chain.cw" -t ir --split-steps 1
says CW1205 1 "'big' alone has [0-9]* bytes, and a part takes" "$work/one.cw" -t argo --split-bytes 4Ki
says CW1205 1 "'a' and 3 that must stay with it" "$work/tied.cw" -t ir --split-steps 3
for more in "--split-steps 100000" "--split off --split-steps 5" "--split-bytes 900Mi"; do
	# shellcheck disable=SC2086
	if [ "$("$couler" compile "$work/chain.cw" -t ir $more | grep -c '_part_')" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "$more: split although it fits"
	fi
done
"$couler" compile "$work/chain.cw" -t argo -o "$work/a.yaml" && "$couler" compile "$work/chain.cw" -t argo --split-bytes 16Ki -o "$work/b.yaml" || failed=$((failed + 1))
awk '/^---/ { n = 0 } { n += length($0) + 1; if (n > most) most = n } END { exit most > 16384 }' "$work/b.yaml" && [ "$(grep -c '^kind: WorkflowTemplate' "$work/b.yaml")" -ge 1 ] && passed=$((passed + 1)) || {
	failed=$((failed + 1))
	echo "--split-bytes 16Ki: a document is larger"
}
"$couler" compile "$work/chain.cw" -t argo --split-bytes 16Ki -o "$work/c.yaml"
if cmp -s "$work/b.yaml" "$work/c.yaml"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "two compilations differ"; fi
printf '%d passed, %d failed\n' $passed $failed
[ $failed -eq 0 ]
