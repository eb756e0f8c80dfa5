//go:build !nogui && (linux || freebsd || openbsd || netbsd)

package desktop

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rymdport/portal/filechooser"
)

// errNoPortal says that the desktop has no dialog of its own.
var errNoPortal = errors.New("no desktop portal")

// portalPick lets the user choose in the dialog of the XDG desktop portal. The
// path is "" if nothing was chosen.
func portalPick(title string, directory bool) (path string, err error) {
	if !hasPortal() {
		return "", errNoPortal
	}
	uris, err := filechooser.OpenFile("", title, &filechooser.OpenFileOptions{Directory: directory})
	if err != nil {
		return "", fmt.Errorf("choose with portal: %w", err)
	}
	if len(uris) == 0 {
		return "", nil
	}
	u, err := url.Parse(uris[0])
	if err != nil || u.Scheme != "file" {
		return "", fmt.Errorf("choose with portal: %q is no file", uris[0])
	}
	return u.Path, nil
}

// hasPortal is true where a portal with a file chooser runs or would be
// started by the bus.
func hasPortal() bool {
	ctx, cancel := context.WithTimeout(context.Background(), busTimeout)
	defer cancel()
	conn, err := openBus(ctx)
	if err != nil {
		return false
	}
	defer conn.Close()
	_, err = conn.Object("org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop").
		GetProperty("org.freedesktop.portal.FileChooser.version")
	return err == nil
}

// openPath shows a directory in the file manager, or the one that a file is
// in: a file of somebody else's is not started by a click here.
func openPath(path string) error {
	dir := path
	if st, err := os.Stat(path); err != nil || !st.IsDir() {
		dir = filepath.Dir(path)
		if showItem(path) {
			return nil
		}
	}
	cmd := exec.Command("xdg-open", dir)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	go cmd.Wait() // only so that it does not stay a zombie
	return nil
}

// showItem asks the file manager to mark a file in its directory.
func showItem(path string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), busTimeout)
	defer cancel()
	conn, err := openBus(ctx)
	if err != nil {
		return false
	}
	defer conn.Close()
	uri := url.URL{Scheme: "file", Path: path}
	return conn.Object("org.freedesktop.FileManager1", "/org/freedesktop/FileManager1").
		CallWithContext(ctx, "org.freedesktop.FileManager1.ShowItems", 0, []string{uri.String()}, "").Err == nil
}
