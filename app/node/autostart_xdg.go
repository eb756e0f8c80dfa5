//go:build !windows && !darwin

package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// entryFile is where desktops look for what starts at login.
func entryFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the directory of settings: %w", err)
	}
	return filepath.Join(dir, "autostart", "foldpost.desktop"), nil
}

func (systemAutostart) On() (bool, error) {
	file, err := entryFile()
	if err != nil {
		return false, err
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && entryIsOn(string(b)), err
}

func (a systemAutostart) Set(on bool) error {
	file, err := entryFile()
	if err != nil {
		return err
	}
	if !on {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	path, err := program()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return writeFile(file, []byte(desktopEntry(path, a.args)))
}
