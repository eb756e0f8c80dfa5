#!/bin/sh
# Lays out what every Linux package holds: tree.sh PROGRAM DIRECTORY. The
# directory is what becomes /usr, /usr/local or ~/.local.
set -eu
program=$1 to=$2 here=$(dirname "$0") icons=$(dirname "$0")/../icons
rm -rf "$to"
put() { install -D -m "$1" "$2" "$to/$3"; }

put 755 "$program" bin/foldpost
put 644 "$here/foldpost.desktop" share/applications/foldpost.desktop
put 644 "$here/foldpost.xml" share/mime/packages/foldpost.xml
put 644 "$here/example.foldpost.Foldpost.metainfo.xml" share/metainfo/example.foldpost.Foldpost.metainfo.xml
put 644 "$here/foldpost.service" lib/systemd/user/foldpost.service
put 644 "$here/foldpost@.service" lib/systemd/system/foldpost@.service
put 644 "$here/copyright" share/doc/foldpost/copyright
for n in 16 24 32 48 64 128 256 512; do
	put 644 "$icons/png/foldpost-$n.png" "share/icons/hicolor/${n}x$n/apps/foldpost.png"
done
put 644 "$icons/foldpost.svg" share/icons/hicolor/scalable/apps/foldpost.svg

make() { mkdir -p "$to/$(dirname "$1")"; cat >"$to/$1"; }
"$program" completion bash | make share/bash-completion/completions/foldpost
"$program" completion zsh | make share/zsh/vendor-completions/_foldpost
"$program" completion fish | make share/fish/vendor_completions.d/foldpost.fish
"$program" man >"$to/foldpost.1"
put 644 "$to/foldpost.1" share/man/man1/foldpost.1
rm "$to/foldpost.1"
gzip -9n "$to/share/man/man1/foldpost.1"
