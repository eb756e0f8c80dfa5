//go:build !unix

package folder

// inodeOf is not told by this system.
func inodeOf(string) uint64 { return 0 }
