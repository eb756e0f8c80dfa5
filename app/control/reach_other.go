//go:build !linux

package control

import (
	"path/filepath"

	"foldpost/app"
)

// reach returns the address of home's socket, which the system limits.
func reach(home string) (path string, done func(), err error) {
	path = filepath.Join(home, socketName)
	if len(path) > maxPath {
		return "", nil, app.Errorf(app.CodeFailed, "the path of the home directory %s is too long for a socket: choose a --home of at most %d bytes", home, maxPath-len(socketName)-1)
	}
	return path, func() {}, nil
}
