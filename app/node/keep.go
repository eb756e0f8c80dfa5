package node

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"foldpost/app"
	"foldpost/p2p"
)

// kept is everything of a node that outlives a restart, but the folders'
// indexes. It is written as a whole, atomically: what changes together in one
// update is on disk together or not at all.
type kept struct {
	Version     int          `json:"version"`
	Name        string       `json:"name"`             // of this device
	Person      string       `json:"person,omitempty"` // its user, as shown in letters
	Port        uint16       `json:"port"`             // drawn once
	TrashDays   int          `json:"trash_days"`
	Mailbox     *keptMailbox `json:"mailbox,omitempty"`
	Invitations []invitation `json:"invitations,omitempty"`
	Peers       []keptPeer   `json:"peers,omitempty"`
	Folders     []keptFolder `json:"folders,omitempty"`
	Declined    []declined   `json:"declined,omitempty"`
	Seen        []seenLetter `json:"seen,omitempty"`
	Paused      *pause       `json:"paused,omitempty"` // everything

	// Of the window; "" is the first of what there is.
	Theme    string `json:"theme,omitempty"`
	Language string `json:"language,omitempty"`
	Size     string `json:"size,omitempty"`
	Quiet    bool   `json:"quiet,omitempty"` // no notifications

	LimitUp   int `json:"limit_up,omitempty"` // KiB per second; 0: none
	LimitDown int `json:"limit_down,omitempty"`

	STUN      string      `json:"stun,omitempty"`       // servers, HOST:PORT by spaces
	NoCarry   bool        `json:"no_carry,omitempty"`   // no letters of others
	Visible   string      `json:"visible,omitempty"`    // in local networks; "": to everyone while pairing
	NoMapping bool        `json:"no_mapping,omitempty"` // routers are not asked for a port
	Mapping   keptMapping `json:"mapping,omitzero"`

	TURN keptTURN `json:"turn,omitzero"`

	RelayMB int `json:"relay_mb,omitempty"` // MiB an hour for two devices of others; 0: the usual, below: no bound
	RelayKB int `json:"relay_kb,omitempty"` // KiB a second for all of them; the same

	Auto []time.Time `json:"auto,omitempty"` // when the last mails left that no person decided on
}

const keptVersion = 1

// A pause lasts until a time, or until resumed where that is zero.
type pause struct {
	Until time.Time `json:"until,omitzero"`
}

func (p *pause) active(now time.Time) bool {
	return p != nil && (p.Until.IsZero() || now.Before(p.Until))
}

// keptMailbox is the account with its password, unless the system's keyring has
// that: the file is readable by its owner alone.
type keptMailbox struct {
	Address  string `json:"address"`
	IMAP     string `json:"imap"`
	SMTP     string `json:"smtp"`
	User     string `json:"user"`
	Password string `json:"password"`
	Entry    string `json:"keyring,omitempty"` // account of the system's keyring that has the password in place of this file
	CA       []byte `json:"ca,omitempty"`
}

// keptPeer is a record of a pairing. There may be two for one peer while a
// new pairing is not confirmed.
type keptPeer struct {
	Peer     key              `json:"peer"`
	Public   key              `json:"public"`
	Static   key              `json:"static"`
	T        key              `json:"t"`
	Pairwise key              `json:"pairwise"`
	Via      p2p.Via          `json:"via"`
	Role     p2p.Role         `json:"role"`
	Token    tokenKey         `json:"token"`
	Metadata p2p.Metadata     `json:"metadata"`
	State    p2p.PairingState `json:"state"`
	Again    bool             `json:"again,omitempty"`
	Created  time.Time        `json:"created"`
	Owner    string           `json:"owner,omitempty"` // typed here, or the address whose letter was opened
	LastSeen time.Time        `json:"last_seen,omitzero"`
	Last     []string         `json:"last,omitempty"`   // addresses that worked
	Mapped   []string         `json:"mapped,omitempty"` // addresses that its routers forward, as it said last over a link
	Told     []string         `json:"told,omitempty"`   // addresses in its last letter, for as long as none worked
	Mail     string           `json:"mail,omitempty"`   // its mail address, as told over a link
	Seek     seeking          `json:"seek,omitzero"`
	Offset   time.Duration    `json:"offset,omitempty"`  // its clock minus ours, roughly, at the last link
	Relay    string           `json:"relay,omitempty"`   // on or off, if the user said so
	Outside  string           `json:"outside,omitempty"` // where a server that relays took its packets from
	Network  p2p.Mapping      `json:"network,omitempty"` // as it said last, over a link or in a letter
}

// keptFolder is a folder that is kept in sync here.
type keptFolder struct {
	ID      key          `json:"id"`
	Name    string       `json:"name"`
	Path    string       `json:"path"`
	Role    string       `json:"role"`            // ours
	Own     bool         `json:"own,omitempty"`   // made here: nobody can take our role
	Index   string       `json:"index,omitempty"` // the role that the index was made with
	Members []keptMember `json:"members,omitempty"`
	Paused  *pause       `json:"paused,omitempty"`
}

// keptMember is a device that this user shares a folder with.
type keptMember struct {
	Peer   key      `json:"peer"`
	Role   string   `json:"role"`
	Gives  string   `json:"gives,omitempty"` // our role, as the member shares the folder with us
	Joined bool     `json:"joined,omitempty"`
	Token  tokenKey `json:"token,omitzero"` // of the invitation it came by
}

// declined is an offer that the user does not want.
type declined struct {
	Peer   key `json:"peer"`
	Folder key `json:"folder"`
}

// seenLetter is an invitation by mail that the user has decided on: it stays in
// the mailbox and would come up again.
type seenLetter struct {
	ID app.InvitationID `json:"id"`
	At time.Time        `json:"at"`
}

// The roles as they are kept and shown.
const (
	roleReadWrite = "read-write"
	roleReadOnly  = "read-only"
)

// key is 32 bytes, in hex on disk, hidden in logs.
type key [32]byte

func (k key) MarshalText() ([]byte, error)  { return []byte(hex.EncodeToString(k[:])), nil }
func (k *key) UnmarshalText(b []byte) error { return unhex(k[:], b) }
func (key) String() string                  { return "***" }
func (key) GoString() string                { return "***" }

// tokenKey is 16 bytes, in hex on disk, hidden in logs.
type tokenKey [16]byte

func (k tokenKey) MarshalText() ([]byte, error)  { return []byte(hex.EncodeToString(k[:])), nil }
func (k *tokenKey) UnmarshalText(b []byte) error { return unhex(k[:], b) }
func (tokenKey) String() string                  { return "***" }
func (tokenKey) GoString() string                { return "***" }

func unhex(to, text []byte) error {
	if hex.DecodedLen(len(text)) != len(to) {
		return fmt.Errorf("%d hex digits, want %d", len(text), 2*len(to))
	}
	_, err := hex.Decode(to, text)
	return err
}

func keepPeer(r p2p.Record) keptPeer {
	return keptPeer{
		Peer: key(r.Peer), Public: r.Public, Static: r.Static, T: r.T, Pairwise: key(r.Pairwise),
		Via: r.Via, Role: r.Role, Token: tokenKey(r.Token), Metadata: r.Metadata, State: r.State, Again: r.Again, Created: r.Created,
	}
}

func (k keptPeer) record() p2p.Record {
	return p2p.Record{
		Peer: p2p.PeerID(k.Peer), Public: k.Public, Static: k.Static, T: k.T, Pairwise: p2p.Secret(k.Pairwise),
		Via: k.Via, Role: k.Role, Token: p2p.Token(k.Token), Metadata: k.Metadata, State: k.State, Again: k.Again, Created: k.Created,
	}
}

// A keeper holds the kept state in memory and on disk.
type keeper struct {
	path string

	mu  sync.Mutex
	now kept // never handed out: view and update copy
}

// openKeeper reads the state file of a home, or begins a new one with first.
func openKeeper(path string, first func() kept) (*keeper, error) {
	k := &keeper{path: path}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		k.now = first()
		return k, k.write(k.now)
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	if err := json.Unmarshal(b, &k.now); err != nil {
		return nil, fmt.Errorf("read state %s: %w; move the file away to begin anew (folders stay, devices must pair again)", path, err)
	}
	if k.now.Version > keptVersion {
		return nil, fmt.Errorf("state %s was written by a newer version of this program: install that one", path)
	}
	return k, nil
}

// view returns a copy of the state.
func (k *keeper) view() kept {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now.clone()
}

// update changes the state by f and has it on disk when it returns nil. An
// error, of f or of the disk, leaves memory and disk as they were.
func (k *keeper) update(f func(*kept) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	next := k.now.clone()
	if err := f(&next); err != nil {
		return err
	}
	if err := k.write(next); err != nil {
		return err
	}
	k.now = next
	return nil
}

// updateIf is update for changes that may turn out to be none: nothing is
// written then.
func (k *keeper) updateIf(f func(*kept) bool) error {
	err := k.update(func(s *kept) error {
		if !f(s) {
			return errUnchanged
		}
		return nil
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

var errUnchanged = errors.New("unchanged")

func (k *keeper) write(s kept) error {
	s.Version = keptVersion
	b, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return writeFile(k.path, b)
}

func (s kept) clone() kept {
	s.Invitations = slices.Clone(s.Invitations)
	for i := range s.Invitations {
		s.Invitations[i].Folders = slices.Clone(s.Invitations[i].Folders)
	}
	s.Peers = slices.Clone(s.Peers)
	s.Declined = slices.Clone(s.Declined)
	s.Seen = slices.Clone(s.Seen)
	s.Folders = slices.Clone(s.Folders)
	for i := range s.Folders {
		s.Folders[i].Members = slices.Clone(s.Folders[i].Members)
	}
	return s
}

// writeFile replaces a file of mode 0600 atomically and durably.
func writeFile(path string, b []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".write-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return syncDir(dir)
}

// peer returns the record that counts for a peer: the newest that the other
// side may rely on, else a pending one.
func (s *kept) peer(id p2p.PeerID) *keptPeer {
	var best *keptPeer
	for i := range s.Peers { // the newest is the last
		p := &s.Peers[i]
		if p.Peer == key(id) && (best == nil || p.State != p2p.Pending || best.State == p2p.Pending) {
			best = p
		}
	}
	return best
}

func (s *kept) folder(id key) *keptFolder {
	for i := range s.Folders {
		if s.Folders[i].ID == id {
			return &s.Folders[i]
		}
	}
	return nil
}

func (f *keptFolder) member(id p2p.PeerID) *keptMember {
	for i := range f.Members {
		if f.Members[i].Peer == key(id) {
			return &f.Members[i]
		}
	}
	return nil
}
