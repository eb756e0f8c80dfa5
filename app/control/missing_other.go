//go:build !windows

package control

func isMissing(error) bool { return false }
