#!/bin/sh
# Installs a .deb in a clean Debian and meets it there as its user would: by the
# menu entry, by opening an invitation, by a link, and takes it away again.
#
#	test.sh DEB [DIRECTORY FOR SCREENSHOTS]
set -eu
fail() { echo "$*" >&2; exit 1; }

if [ "${1:-}" != --inside ]; then
	[ $# -ge 1 ] && [ -f "$1" ] || fail "usage: test.sh DEB [DIRECTORY]: make package-linux first"
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "this test needs root on Debian"
	for tool in mmdebstrap Xvfb:xvfb xdotool import:imagemagick; do
		command -v "${tool%:*}" >/dev/null || "$(dirname "$0")/apt.sh" "${tool#*:}"
	done
	# A namespace of its own: whatever is started or mounted ends with it.
	exec unshare --mount --pid --fork --kill-child --mount-proc "$0" --inside "$@"
fi
deb=$2 shots=${3:-bin/package}
root=$(mktemp -d /tmp/foldpost-root.XXXXXX)
trap 'umount -lR "$root/proc"; umount -lR "$root/dev"; rm -rf --one-file-system "$root"' EXIT
mkdir -p "$shots"
export LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive

echo "a clean Debian"
mmdebstrap --quiet --variant=minbase --include=libglib2.0-bin "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root"
mount --make-rprivate / && mount --rbind /proc "$root/proc" && mount --rbind /dev "$root/dev"
cp "$deb" "$root/tmp/foldpost.deb"
cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
inside() { chroot "$root" "$@"; }

echo "install"
inside apt-get update -qq
inside apt-get install -qq -y /tmp/foldpost.deb >"$shots/install.log" 2>&1 || fail "$(tail "$shots/install.log")"
inside useradd -m ada

Xvfb -displayfd 3 -screen 0 1280x800x24 +extension GLX -nolisten tcp 3>"$root/display" >/dev/null 2>&1 &
for _ in $(seq 50); do [ -s "$root/display" ] || sleep 0.1; done
display=:$(cat "$root/display")
export DISPLAY="$display"
ada() { inside su ada -c "cd; export DISPLAY=$display LIBGL_ALWAYS_SOFTWARE=1 XDG_RUNTIME_DIR=/tmp LANG=C.UTF-8; $*"; }
# The window appears within half a minute, or its log tells why not.
see() {
	for _ in $(seq 60); do
		sleep 0.5
		if xdotool search --onlyvisible --name '^Foldpost' >/dev/null 2>&1; then
			sleep 2
			import -window root "$shots/$1.png"
			echo "  $shots/$1.png"
			return
		fi
	done
	cat "$root/home/ada/log" >&2 2>/dev/null || true
	fail "$1: there is no window"
}

echo "the menu entry"
ada 'gio launch /usr/share/applications/foldpost.desktop >log 2>&1' || fail "menu entry: $(cat "$root/home/ada/log")"
see menu
ada foldpost status || fail "foldpost status does not reach the window"

echo "an invitation, and a link"
ada 'printf "foldpost letter 1\nAAAA\n" >"Invitation from Ada.foldpost"'
type=$(ada 'gio info -a standard::content-type "Invitation from Ada.foldpost"' | sed -n 's/.*content-type: //p')
[ "$type" = application/vnd.foldpost.letter ] || fail "an invitation is taken for $type"
ada 'gio open "Invitation from Ada.foldpost" >>log 2>&1' || fail "open a file: $(cat "$root/home/ada/log")"
see file
xdotool key Escape
ada 'gio open foldpost:AAAA >>log 2>&1' || fail "open a link: $(cat "$root/home/ada/log")"
see link
[ "$(xdotool search --onlyvisible --name '^Foldpost' | wc -l)" = 1 ] || fail "there is more than one window"
! grep -i "error in fyne" "$root/home/ada/log" || fail "see above"

echo "remove"
running=$(pgrep -x foldpost) # of this namespace: there are no others in it
kill $running
for _ in $(seq 50); do pgrep -x foldpost >/dev/null || break; sleep 0.2; done
! pgrep -x foldpost >/dev/null || fail "it does not end when asked to"
inside apt-get purge -qq -y foldpost >>"$shots/install.log" 2>&1
left=$(inside find /usr -name '*foldpost*')
[ -z "$left" ] || fail "left behind: $left"
echo "ok"
