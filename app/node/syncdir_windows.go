package node

// syncDir does nothing: Windows has no handle to flush a directory with, and
// NTFS journals the rename.
func syncDir(string) error { return nil }
