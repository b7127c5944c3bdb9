#!/bin/sh
# make install and uninstall under DESTDIR; a program that links libcouler by pkg-config; man pages without warnings;
# completion scripts that their shells read.
set -u
p=0 f=0
result() {
	if [ "$1" -eq 0 ]; then p=$((p + 1)); else f=$((f + 1)); echo "FAILED: $2"; fi
}
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT
make -s B="$B" install DESTDIR="$dest" PREFIX=/usr; result $? "make install"
[ "$("$dest/usr/bin/couler" version)" = "$("$B/couler" version)" ]; result $? "the installed couler says its version"
export PKG_CONFIG_PATH="$dest/usr/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$dest"
# shellcheck disable=SC2046
cc -std=c11 -Wall -Wextra -Werror -o "$dest/use" tests/install/use.c $(pkg-config --static --cflags --libs couler); result $? "a program that links libcouler"
"$dest/use" examples/diamond.cw argo >"$dest/library" 2>&1 && "$B/couler" compile examples/diamond.cw -t argo | sed 's|examples/||' >"$dest/command"
sed 's|examples/||' "$dest/library" | cmp - "$dest/command"; result $? "the library and the command give the same bytes"
printf 'workflow w { step a { run = 3 } }\n' >"$dest/bad.cw"
"$dest/use" "$dest/bad.cw" argo 2>&1 | grep -q 'bad.cw:1:.*error\[CW'; result $? "the library reports a mistake with its place"
for page in "$dest"/usr/share/man/man[15]/*; do
	said=$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
	[ -z "$said" ]; result $? "$page: $said"
done
bash -n "$dest/usr/share/bash-completion/completions/couler"; result $? "bash reads its completions"
zsh -n "$dest/usr/share/zsh/site-functions/_couler"; result $? "zsh reads its completions"
fish -n "$dest/usr/share/fish/vendor_completions.d/couler.fish"; result $? "fish reads its completions"
make -s B="$B" uninstall DESTDIR="$dest" PREFIX=/usr
[ -z "$(find "$dest/usr" -type f)" ]; result $? "make uninstall leaves: $(find "$dest/usr" -type f)"
echo "$p passed, $f failed"
[ "$f" -eq 0 ]
