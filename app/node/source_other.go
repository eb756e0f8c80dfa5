//go:build !linux && !darwin

package node

import "syscall"

// lastingSource does nothing: this system knows no such wish.
func lastingSource(string, string, syscall.RawConn) error { return nil }
