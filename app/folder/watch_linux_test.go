package folder

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// In a namespace of its own a process may have few watches without taking them
// from anybody else, so this test runs itself there.
func TestWatchLimit(t *testing.T) {
	const limit = "/proc/sys/user/max_inotify_watches"
	if os.Getenv("FOLDPOST_TEST_NAMESPACE") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWatchLimit$", "-test.v")
		cmd.Env = append(os.Environ(), "FOLDPOST_TEST_NAMESPACE=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.EPERM) || strings.Contains(string(out), "--- SKIP") {
			t.Skipf("no namespace: %v", err)
		}
		if err != nil {
			t.Errorf("in a namespace: %v\n%s", err, out)
		}
		return
	}
	if err := os.WriteFile(limit, []byte("3"), 0); err != nil {
		t.Skipf("set limit: %v", err)
	}
	tree, dir := openInside(t)
	tree.poll = 50 * time.Millisecond
	for _, d := range []string{"a", "b", "c", "skipped"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	paths, errs := watching(t, tree, func(p Path) bool { return p == "skipped" })
	if err := <-errs; !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "fs.inotify.max_user_watches=") {
		t.Errorf("Watch says %v, want what to do", err)
	}
	for range 3 { // set up, and by the clock
		await(t, paths, "")
	}
	if err := os.Remove(filepath.Join(dir, "c")); err != nil {
		t.Fatal(err)
	}
	await(t, paths, "c", "")
	write(t, filepath.Join(dir, "b/f"), "x")
	await(t, paths, "b/f")
	select {
	case err := <-errs:
		t.Errorf("Watch says again: %v", err)
	default:
	}
}
