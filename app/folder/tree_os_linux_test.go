package folder

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// asNobody runs f with the rights of a user who owns what is in dir.
func asNobody(t *testing.T, dir string, f func()) {
	t.Helper()
	const nobody = 65534
	if os.Getuid() != 0 {
		f()
		return
	}
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, nobody, nobody))
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if _, err := unix.SetfsuidRetUid(nobody); err != nil {
			t.Errorf("setfsuid: %v", err)
			return
		}
		f()
	}()
	<-done
}

// Directories that are read-only on another device are so here too, and the
// owner's program still has to work in them.
func TestReadOnlyDirectory(t *testing.T) {
	tree, dir := openInside(t)
	d := filepath.Join(dir, "d")
	if err := os.Mkdir(d, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(d, "a"), "old")
	write(t, filepath.Join(d, "gone"), "gone")
	if err := os.Chmod(d, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(d, 0o755)
	asNobody(t, dir, func() {
		st, err := tree.Stat("d/a")
		if err != nil {
			t.Errorf("Stat: %v", err)
		}
		sealed(t, tree, "00", "new", 0o444)
		if _, _, err := tree.Put("d/a", st, "00"); err != nil {
			t.Errorf("Put: %v", err)
		}
		sealed(t, tree, "00", "more", 0o444)
		if _, _, err := tree.Put("d/b", Stat{}, "00"); err != nil {
			t.Errorf("Put of a new file: %v", err)
		}
		if st, err = tree.Stat("d/gone"); err != nil {
			t.Errorf("Stat: %v", err)
		}
		if _, err := tree.Remove("d/gone", st); err != nil {
			t.Errorf("Remove: %v", err)
		}
		if _, err := tree.Mkdir("d/e", 0o500); err != nil {
			t.Errorf("Mkdir: %v", err)
		}
		if err := tree.Rmdir("d/e"); err != nil {
			t.Errorf("Rmdir: %v", err)
		}
		if err := tree.Sync(nil, []Path{"d"}); err != nil {
			t.Errorf("Sync: %v", err)
		}
	})
	if info, err := os.Stat(d); err != nil || info.Mode().Perm() != 0o555 {
		t.Errorf("mode of d is %v afterwards, want 0555", info.Mode())
	}
	entries, _ := os.ReadDir(d)
	if len(entries) != 2 {
		t.Errorf("d holds %v, want a, b", entries)
	}
}

// A directory that may not be read says nothing about what is in it.
func TestUnreadable(t *testing.T) {
	tree, dir := openInside(t)
	d := filepath.Join(dir, "d")
	if err := os.Mkdir(d, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(d, "a"), "x")
	if err := os.Chmod(d, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(d, 0o755)
	asNobody(t, dir, func() {
		_, listErr := tree.List(t.Context(), "d")
		_, statErr := tree.Stat("d/a")
		for _, err := range []error{listErr, statErr} {
			if !errors.Is(err, os.ErrPermission) || errors.Is(err, ErrGone) {
				t.Errorf("in an unreadable directory: %v, want a permission error and not ErrGone", err)
			}
		}
	})
}

// small mounts a disk of 64 KiB and 24 inodes.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,nr_inodes=24"); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func TestFullDisk(t *testing.T) {
	dir := small(t)
	tree, err := OpenTree(dir)
	if err == nil {
		err = tree.Mark("m")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	write(t, filepath.Join(dir, "a"), "old")
	s, err := tree.Stage("00")
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.WriteAt(make([]byte, 100<<10), 0)
	if !errors.Is(err, ErrNoSpace) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("WriteAt: %v, want ErrNoSpace", err)
	}
	if err := s.Discard(); err != nil {
		t.Errorf("Discard: %v", err)
	}
	sealed(t, tree, "00", "new", 0o644)
	// No inode is left for a directory in the trash.
	for i := range 24 {
		f, err := os.Create(filepath.Join(dir, "fill"+strings.Repeat("x", i)))
		if err != nil {
			break
		}
		f.Close()
	}
	st, err := tree.Stat("a")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := tree.Put("a", st, "00"); !errors.Is(err, ErrNoSpace) {
		t.Errorf("Put: %v, want ErrNoSpace", err)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "a")); string(b) != "old" {
		t.Errorf("a = %q, want old", b)
	}
	if _, err := tree.Mkdir("d", 0o755); !errors.Is(err, ErrNoSpace) {
		t.Errorf("Mkdir: %v, want ErrNoSpace", err)
	}
	if n, err := tree.Free(); err != nil || n <= 0 || n > 64<<10 {
		t.Errorf("Free = %d, %v", n, err)
	}
	if err := os.Remove(filepath.Join(dir, "fill")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "fillx")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := tree.Put("a", st, "00"); err != nil {
		t.Errorf("Put when there is room again: %v", err)
	}
}

// A drive that is mounted over the root after the start is what counts.
func TestMountOverRoot(t *testing.T) {
	tree, dir := openInside(t)
	write(t, filepath.Join(dir, "below"), "x")
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("mount: %v", err)
	}
	mounted := true
	defer func() {
		if mounted {
			unix.Unmount(dir, unix.MNT_DETACH)
		}
	}()
	if id, err := tree.Root(); err != nil || id.Marker != "" {
		t.Errorf("Root = %+v, %v, want no marker", id, err)
	}
	if list, err := tree.List(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("List = %+v, %v, want nothing", list, err)
	}
	tree.use(nil) // an open root would keep it mounted
	if err := unix.Unmount(dir, 0); err != nil {
		t.Errorf("unmount: %v", err)
	}
	mounted = false
	if id, err := tree.Root(); err != nil || id.Marker != "m" {
		t.Errorf("Root = %+v, %v, want marker m", id, err)
	}
}

// File systems without exchange, and with neither links nor exchange.
func TestLinkNew(t *testing.T) {
	tree, dir := openInside(t)
	root, err := tree.hold()
	if err != nil {
		t.Fatal(err)
	}
	defer tree.mu.RUnlock()
	write(t, filepath.Join(dir, "a"), "a")
	write(t, filepath.Join(dir, "b"), "b")
	if err := linkNew(root, "a", root, "b"); !errors.Is(err, os.ErrExist) {
		t.Errorf("linkNew over a file: %v, want ErrExist", err)
	}
	if err := linkNew(root, "a", root, "c"); err != nil {
		t.Errorf("linkNew: %v", err)
	}
	names, _ := root.names()
	slices.Sort(names)
	if !slices.Equal(names, []string{OwnDir, "b", "c"}) {
		t.Errorf("names %q", names)
	}
}
