package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// Unmark takes the program's own things out of a directory that was the
// folder's and that no Tree works on any more: the marker and the stage. What
// is in the trash is its user's and stays, with the directories around it. A
// directory that is not marked as the folder's is left alone.
func Unmark(dir string, id ID) error {
	if err := unmark(dir, id); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("tidy %s: %w", dir, err)
	}
	return nil
}

func unmark(dir string, id ID) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if info, err := root.Lstat(OwnDir); err != nil || !info.IsDir() {
		return err
	}
	own, err := root.OpenRoot(OwnDir)
	if err != nil {
		return err
	}
	defer own.Close()
	marker, err := own.ReadFile(markerName)
	if err != nil || string(marker) != markerOf(id) {
		return err
	}
	var kept []string
	err = fs.WalkDir(own.FS(), trashDir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			kept = append(kept, path)
		}
		return nil // what can not be read stays
	})
	err = errors.Join(err, own.RemoveAll(stageDir), own.Remove(markerName))
	for _, path := range slices.Backward(kept) {
		own.Remove(path) // stays unless it is empty
	}
	own.Close() // some systems remove no open directory
	root.Remove(OwnDir)
	return err
}
