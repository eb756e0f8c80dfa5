package node

import (
	"context"
	"net/netip"
	"path/filepath"
	"testing"

	"foldpost/app"
	"foldpost/app/apptest"
)

// TestContract: a node on a real socket and disk keeps what app promises.
func TestContract(t *testing.T) {
	apptest.TestService(t, func(t *testing.T) app.Service {
		ready := make(chan struct{})
		n, err := New(Config{
			Home: filepath.Join(t.TempDir(), "home"), Version: "test",
			Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
			Ready:  func() { close(ready) },
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error)
		go func() { ended <- n.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run = %v", err)
			}
		})
		<-ready
		return n
	})
}
