package e2e

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"foldpost/p2p"
)

// A stranger is somebody with an endpoint and without the program: he says of
// himself what he likes and opens what streams he likes. He implements
// [p2p.Manager].
type stranger struct {
	*p2p.Endpoint
	w        *world
	identity *p2p.Identity
	claims   p2p.Metadata
	serve    func(context.Context, p2p.Stream) // folder streams; nil: refuses them
	contact  func(p2p.Stream)                  // the same of contact streams
	relay    func(p2p.PeerID, p2p.Stream)      // and of relay streams
	asked    func()                            // by a device nearby

	mu      sync.Mutex
	records map[p2p.PeerID]p2p.Record
}

// stranger starts an endpoint at mallory's address.
func (w *world) stranger(claims p2p.Metadata) *stranger {
	w.t.Helper()
	return w.strangerAt(netip.MustParseAddrPort(hosts["mallory"]), claims)
}

func (w *world) strangerAt(addr netip.AddrPort, claims p2p.Metadata) *stranger {
	w.t.Helper()
	c, unplug := w.socket(addr)
	s := &stranger{w: w, identity: p2p.NewIdentity(), claims: claims, records: map[p2p.PeerID]p2p.Record{}}
	s.Endpoint = p2p.New(p2p.Config{Identity: s.identity, Conns: []net.PacketConn{c}, Manager: s, Protocols: []string{"shares/1", "folder/1", "contact/1", "relay/1"}})
	s.SetAddresses([]p2p.Candidate{{Addr: addr, Kind: p2p.Host, Source: "own"}})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	w.t.Cleanup(func() { cancel(); <-ended; unplug() })
	return s
}

// uses dials who made an invitation, at the address of a device.
func (s *stranger) uses(inv p2p.Invitation, at *device) error {
	s.w.t.Helper()
	s.w.must(s.AddCandidate(p2p.Candidate{Peer: inv.Peer, Addr: at.addr, Kind: p2p.Host, Source: "link"}, p2p.Metadata{}))
	ctx, cancel := context.WithTimeout(s.w.t.Context(), time.Minute)
	defer cancel()
	_, err := s.Pair(ctx, inv)
	return err
}

// linked waits for a link with a device.
func (s *stranger) linked(with p2p.PeerID) {
	s.w.t.Helper()
	s.w.until("stranger linked", time.Minute, func() error {
		if _, ok := s.Link(with); !ok {
			return errors.New("no link")
		}
		return nil
	})
}

func (s *stranger) Metadata() p2p.Metadata { return s.claims }

func (s *stranger) Record(id p2p.PeerID) (p2p.Record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[id]
	return r, ok
}

func (s *stranger) PairingKeys(p2p.Token) (p2p.PairingKeys, error) {
	return p2p.PairingKeys{}, &p2p.PairingError{Code: p2p.PairingRefused}
}

func (s *stranger) PairingSave(_ context.Context, r p2p.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[r.Peer] = r
	return nil
}

func (s *stranger) PairingStatus(id p2p.PeerID, t [32]byte) (p2p.Record, bool) {
	r, ok := s.Record(id)
	return r, ok && r.T == t
}

func (s *stranger) PeerPairedRollback(r p2p.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, r.Peer)
}

func (s *stranger) AcceptStream(ctx context.Context, id p2p.PeerID, protocol string, st p2p.Stream) {
	if protocol == "folder/1" && s.serve != nil {
		s.serve(ctx, st)
		return
	}
	if protocol == "contact/1" && s.contact != nil {
		s.contact(st)
		return
	}
	if protocol == "relay/1" && s.relay != nil {
		s.relay(id, st)
		return
	}
	st.Reset(p2p.StreamRefused)
}

// NearbyRequest opens whatever comes.
func (s *stranger) NearbyRequest(context.Context, p2p.PairingRequest) error {
	if s.asked != nil {
		s.asked()
	}
	return nil
}

// NearbyWords says that all words are the same.
func (*stranger) NearbyWords(context.Context, p2p.PairingRequest, [3]string) error { return nil }

func (*stranger) NearbyEnded(p2p.NearbyEnd)                                    {}
func (*stranger) PeerDiscovered(p2p.PeerID, p2p.Metadata)                      {}
func (*stranger) PeerExpired(p2p.PeerID)                                       {}
func (*stranger) PairingWrong(p2p.Token)                                       {}
func (*stranger) PeerPairingRequest(context.Context, p2p.PairingRequest) error { return nil }
func (*stranger) PeerPaired(p2p.Record)                                        {}
func (*stranger) PeerConnected(p2p.PeerID)                                     {}
func (*stranger) PeerDisconnected(p2p.PeerID, error)                           {}

// A stolen home is what a thief reads of a device's disk.
type stolen struct {
	Mailbox     struct{ Password string }
	Invitations []struct{ Token, PSK, Secret, Words string }
	Peers       []struct{ Peer, Pairwise string }
	Folders     []struct{ ID, Name string }
}

func (d *device) steal() (s stolen) {
	d.w.t.Helper()
	b, err := os.ReadFile(filepath.Join(d.home, "state.json"))
	d.w.must(err)
	d.w.must(json.Unmarshal(b, &s))
	return s
}

// id is the device's name in the protocols.
func (d *device) id() p2p.PeerID {
	d.w.t.Helper()
	id, err := p2p.ParsePeerID(string(d.State().Device.ID))
	d.w.must(err)
	return id
}

func (w *world) unhex(to []byte, s string) {
	w.t.Helper()
	n, err := hex.Decode(to, []byte(s))
	w.must(err)
	if n != len(to) {
		w.t.Fatalf("%q: %d bytes, want %d", s, n, len(to))
	}
}
