#!/bin/sh
# Makes what `go build` links into the .exe: resources.sh MINGW VERSION FILE.
set -eu
mingw=$1 version=$2 file=$3
if ! command -v "$mingw-windres" >/dev/null && ! "$(dirname "$0")/../linux/apt.sh" gcc-mingw-w64-x86-64 zip; then
	echo "a C compiler for Windows is missing. On Debian or Ubuntu: sudo apt-get install gcc-mingw-w64-x86-64 zip" >&2
	exit 1
fi
# v1.2.3-4-gabc is 1,2,3,0 to Windows; what is no version is 0,0,0,0.
numbers=$(printf '%s\n' "$version" | sed -nE 's/^v?([0-9]+)\.([0-9]+)\.([0-9]+).*/\1,\2,\3,0/p')
cd "$(dirname "$0")/../.."
"$mingw-windres" -O coff -F pe-x86-64 -D "NUMBERS=${numbers:-0,0,0,0}" -D "TEXT=\\\"$version\\\"" assets/windows/foldpost.rc -o "$file"
