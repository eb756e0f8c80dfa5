//go:build !nogui

package desktop

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// portalPick leaves choosing to Fyne's dialog.
func portalPick(string, bool) (string, error) { return "", errors.ErrUnsupported }

// openPath shows a directory in the file manager, or marks a file in the one
// that it is in: a file of somebody else's is not started by a click here.
func openPath(path string) error {
	args := []string{path}
	if st, err := os.Stat(path); err != nil || !st.IsDir() {
		args = []string{"/select,", path}
	}
	cmd := exec.Command("explorer.exe", args...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	go cmd.Wait() // explorer's exit code says nothing
	return nil
}
