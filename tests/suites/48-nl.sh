#!/bin/sh
# couler nl: the lake, a scripted endpoint, --offline; its grammars in llama.cpp and llguidance.
set -u
venv=${XDG_CACHE_HOME:-$HOME/.cache}/couler-dev/nl
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
p=0 f=0
for s in grammar/lake/*.cw; do
	if "$B/couler" check "$s" && "$B/couler" fmt --check "$s" && "$B/couler" compile -t argo "$s" -o /dev/null && "$B/couler" compile -t shell "$s" -o /dev/null; then
		p=$((p + 1))
	else
		echo "FAIL $s"
		f=$((f + 1))
	fi
done
if ! cmp -s tests/nl/requirements.txt "$venv/requirements.txt"; then
	python3 -m venv "$venv" && "$venv/bin/python" -m pip -q --disable-pip-version-check install -r tests/nl/requirements.txt && cp tests/nl/requirements.txt "$venv/requirements.txt"
fi
"$venv/bin/python" tests/nl/grammar.py "$B/couler" > "$tmp/grammar" 2> "$tmp/grammar.err" &
python3 tests/nl/loop.py "$B/couler" > "$tmp/loop"
wait $! || tail -5 "$tmp/grammar.err"
for out in loop grammar; do
	cat "$tmp/$out"
	# shellcheck disable=SC2046
	set -- $(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$tmp/$out")
	p=$((p + ${1:-0})) f=$((f + ${2:-1}))
done
echo "$p passed, $f failed"
[ "$f" -eq 0 ]
