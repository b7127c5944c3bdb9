#!/bin/sh
# Checks that the manifests of a folder are what couler makes of its .cw files, or makes them:
#   manifests.sh [--write] [-t ENGINE] WORKFLOWS MANIFESTS
# Exits with 1 if a file has errors, is not formatted, or has a stale manifest; all files are looked at.
set -u
couler=${COULER-couler}
write='' engine=argo
while [ $# -gt 2 ]; do
	case $1 in
	--write) write=1; shift ;;
	-t) engine=$2; shift 2 ;;
	*) break ;;
	esac
done
[ $# -eq 2 ] || { echo "usage: manifests.sh [--write] [-t ENGINE] WORKFLOWS MANIFESTS" >&2; exit 2; }
case $engine in argo) suffix=yaml ;; airflow) suffix=couler.json ;; shell) suffix='sh' ;; *) suffix=$engine ;; esac
bad=0 seen=0
for cw in "$1"/*.cw; do
	[ -e "$cw" ] || continue
	seen=$((seen + 1))
	name=$(basename "$cw" .cw)
	if [ -n "$write" ]; then
		mkdir -p "$2"
		"$couler" compile "$cw" -t "$engine" -o "$2/$name.$suffix" || bad=$((bad + 1))
	else
		"$couler" fmt --check "$cw" || bad=$((bad + 1))
		"$couler" compile "$cw" -t "$engine" --check-output "$2/$name.$suffix" || bad=$((bad + 1))
	fi
done
[ "$seen" -gt 0 ] || { echo "no .cw files in $1" >&2; exit 2; }
echo "$seen workflows, $bad problems"
[ "$bad" -eq 0 ]
