#!/bin/sh
# What `make demo` shows: demo.sh COULER FOLDER. Compiles examples/churn.cw for each engine into FOLDER and runs it here.
set -eu
couler=$1 out=$2
mkdir -p "$out"
say() { printf '\n$ %s\n' "$*"; }
show() { say "$@"; "$@"; }

show "$couler" check examples/churn.cw
show "$couler" graph examples/churn.cw
for t in argo:churn.yaml airflow:churn.couler.json shell:churn.sh; do
	show "$couler" compile examples/churn.cw -t "${t%%:*}" -o "$out/${t#*:}"
done
say "sed -n '/name: extract/,/name: features/p' $out/churn.yaml"
sed -n '/- name: extract$/,/- name: features$/p' "$out/churn.yaml" | sed '$d' | head -n 40
show "$couler" run examples/churn.cw
printf '\nmade, in %s:\n' "$out"
ls -l "$out" | awk 'NR > 1 { printf "  %8d bytes  %s\n", $5, $NF }'
