package node

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"foldpost/app"
)

// startNode runs a node on a real socket and disk until the test or the
// returned function ends it.
func startNode(t *testing.T, c Config) (n *Node, end func()) {
	t.Helper()
	ready := make(chan struct{})
	c.Version, c.Ready = "test", func() { close(ready) }
	c.Listen = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	n, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := n.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
	}()
	end = func() { cancel(); <-ended }
	t.Cleanup(end)
	<-ready
	return n, end
}

// waitState waits until the node's state is as wanted.
func waitState(t *testing.T, n *Node, what string, ok func(app.State) bool) app.State {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // only if it hangs
	defer cancel()
	var last app.State
	for last = range n.Watch(ctx) {
		if ok(last) {
			return last
		}
	}
	t.Fatalf("never %s; the last state is %+v", what, last)
	return last
}

func sharedDir(t *testing.T, n *Node, dir string) app.FolderID {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	shared, err := n.Share(t.Context(), app.ShareRequest{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	waitState(t, n, "has the file", idleWith(1))
	return shared.Folder
}

func idleWith(files int) func(app.State) bool {
	return func(s app.State) bool {
		return len(s.Folders) == 1 && s.Folders[0].State == app.FolderIdle && s.Folders[0].Files == files
	}
}

// TestMove: a directory that was renamed is followed with its index, also by a
// node that was not running; nothing else is taken for it.
func TestMove(t *testing.T) {
	root := t.TempDir()
	root, err := filepath.EvalSymlinks(root)
	if err != nil {
		t.Fatal(err)
	}
	home, first, second := filepath.Join(root, "home"), filepath.Join(root, "first"), filepath.Join(root, "second")
	n, end := startNode(t, Config{Home: home})
	id := sharedDir(t, n, first)
	if err := n.Move(t.Context(), id, first); err != nil {
		t.Errorf("Move to where it is = %v", err)
	}
	stranger := filepath.Join(root, "stranger")
	if err := os.Mkdir(stranger, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{stranger, second, home, filepath.Join(first, "a")} {
		if err := n.Move(t.Context(), id, dir); err == nil {
			t.Errorf("Move(%s) = nil, want an error", dir)
		}
	}

	if err := os.Rename(first, second); err != nil {
		t.Fatal(err)
	}
	if err := n.Move(t.Context(), id, second); err != nil {
		t.Fatalf("Move(second) = %v", err)
	}
	if err := os.WriteFile(filepath.Join(second, "b"), []byte("later"), 0o600); err != nil {
		t.Fatal(err)
	}
	st := waitState(t, n, "goes on", idleWith(2))
	if f := st.Folders[0]; f.Path != second || f.Conflicts > 0 || len(st.Questions) > 0 {
		t.Errorf("after Move the folder is %+v, questions %+v, want it at %s without any", f, st.Questions, second)
	}
	end()

	third := filepath.Join(root, "third")
	if err := os.Rename(second, third); err != nil {
		t.Fatal(err)
	}
	n, _ = startNode(t, Config{Home: home})
	st = waitState(t, n, "is stopped", func(s app.State) bool { return s.Folders[0].State == app.FolderStopped })
	if f := st.Folders[0]; f.Cause != app.CauseRoot || !strings.HasPrefix(f.Problem, second+" is not there.") {
		t.Errorf("the folder says %q (%s), want that %s is not there", f.Problem, f.Cause, second)
	}
	if err := n.Move(t.Context(), id, third); err != nil {
		t.Fatalf("Move(third) = %v", err)
	}
	waitState(t, n, "goes on at the third place", idleWith(2))
}
