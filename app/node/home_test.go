package node

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/app"
	"foldpost/app/folder"
	"foldpost/p2p"
)

// sleeping makes a node that does not run: calls work on what is kept.
func sleeping(t *testing.T) *Node {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n, err := New(Config{Home: filepath.Join(t.TempDir(), "home"), Conns: []net.PacketConn{c}, Addresses: func() []netip.AddrPort { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(n.lock.Unlock(), c.Close()); err != nil {
			t.Error(err)
		}
	})
	return n
}

// offers has a connected peer offer a folder.
func (n *Node) offered(id p2p.PeerID, o offerFrame) app.FolderID {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.peers[id] = &peer{id: id, heard: &sharesFrame{Offers: []offerFrame{o}}, shares: make(chan struct{}, 1)}
	return folderID(key(o.ID))
}

// TestUnpairedStaysUnpaired: the other side's late yes brings nobody back.
func TestUnpairedStaysUnpaired(t *testing.T) {
	n := sleeping(t)
	r := p2p.Record{Peer: p2p.PeerID{1}, T: [32]byte{2}, Role: p2p.Answerer, Token: p2p.Token{3}, Via: p2p.ViaLink, State: p2p.Pending}
	if err := (manager{n}).PairingSave(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := n.Unpair(t.Context(), deviceID(key(r.Peer))); err != nil {
		t.Fatal(err)
	}
	r.State = p2p.Paired
	if err := (manager{n}).PairingSave(t.Context(), r); err == nil {
		t.Errorf("PairingSave(paired) after Unpair = nil, want an error")
	}
	if got := len(n.keep.view().Peers); got != 0 {
		t.Errorf("after Unpair and a late save: %d records, want 0", got)
	}
}

// TestWithdrawnWhileSaving: withdrawing an accepted invitation also ends the
// half of a pairing that is kept of it.
func TestWithdrawnWhileSaving(t *testing.T) {
	n := sleeping(t)
	inv := invitation{Direction: app.Received, State: invOpen, Token: tokenKey{3}, Expires: time.Now().Add(time.Hour)}
	if _, err := n.take(inv, nil); err != nil {
		t.Fatal(err)
	}
	r := p2p.Record{Peer: p2p.PeerID{1}, Role: p2p.Answerer, Token: p2p.Token{3}, State: p2p.Pending}
	if err := (manager{n}).PairingSave(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := n.Withdraw(t.Context(), inv.id()); err != nil {
		t.Fatal(err)
	}
	if _, ok := (manager{n}).PairingStatus(r.Peer, r.T); ok {
		t.Errorf("after Withdraw the pending record is left")
	}
}

// TestJoinTwiceAtOnce: two calls for one offer make one folder.
func TestJoinTwiceAtOnce(t *testing.T) {
	n := sleeping(t)
	offer := n.offered(p2p.PeerID{1}, offerFrame{ID: folder.ID{9}, Name: "Photos", Role: 1})
	base := t.TempDir()
	var wg sync.WaitGroup
	for _, dir := range []string{"a", "b", "c", "d", "e", "f"} {
		wg.Go(func() { n.Join(t.Context(), offer, filepath.Join(base, dir)) })
	}
	wg.Wait()
	if got := len(n.keep.view().Folders); got != 1 {
		t.Errorf("after 6 joins at once: %d folders, want 1", got)
	}
}

// TestOfferOfSeveral: a yes to one device's offer lets in that device alone.
func TestOfferOfSeveral(t *testing.T) {
	n := sleeping(t)
	ada, mallory := p2p.PeerID{1}, p2p.PeerID{2}
	offer := n.offered(ada, offerFrame{ID: folder.ID{9}, Name: "Photos", Role: 2})
	n.offered(mallory, offerFrame{ID: folder.ID{9}, Name: "Recipes", Role: 1})
	dir := filepath.Join(t.TempDir(), "Photos")
	if err := n.Join(t.Context(), offer, dir); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("Join of what two offer = %v, want code usage", err)
	}
	if err := n.Join(t.Context(), offer+app.FolderID("-"+ada.Short()), dir); err != nil {
		t.Fatal(err)
	}
	s := n.keep.view()
	f := s.folder(key{9})
	if len(f.Members) != 1 || f.Members[0].Peer != key(ada) || f.Role != roleReadOnly {
		t.Errorf("members %+v, role %s; want ada alone, and to receive only", f.Members, f.Role)
	}
	if err := n.Join(t.Context(), offer, filepath.Join(filepath.Dir(dir), "Recipes")); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("Join of a folder that is here, as another one = %v, want code usage", err)
	}
	s = n.keep.view()
	if f := s.folder(key{9}); len(f.Members) != 1 {
		t.Errorf("after a yes to what looked like another folder: members %+v, want ada alone", f.Members)
	}
	if list := n.openOffers(&s); len(list) != 1 || list[0].shown().Name != "Photos" {
		t.Errorf("offers %+v, want mallory's by the name that the folder has here", list)
	}
	if err := n.Join(t.Context(), offer, dir); err != nil { // mallory's is the only one left
		t.Fatal(err)
	}
	s = n.keep.view()
	if f := s.folder(key{9}); len(f.Members) != 2 || f.Role != roleReadWrite {
		t.Errorf("after a second yes: members %+v, role %s", f.Members, f.Role)
	}
}

// TestUnshareAtOnce: when the call returns nobody is served any more, whatever
// the loop is busy with.
func TestUnshareAtOnce(t *testing.T) {
	n := sleeping(t)
	f := folder.New(folder.Config{ID: folder.ID{9}})
	id := p2p.PeerID{1}
	err := n.keep.update(func(s *kept) error {
		s.Peers = append(s.Peers, keptPeer{Peer: key(id), State: p2p.Paired})
		s.Folders = append(s.Folders, keptFolder{ID: key{9}, Name: "Photos", Role: roleReadWrite, Members: []keptMember{{Peer: key(id), Role: roleReadWrite}}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	n.folders[key{9}] = &running{folder: f, ended: make(chan struct{})}
	n.tellMembers()
	if _, err := n.servedTo(id)(folder.ID{9}); err != nil {
		t.Fatalf("serve a member: %v", err)
	}
	if err := n.Unshare(t.Context(), folderID(key{9}), deviceID(key(id))); err != nil {
		t.Fatal(err)
	}
	if _, err := n.servedTo(id)(folder.ID{9}); !errors.Is(err, folder.ErrNotMember) {
		t.Errorf("serve after Unshare: %v, want %v", err, folder.ErrNotMember)
	}
}

// TestFolderThatCanNotRunIsTriedWithPauses: each try costs, and is logged.
func TestFolderThatCanNotRunIsTriedWithPauses(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		n := &Node{
			cfg:  Config{OpenTree: func(string) (folder.Tree, error) { tries++; return nil, os.ErrPermission }},
			keep: &keeper{now: kept{Folders: []keptFolder{{ID: key{9}, Path: dir}}}}, folders: map[key]*running{},
			kicked: make(chan struct{}, 1), begun: make(chan struct{}),
		}
		for range 6000 { // ten minutes of a busy loop
			n.matchFolders(t.Context())
			time.Sleep(100 * time.Millisecond)
		}
		if tries < 5 || tries > 15 {
			t.Errorf("a folder that can not run was tried %d times in 10 minutes, want 5 to 15", tries)
		}
	})
}

// TestHomeOfSomethingElse: a directory that was not made for it is left as it
// is.
func TestHomeOfSomethingElse(t *testing.T) {
	for _, tt := range []struct {
		has  string
		want bool
	}{
		{"", true},
		{"lock", true},
		{".write-17", true}, // killed at the first start
		{"photo.jpg", false},
		{"identity", true},
	} {
		home := filepath.Join(t.TempDir(), "home")
		if err := os.Mkdir(home, 0o755); err != nil {
			t.Fatal(err)
		}
		if tt.has != "" {
			if err := os.WriteFile(filepath.Join(home, tt.has), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := checkHome(home)
		if (err == nil) != tt.want {
			t.Errorf("checkHome with %q = %v, want ok=%t", tt.has, err, tt.want)
		}
	}
	home := filepath.Join(t.TempDir(), "home")
	if err := os.MkdirAll(filepath.Join(home, "mine"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{Home: home}); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("New in a directory of something else: %v, want a usage error", err)
	}
	if st, err := os.Stat(home); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("New changed the mode of a directory of something else: %v, %v", st.Mode(), err)
	}
}

// TestHomeIsSwept: what a killed process left may hold secrets.
func TestHomeIsSwept(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{"identity", ".write-1", "compare-2", "state.json"} {
		if err := os.WriteFile(filepath.Join(home, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sweepHome(home)
	got, _ := filepath.Glob(filepath.Join(home, "*"))
	for i := range got {
		got[i] = filepath.Base(got[i])
	}
	if want := []string{"identity", "state.json"}; !slices.Equal(got, want) {
		t.Errorf("after sweepHome: %v, want %v", got, want)
	}
}
