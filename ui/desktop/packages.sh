#!/bin/sh
# True where everything is there that a desktop without a screen needs. Root
# on Debian gets it installed; everybody else is told what it is.
need="xvfb xdotool imagemagick x11-utils dbus openbox xfce4-panel xfce4-notifyd librsvg2-bin libgl1-mesa-dri"
there() {
	for p in Xvfb xdotool import dbus-daemon openbox xfce4-panel rsvg-convert; do
		command -v $p >/dev/null || return 1
	done
	ls /usr/lib/*/xfce4/notifyd/xfce4-notifyd >/dev/null 2>&1
}

there && exit 0
"$(dirname "$0")/../../assets/linux/apt.sh" $need && there && exit 0
echo "a desktop without a screen needs programs. On Debian or Ubuntu:" >&2
echo "  sudo apt-get install $need" >&2
exit 1
