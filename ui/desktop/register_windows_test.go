//go:build !nogui

package desktop

import (
	"strings"
	"testing"
)

// TestRegister writes to the registry of its user, and takes it back.
func TestRegister(t *testing.T) {
	if value(classes+extension) != "" {
		t.Skip("foldpost is registered on this machine")
	}
	for range 2 {
		if err := register(); err != nil {
			t.Fatal(err)
		}
	}
	for _, class := range []string{fileClass, name} {
		got := value(classes + class + `\shell\open\command`)
		if !strings.HasPrefix(got, `"`) || !strings.HasSuffix(got, `.exe" -- "%1"`) {
			t.Errorf("%s is opened by %s", class, got)
		}
	}
	if got := value(classes + extension); got != fileClass {
		t.Errorf("%s is a %q, want %s", extension, got, fileClass)
	}
	if err := unregister(); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{extension, fileClass, name} {
		if got := value(classes + key); got != "" {
			t.Errorf("after unregister %s is %q", key, got)
		}
	}
}
