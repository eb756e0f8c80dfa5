package discovery

import (
	"context"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestSystemNotices: in a network namespace of its own, the kernel tells of an
// address that comes and of one that goes.
func TestSystemNotices(t *testing.T) {
	run := inNamespace(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	heard, ended := make(chan link, 64), make(chan error, 1)
	run(func() {
		f, err := openNetlink()
		if err != nil {
			t.Error(err)
			cancel()
			ended <- err
			return
		}
		go func() { ended <- hearNetlink(ctx, f, func(lost link) { heard <- lost }) }()
	})
	ip := func(args ...string) {
		run(func() {
			if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
				t.Errorf("ip %v: %v: %s", args, err, out)
			}
		})
	}
	next := func(what string, want func(link) bool) {
		t.Helper()
		for {
			select {
			case l := <-heard:
				if want(l) {
					return
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("no notice in 10 s: %s", what)
			}
		}
	}
	ip("address", "add", "192.0.2.7/24", "dev", "lo")
	next("an address came", func(link) bool { return true })
	ip("address", "del", "192.0.2.7/24", "dev", "lo")
	next("the address of link 1 went", func(l link) bool { return l == 1 })
	cancel()
	<-ended
}

// inNamespace makes a network namespace and returns what runs a function in
// it. It skips the test where that is not allowed.
func inNamespace(t *testing.T) (run func(func())) {
	t.Helper()
	work, made := make(chan func()), make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		made <- unix.Unshare(unix.CLONE_NEWNET)
		for f := range work {
			f()
		}
	}()
	t.Cleanup(func() { close(work) })
	if err := <-made; err != nil {
		t.Skipf("network namespaces: %v", err)
	}
	return func(f func()) {
		done := make(chan struct{})
		work <- func() { defer close(done); f() }
		<-done
	}
}
