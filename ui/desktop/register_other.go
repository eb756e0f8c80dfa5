//go:build !nogui && !windows

package desktop

// Elsewhere the package says what opens invitations.

func register() error   { return nil }
func unregister() error { return nil }
