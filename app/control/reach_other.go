//go:build !linux

package control

import (
	"path/filepath"

	"foldpost/app"
)

// reach returns the address of a socket in home, which the system limits.
func reach(home, socket string) (path string, done func(), err error) {
	path = filepath.Join(home, socket)
	if len(path) > maxPath {
		return "", nil, app.Errorf(app.CodeFailed, "the path of the home directory %s is too long for a socket: choose a --home of at most %d bytes", home, maxPath-len(socket)-1)
	}
	return path, func() {}, nil
}
