package foldertest

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A User does what people and their programs do to a folder, past the
// [folder.Tree]. Paths are as the disk has them, not normalized. What can not
// be done ends the test.
type User interface {
	Write(path, content string)  // in place, or a new file 0644
	Append(path, content string) // in place
	Touch(path string, mtime time.Time)
	Remove(path string) // with everything below
	Rename(from, to string)
	Mkdir(path string)
	Chmod(path string, bits uint32)
	Symlink(target, path string)
	Link(from, to string) // a second name
	Pipe(path string)
	Read(path string) string   // also below .foldpost
	Names(dir string) []string // sorted; nil where there is no directory
}

// A Disk is the user of a directory on the real disk.
type Disk struct {
	T   testing.TB
	Dir string
}

func (d Disk) at(path string) string { return filepath.Join(d.Dir, filepath.FromSlash(path)) }

func (d Disk) must(err error) {
	d.T.Helper()
	if err != nil {
		d.T.Fatalf("user: %v", err)
	}
}

// Write implements [User].
func (d Disk) Write(path, content string) {
	d.T.Helper()
	d.must(os.WriteFile(d.at(path), []byte(content), 0o644))
}

// Append implements [User].
func (d Disk) Append(path, content string) {
	d.T.Helper()
	f, err := os.OpenFile(d.at(path), os.O_WRONLY|os.O_APPEND, 0)
	d.must(err)
	_, err = f.WriteString(content)
	d.must(err)
	d.must(f.Close())
}

// Touch implements [User].
func (d Disk) Touch(path string, mtime time.Time) {
	d.T.Helper()
	d.must(os.Chtimes(d.at(path), time.Time{}, mtime))
}

// Remove implements [User].
func (d Disk) Remove(path string) {
	d.T.Helper()
	d.must(os.RemoveAll(d.at(path)))
}

// Rename implements [User].
func (d Disk) Rename(from, to string) {
	d.T.Helper()
	d.must(os.Rename(d.at(from), d.at(to)))
}

// Mkdir implements [User].
func (d Disk) Mkdir(path string) {
	d.T.Helper()
	d.must(os.Mkdir(d.at(path), 0o755))
}

// Chmod implements [User].
func (d Disk) Chmod(path string, bits uint32) {
	d.T.Helper()
	d.must(os.Chmod(d.at(path), os.FileMode(bits)))
}

// Symlink implements [User].
func (d Disk) Symlink(target, path string) {
	d.T.Helper()
	d.must(os.Symlink(target, d.at(path)))
}

// Link implements [User].
func (d Disk) Link(from, to string) {
	d.T.Helper()
	d.must(os.Link(d.at(from), d.at(to)))
}

// Pipe implements [User].
func (d Disk) Pipe(path string) {
	d.T.Helper()
	d.must(mkfifo(d.at(path)))
}

// Read implements [User].
func (d Disk) Read(path string) string {
	d.T.Helper()
	b, err := os.ReadFile(d.at(path))
	d.must(err)
	return string(b)
}

// Names implements [User].
func (d Disk) Names(dir string) []string {
	entries, err := os.ReadDir(d.at(dir))
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
