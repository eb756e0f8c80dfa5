package folder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func openInside(t *testing.T) (*diskTree, string) {
	t.Helper()
	dir := t.TempDir()
	tree, err := OpenTree(dir)
	if err == nil {
		err = tree.Mark("m")
	}
	if err != nil {
		t.Fatalf("open tree: %v", err)
	}
	t.Cleanup(func() { tree.Close() })
	return tree.(*diskTree), dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func sealed(t *testing.T, tree Tree, name, content string, bits uint32) {
	t.Helper()
	s, err := tree.Stage(name)
	if err == nil {
		_, err = s.WriteAt([]byte(content), 0)
	}
	if err == nil {
		err = errors.Join(s.Seal(1e18, bits), s.Close())
	}
	if err != nil {
		t.Fatalf("fill stage: %v", err)
	}
}

// Where a rename is made of a second name and the loss of the first, a crash
// between the two leaves a stage file that is a user's file as well.
func TestStageOfAFileInUse(t *testing.T) {
	tree, dir := openInside(t)
	write(t, filepath.Join(dir, "a"), "in use")
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, OwnDir, stageDir, "00")); err != nil {
		t.Fatal(err)
	}
	sealed(t, tree, "00", "overwritten", 0o644)
	if b, _ := os.ReadFile(filepath.Join(dir, "a")); string(b) != "in use" {
		t.Errorf("a = %q", b)
	}
	// A link there, whoever made it, is not followed either.
	if err := os.Symlink("../../a", filepath.Join(dir, OwnDir, stageDir, "01")); err != nil {
		t.Fatal(err)
	}
	sealed(t, tree, "01", "overwritten", 0o644)
	if b, _ := os.ReadFile(filepath.Join(dir, "a")); string(b) != "in use" {
		t.Errorf("a = %q", b)
	}
}

func TestStageAfterSeal(t *testing.T) {
	tree, _ := openInside(t)
	sealed(t, tree, "00", "secret", 0o400)
	s, err := tree.Stage("00")
	if err != nil {
		t.Fatalf("Stage of a sealed file: %v", err)
	}
	defer s.Close()
	if info, _ := s.(*stagedFile).File.Stat(); info.Mode() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode())
	}
}

func TestOwnDirIsPrivate(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, OwnDir), 0o777); err != nil {
		t.Fatal(err)
	}
	tree, err := OpenTree(dir)
	if err == nil {
		err = tree.Mark("m")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	for _, name := range []string{"", stageDir, trashDir} {
		if info, err := os.Stat(filepath.Join(dir, OwnDir, name)); err != nil || info.Mode() != fs.ModeDir|0o700 {
			t.Errorf("%s/%s: %v, %v, want mode 0700", OwnDir, name, info.Mode(), err)
		}
	}
}

// What is in place of our own directory is left alone.
func TestOwnDirIsALink(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	if err := os.Symlink(other, filepath.Join(dir, OwnDir)); err != nil {
		t.Fatal(err)
	}
	tree, err := OpenTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if err := tree.Mark("m"); err == nil {
		t.Error("Mark: no error")
	}
	if entries, _ := os.ReadDir(other); len(entries) != 0 {
		t.Errorf("Mark made %v", entries)
	}
}

func TestSweepStage(t *testing.T) {
	tree, dir := openInside(t)
	sealed(t, tree, "00", "x", 0o644) // with an old mtime
	at := func() []string {
		entries, _ := os.ReadDir(filepath.Join(dir, OwnDir, stageDir))
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	again, err := OpenTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	if got := at(); !slices.Equal(got, []string{"00"}) {
		t.Errorf("stage after OpenTree: %q, want what is young", got)
	}
	root, err := tree.hold()
	if err != nil {
		t.Fatal(err)
	}
	defer tree.mu.RUnlock()
	sweepStage(root, time.Now().Add(time.Hour))
	if got := at(); len(got) != 0 {
		t.Errorf("stage after sweepStage: %q", got)
	}
}

// A drive is taken away, another one comes to its place, and the first returns.
func TestRootComesAndGoes(t *testing.T) {
	tree, dir := openInside(t)
	first, err := tree.Root()
	if err != nil || first.Marker != "m" {
		t.Fatalf("Root = %+v, %v", first, err)
	}
	away := dir + "-away"
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Root(); !errors.Is(err, ErrNoRoot) {
		t.Errorf("Root of nothing: %v, want ErrNoRoot", err)
	}
	if _, err := tree.List(t.Context(), ""); !errors.Is(err, ErrNoRoot) || errors.Is(err, ErrGone) {
		t.Errorf("List of nothing: %v, want ErrNoRoot and not ErrGone", err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	other, err := tree.Root()
	if err != nil || other.Marker != "" || other.Ino == first.Ino {
		t.Errorf("Root of another = %+v, %v", other, err)
	}
	if _, err := tree.Stage("00"); err == nil {
		t.Error("Stage in a root without mark: no error")
	}
	if err := errors.Join(os.Remove(dir), os.Rename(away, dir)); err != nil {
		t.Fatal(err)
	}
	if id, err := tree.Root(); err != nil || id != first {
		t.Errorf("Root of the first again = %+v, %v, want %+v", id, err, first)
	}
}

// As on a disk that takes A and a for the same, or may.
func TestFoldingDisk(t *testing.T) {
	tree, dir := openInside(t)
	tree.folds = true
	write(t, filepath.Join(dir, "a"), "x")
	write(t, filepath.Join(dir, "u\u0308"), "y")
	for _, p := range []Path{"a", "\u00fc"} {
		if _, err := tree.Stat(p); err != nil {
			t.Errorf("Stat(%q): %v", p, err)
		}
	}
	if _, err := tree.Stat("A"); !errors.Is(err, ErrGone) {
		t.Errorf("Stat(A): %v, want ErrGone", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "A")); err == nil { // tests run on such a disk
		sealed(t, tree, "00", "x", 0o644)
		if _, _, err := tree.Put("A", Stat{}, "00"); !errors.Is(err, ErrLeftOut) {
			t.Errorf("Put(A): %v, want ErrLeftOut", err)
		}
		if _, err := tree.Mkdir("A", 0o755); !errors.Is(err, ErrLeftOut) {
			t.Errorf("Mkdir(A): %v, want ErrLeftOut", err)
		}
	}
	root, _ := tree.hold()
	defer tree.mu.RUnlock()
	if listed, other, err := root.spelled("A"); listed != "" || other != "a" || err != nil {
		t.Errorf("spelled(A) = %q, %q, %v, want other a", listed, other, err)
	}
}

func TestSyncMany(t *testing.T) {
	tree, dir := openInside(t)
	var paths []Path
	for i := range manyToSync {
		name := string(rune('A' + i))
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, Path(name))
	}
	if err := tree.Sync(nil, paths); err != nil {
		t.Errorf("Sync of %d directories: %v", len(paths), err)
	}
	write(t, filepath.Join(dir, "a"), "x")
	st, err := tree.Stat("a")
	if err == nil {
		_, err = tree.Remove("a", st)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.trash.touched) < 2 {
		t.Errorf("Remove touched %v, want the trash", tree.trash.touched)
	}
	if err := tree.Sync(nil, []Path{""}); err != nil || len(tree.trash.touched) != 0 {
		t.Errorf("Sync: %v, and %v is left", err, tree.trash.touched)
	}
}
