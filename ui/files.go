package ui

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// isDir says whether a path is a directory, or a link to one.
func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// saveNew writes a file that was not there before, with a number in its name
// if there is one with that name: nothing is overwritten. It returns where it
// is. Only its user may read it.
func saveNew(dir, name string, write func(io.Writer) error) (string, error) {
	f, err := createNew(dir, name)
	if err != nil {
		return "", err
	}
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name())) // made by us a moment ago
	}
	return f.Name(), nil
}

// maxSame is how many files of the same name saveNew steps aside for.
const maxSame = 1000

func createNew(dir, name string) (*os.File, error) {
	ext := filepath.Ext(name)
	for n := 1; ; n++ {
		path := filepath.Join(dir, name)
		if n > 1 {
			path = filepath.Join(dir, fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(name, ext), n, ext))
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) || n >= maxSame {
			return f, err
		}
	}
}
