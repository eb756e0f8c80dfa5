//go:build !nogui && (linux || freebsd || openbsd || netbsd)

package desktop

import "context"

// mayHaveTray is true where there is a bus on which a panel may come and go.
func mayHaveTray(ctx context.Context) bool {
	conn, err := openBus(ctx)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
