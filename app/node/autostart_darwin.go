package node

import "errors"

var errNoAutostart = errors.New("this is not built for macOS yet: add foldpost to the login items of the system's settings")

func (systemAutostart) On() (bool, error) { return false, nil }

func (systemAutostart) Set(on bool) error {
	if on {
		return errNoAutostart
	}
	return nil
}
