#!/bin/sh
# Installs what is missing from Debian's packages: setup.sh build|test. Does nothing when all is there.
set -eu
build="gcc make pkg-config libyaml-dev libjansson-dev libpcre2-dev libcurl4-openssl-dev libsqlite3-dev libssl-dev libmpfr-dev"
test="check openssl python3 python3-venv clang clang-tidy libclang-rt-dev cppcheck shellcheck dash busybox valgrind git ca-certificates curl xz-utils man-db zsh fish"
case "${1-build}" in
build) want=$build ;;
test) want="$build $test" ;;
*) echo "usage: setup.sh build|test" >&2; exit 2 ;;
esac
missing=
for p in $want; do
	dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null || { echo "couler needs these packages (Debian's names):$missing" >&2; exit 1; }
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "installing:$missing"
$sudo apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
