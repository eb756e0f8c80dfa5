#!/bin/sh
# True where the C headers that the window needs are there. Root on Debian
# gets them installed; everybody else is told which they are.
need="gcc libc6-dev pkg-config libgl-dev libxcursor-dev libxrandr-dev libxinerama-dev libxi-dev libxxf86vm-dev"
there() { command -v gcc >/dev/null && pkg-config --exists gl x11 xcursor xrandr xinerama xi xxf86vm 2>/dev/null; }

there && exit 0
[ "$(uname -s)" = Linux ] || { echo "no window in this build: it is built on Linux, for Linux and Windows" >&2; exit 1; }
"$(dirname "$0")/apt.sh" $need && there && exit 0
echo "no window in this build: it needs C headers. On Debian or Ubuntu:" >&2
echo "  sudo apt-get install $need" >&2
exit 1
