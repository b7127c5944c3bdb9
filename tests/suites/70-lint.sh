#!/bin/sh
# Rules of the house, clang-tidy, cppcheck, shellcheck, and a build with clang.
set -u
p=0 f=0
result() {
	if [ "$1" -eq 0 ]; then p=$((p + 1)); else f=$((f + 1)); echo "FAILED: $2"; fi
}
out=$(python3 tests/lint.py); code=$?
echo "$out"
result $code "rules of the house"
make -s -j2 B="$B/clang" CC=clang WERROR=1; result $? "build with clang"
sources=$(find src backends -name '*.c' | LC_ALL=C sort)
# shellcheck disable=SC2086
sh tests/tidy.sh $sources
result $? "clang-tidy"
# shellcheck disable=SC2086
cppcheck -q -j 2 --std=c11 --enable=warning,performance,portability --inline-suppr --suppress=missingInclude --suppress=missingIncludeSystem \
	--suppress=normalCheckLevelMaxBranches --suppress=varFuncNullUB --suppress=internalAstError --suppress=identicalInnerCondition --error-exitcode=1 -Iinclude -D_GNU_SOURCE src backends
result $? "cppcheck"
# Pieces of the scripts that backends write: their variables cross from one piece to another.
# shellcheck disable=SC2046
shellcheck -S warning $(find tests .ci -name '*.sh') .ci/run && shellcheck -s sh -S warning -e SC2034,SC2154 backends/*/*.sh examples/*/*.sh
result $? "shellcheck"
echo "$p passed, $f failed"
[ "$f" -eq 0 ]
