#!/bin/sh
# Installs Debian packages, as root; false elsewhere. A fresh machine has no
# list of packages yet, and another installation may be under way.
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 1
export DEBIAN_FRONTEND=noninteractive
get() { apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >&2; }
get install -y --no-install-recommends "$@" || { get update && get install -y --no-install-recommends "$@"; }
