//go:build !nogui

package desktop

// Forget takes back what the program told the system of itself: that it opens
// invitations.
func Forget() error { return unregister() }
