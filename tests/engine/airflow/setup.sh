#!/bin/sh
# Makes the Airflow environments that the engine tests run in: setup.sh [VERSION...]; default: all of the pin files beside it.
#
# One environment a pin file, under ${XDG_CACHE_HOME:-$HOME/.cache}/couler-dev/airflow-VERSION, made anew when the pin
# file changes (its hash stands in the file `stamp`). Beside the environment lies a migrated, empty SQLite database
# (airflow.db), which tests copy: a migration takes longer than most tests. Prints the folder of each environment.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/couler-dev
[ $# -gt 0 ] || set -- 3.3.2 2.11.2

say() { printf 'airflow setup: %s\n' "$*" >&2; }

# uv installs 130 packages in seconds where pip takes minutes.
find_uv() {
	if command -v uv >/dev/null 2>&1; then
		uv=$(command -v uv)
		return
	fi
	uv=$cache/uv/bin/uv
	[ -x "$uv" ] || {
		say "uv is not installed; getting it from PyPI into $cache/uv"
		python3 -m venv "$cache/uv"
		"$cache/uv/bin/python" -m pip -q --disable-pip-version-check install uv
	}
}

# Airflow 2.11 takes Python up to 3.12. A version that is not here is left to uv, which can bring one.
find_python() {
	for python in python3 python3.12 python3.11 python3.10; do
		if "$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
			command -v "$python"
			return
		fi
	done
	echo 3.12
}

migrate() {
	env=$1
	home=$(mktemp -d)
	AIRFLOW_HOME=$home AIRFLOW__CORE__LOAD_EXAMPLES=False AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="sqlite:///$home/airflow.db" \
		"$env/bin/airflow" db migrate >"$home/log" 2>&1 || { cat "$home/log" >&2; rm -rf "$home"; return 1; }
	mv "$home/airflow.db" "$env/airflow.db"
	rm -rf "$home"
}

make_env() {
	version=$1
	pins=$here/constraints-$version.txt
	env=$cache/airflow-$version
	[ -f "$pins" ] || { say "no pin file $pins"; exit 2; }
	want=$(cat "$pins" "$here/requirements-tools.txt" | sha256sum | cut -d' ' -f1)
	if [ "$(cat "$env/stamp" 2>/dev/null)" = "$want" ]; then
		printf '%s\n' "$env"
		return
	fi
	find_uv
	say "installing Airflow $version into $env"
	rm -rf "$env"
	"$uv" -q venv --python "$(find_python)" "$env"
	"$uv" -q pip install --python "$env/bin/python" --no-deps -r "$pins"
	"$uv" -q pip install --python "$env/bin/python" -c "$pins" -r "$here/requirements-tools.txt"
	"$env/bin/python" -m compileall -q "$env/lib" >/dev/null 2>&1 || true
	migrate "$env"
	printf '%s\n' "$want" >"$env/stamp"
	printf '%s\n' "$env"
}

mkdir -p "$cache"
exec 9>"$cache/airflow.lock"
flock 9
for v in "$@"; do
	make_env "$v"
done
