#!/bin/sh
# The CI step and the hook of examples/ci, run as a user would: ci_step.sh COULER. Last line: `N passed, N failed`.
set -u
COULER=$(realpath "$1")
COULER_CI=$(realpath examples/ci/manifests.sh)
export COULER COULER_CI
hook=$(realpath examples/ci/pre-commit)
p=0 f=0
expect() { # expect CODE WHAT COMMAND...
	want=$1 what=$2
	shift 2
	"$@" >out.txt 2>&1
	got=$?
	if [ "$got" -eq "$want" ]; then p=$((p + 1)); else f=$((f + 1)); echo "FAILED: $what: exit $got, expected $want"; cat out.txt; fi
}
says() { if grep -q "$1" out.txt; then p=$((p + 1)); else f=$((f + 1)); echo "FAILED: not said: $1"; cat out.txt; fi; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
git init -q . && git config user.email ci@example.com && git config user.name ci
mkdir workflows
"$COULER" init workflows/hello.cw >/dev/null
expect 1 "no manifest yet" sh "$COULER_CI" workflows manifests
says "couler compile workflows/hello.cw"
expect 0 "manifests are written" sh "$COULER_CI" --write workflows manifests
expect 0 "fresh manifests pass" sh "$COULER_CI" workflows manifests
cp "$hook" .git/hooks/pre-commit
git add -A
expect 0 "the hook lets a fresh manifest in" git commit -qm one
sed -i 's/hello again/hello once more/' workflows/hello.cw
git add -A
expect 1 "the hook refuses a stale manifest" git commit -qm two
says "is stale"
cp manifests/hello.yaml before.yaml
expect 1 "a stale manifest is found" "$COULER" compile workflows/hello.cw --check-output manifests/hello.yaml
expect 0 "and left as it was" cmp before.yaml manifests/hello.yaml
expect 0 "mended" "$COULER" compile workflows/hello.cw -o manifests/hello.yaml
expect 0 "then it passes" sh "$COULER_CI" workflows manifests
printf 'workflow broken {\n  step a { timout = 5m; run = """true""" }\n}\n' >workflows/broken.cw
expect 1 "an error in one file" sh "$COULER_CI" workflows manifests
says "timeout"
mkdir empty
expect 2 "an empty folder" sh "$COULER_CI" empty manifests
echo "$p passed, $f failed"
[ "$f" -eq 0 ]
