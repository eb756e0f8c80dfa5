//go:build !nogui && !uitest

package desktop

import "context"

// beWatched is for tests, which build the program with the tag uitest.
func (*desktop) beWatched(context.Context) {}
