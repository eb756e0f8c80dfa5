//go:build !windows

package folder

func checkSystemName(string) error { return nil }

func isOwnShort(string) bool { return false }

func isSystemAbsolute(string) bool { return false }
