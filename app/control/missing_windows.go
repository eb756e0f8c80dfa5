package control

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isMissing is true where nobody listens at a socket of this name.
func isMissing(err error) bool { return errors.Is(err, windows.WSAECONNREFUSED) }
