package node

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/p2p"
)

// sample has something in each field that is kept.
func sample() kept {
	return kept{
		Version: keptVersion, Name: "Ada's laptop", Person: "Ada", Port: 20123, TrashDays: 30,
		Mailbox: &keptMailbox{Address: "ada@a.example", IMAP: "i:993", SMTP: "s:465", User: "u", Password: "p", CA: []byte("pem")},
		Invitations: []invitation{{
			Direction: app.Sent, State: invOpen, With: "bob@b.example", Via: p2p.ViaWords, Token: tokenKey{1}, Salt: tokenKey{2}, PSK: key{3},
			Words: "six words", Created: time.Unix(1, 0).UTC(), Expires: time.Unix(2, 0).UTC(), Folders: []keptShare{{ID: key{4}, Role: roleReadOnly}},
		}},
		Peers:   []keptPeer{keepPeer(p2p.Record{Peer: p2p.PeerID{5}, T: [32]byte{6}, Pairwise: p2p.Secret{7}, Via: p2p.ViaLink, Role: p2p.Answerer, State: p2p.Paired, Created: time.Unix(3, 0).UTC()})},
		Folders: []keptFolder{{ID: key{8}, Name: "Photos", Path: "/p", Role: roleReadWrite, Members: []keptMember{{Peer: key{5}, Role: roleReadOnly, Joined: true}}}},
	}
}

func TestKeeperSurvivesReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	if _, err := openKeeper(path, sample); err != nil {
		t.Fatal(err)
	}
	k, err := openKeeper(path, func() kept { t.Error("began anew over a state that is there"); return kept{} })
	if err != nil {
		t.Fatal(err)
	}
	if got := k.view(); !reflect.DeepEqual(got, sample()) {
		t.Errorf("view after reopening = %+v, want %+v", got, sample())
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("state file: %v, %v, want mode 0600", st.Mode(), err)
	}
}

func TestKeeperUpdateIsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.json")
	k, err := openKeeper(path, sample)
	if err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	err = k.update(func(s *kept) error {
		s.Name = "changed"
		s.Folders[0].Members[0].Joined = false
		return boom
	})
	if !errors.Is(err, boom) || !reflect.DeepEqual(k.view(), sample()) {
		t.Errorf("update that failed: %v, view %+v", err, k.view())
	}
	if err := os.RemoveAll(dir); err != nil { // a disk that takes nothing
		t.Fatal(err)
	}
	if err := k.update(func(s *kept) error { s.Name = "changed"; return nil }); err == nil || k.view().Name != sample().Name {
		t.Errorf("update without a disk: %v, name %q", err, k.view().Name)
	}
}

func TestKeeperRefusesWhatItCanNotRead(t *testing.T) {
	for name, content := range map[string]string{
		"damaged": `{"version":1,"name":`,
		"newer":   `{"version":99}`,
		"bad key": `{"version":1,"peers":[{"peer":"zz"}]}`,
	} {
		path := filepath.Join(t.TempDir(), "state.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openKeeper(path, sample); err == nil {
			t.Errorf("openKeeper(%s) took it", name)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != content {
			t.Errorf("openKeeper(%s) changed the file: %q, %v", name, b, err)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	s := sample()
	for _, v := range []any{s.Invitations[0].PSK, s.Invitations[0].Token, s.Peers[0].Pairwise, s.Peers[0].record().Pairwise} {
		if got := strings.TrimSpace(sprint(v)); got != "*** ***" {
			t.Errorf("%T prints %q", v, got)
		}
	}
}

func TestFinishedPairingForgetsSecrets(t *testing.T) {
	s := sample()
	s.finish(keptPeer{Peer: key{5}, T: key{9}, Token: tokenKey{1}})
	inv := s.Invitations[0]
	if inv.State != invUsed || inv.Words != "" || inv.PSK != (key{}) {
		t.Errorf("after finish: state %s, words %q, psk kept: %v", inv.State, inv.Words, inv.PSK != key{})
	}
	if len(s.Peers) != 0 {
		t.Errorf("after finish: %d older records of the peer are left", len(s.Peers))
	}
}
