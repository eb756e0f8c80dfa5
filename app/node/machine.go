package node

import (
	"os"
	"strings"
)

// machineID names this computer, so that an index that was copied to another
// one is noticed. Where the system has no such id the host name serves.
func machineID() string {
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if b, err := os.ReadFile(path); err == nil && len(strings.TrimSpace(string(b))) >= 8 {
			return strings.TrimSpace(string(b))
		}
	}
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
