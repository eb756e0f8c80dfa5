package node

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"foldpost/app"
)

// aSwitch is an [Autostart] in memory.
type aSwitch struct{ on bool }

func (s *aSwitch) On() (bool, error) { return s.on, nil }
func (s *aSwitch) Set(on bool) error { s.on = on; return nil }

// TestReset: of a device nothing is left but its files, and it ends.
func TestReset(t *testing.T) {
	root := t.TempDir()
	home, dir := filepath.Join(root, "home"), filepath.Join(root, "Photos")
	login, forgotten := &aSwitch{}, 0
	n, end := startNode(t, Config{Home: home, Autostart: login, Forget: func() error { forgotten++; return nil }})
	ctx, answered := context.WithCancel(t.Context())
	sharedDir(t, n, dir)
	if _, err := n.Invite(ctx, app.InviteRequest{To: "bob@example.org", ByHand: true}); err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{app.SettingLogin: "on", "person": "Ada"} {
		if err := n.SetConfig(ctx, key, value); err != nil {
			t.Fatal(err)
		}
	}
	id := n.State().Device.ID
	for range 2 {
		if err := n.Reset(ctx); err != nil {
			t.Errorf("Reset = %v", err)
		}
	}
	if st := n.State(); len(st.Folders)+len(st.Devices)+len(st.Invitations)+len(st.Questions) > 0 {
		t.Errorf("after Reset the state is %+v, want nothing in it", st)
	}
	if login.on || forgotten == 0 {
		t.Errorf("after Reset start at login is %t, and the system was told %d times", login.on, forgotten)
	}
	answered()
	select {
	case <-n.ctx.Done():
	case <-time.After(30 * time.Second):
		t.Fatal("the node goes on after Reset")
	}
	end()
	if left, err := os.ReadDir(home); !os.IsNotExist(err) {
		t.Errorf("the home has %v, %v, want it gone", left, err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || !slices.EqualFunc(files, []string{"a"}, func(e os.DirEntry, name string) bool { return e.Name() == name }) {
		t.Errorf("the folder has %v, %v, want its file alone", files, err)
	}

	n, _ = startNode(t, Config{Home: home})
	if st := n.State(); st.Device.ID == id || len(st.Folders) > 0 {
		t.Errorf("the next start is %+v, want a new device", st)
	}
}
