//go:build !(linux || windows || darwin || dragonfly || freebsd || netbsd || openbsd)

package discovery

func systemRoutes() []route { return nil }
