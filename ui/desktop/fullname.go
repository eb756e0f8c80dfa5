//go:build !nogui

package desktop

import (
	"os/user"
	"strings"
)

// fullName is what the system calls its user, "" if that is no name of a
// person. It is only proposed.
func fullName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	name, _, _ := strings.Cut(u.Name, ",") // office and telephone may follow
	if name = strings.TrimSpace(name); strings.EqualFold(name, u.Username) || !strings.Contains(name, " ") {
		return ""
	}
	return name
}
