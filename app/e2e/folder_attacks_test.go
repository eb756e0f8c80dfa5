package e2e

import (
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/zeebo/blake3"

	"foldpost/app"
	"foldpost/app/folder"
	"foldpost/mail"
	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// Frames of PROTOCOL.md, "Streams", as somebody else would write them.
type (
	openFrame struct {
		Folder folder.ID     `wire:"1"`
		What   uint64        `wire:"2"` // 1 feed, 2 read
		After  folder.Cursor `wire:"3"`
	}
	statusFrame struct {
		Status uint64 `wire:"1"` // 1 ok, 2 refused, 3 gone
	}
)

const (
	openFeed, openRead    = 1, 2
	isOK, isRefused, gone = 1, 2, 3
)

// opens opens a stream for a folder and returns what it is told.
func (s *stranger) opens(at p2p.PeerID, id folder.ID, what uint64) (p2p.Stream, uint64) {
	s.w.t.Helper()
	st, err := s.Open(s.w.t.Context(), at, "folder/1")
	s.w.must(err)
	s.w.must(wire.Write(st, wire.MaxControl, openFrame{Folder: id, What: what}))
	return st, s.status(st)
}

// asks wants content on a stream that was opened for reading.
func (s *stranger) asks(st p2p.Stream, w folder.Want) uint64 {
	s.w.t.Helper()
	s.w.must(wire.Write(st, wire.MaxControl, w))
	return s.status(st)
}

func (s *stranger) status(st p2p.Stream) uint64 {
	s.w.t.Helper()
	var f statusFrame
	s.w.must(st.SetDeadline(time.Now().Add(10 * time.Second)))
	s.w.must(wire.Read(st, wire.MaxControl, &f))
	return f.Status
}

// byLink pairs the stranger with a device by a link of its user.
func (s *stranger) byLink(d *device) {
	s.w.t.Helper()
	inv, err := d.Invite(s.w.t.Context(), app.InviteRequest{})
	s.w.must(err)
	link, err := mail.ParseLink(inv.Link)
	s.w.must(err)
	done := make(chan error, 1)
	go func() { done <- s.uses(link.Payload.Invitation(link.PSK(), p2p.ViaLink), d) }()
	d.letIn()
	s.w.must(<-done)
	s.linked(d.id())
}

// TestOnlyMembersAreServed: a paired device that is no member learns nothing
// of a folder whose id it knows, not even that there is one. A member reads
// what the folder shows and nothing else, and only for as long as it is one.
func TestOnlyMembersAreServed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada := w.device("ada")
		s := &share{w: w, name: "Plans", dirs: map[*device]string{}}
		s.dirs[ada], _ = ada.dir("Plans")
		other := &share{w: w, name: "Diary", dirs: map[*device]string{}}
		other.dirs[ada], _ = ada.dir("Diary")
		for _, f := range []*share{s, other} {
			shared, err := ada.Share(t.Context(), app.ShareRequest{Dir: f.dirs[ada]})
			w.must(err)
			f.id = shared.Folder
		}
		files(s.on(ada), map[string]string{"plan": "p", "old": "deleted soon", ".foldpostignore": "hidden*\n", "hidden": "h"})
		files(other.on(ada), map[string]string{"diary": "dear diary"})
		w.must(ada.Rescan(t.Context(), s.id))
		w.must(ada.Rescan(t.Context(), other.id))
		s.on(ada).Remove("old")
		time.Sleep(10 * time.Second) // simulated
		w.must(ada.Rescan(t.Context(), s.id))

		m := w.stranger(p2p.Metadata{Name: "bob's laptop", Address: "bob@b.example"})
		m.byLink(ada)
		var id, diary folder.ID
		w.unhex(id[:], ada.steal().Folders[0].ID)
		w.unhex(diary[:], ada.steal().Folders[1].ID)
		for name, id := range map[string]folder.ID{"a folder": id, "another": diary, "none": {1, 2, 3}} {
			for _, what := range []uint64{openFeed, openRead} {
				if st, got := m.opens(ada.id(), id, what); got != isRefused {
					t.Errorf("who is no member opens %s (%d) and is told %d, want %d", name, what, got, isRefused)
				} else if n, err := io.ReadAll(st); err == nil && len(n) > 0 {
					t.Errorf("after the refusal came %d bytes", len(n))
				}
			}
		}

		device := app.DeviceID(m.identity.ID().String())
		_, err := ada.Share(t.Context(), app.ShareRequest{Dir: s.dirs[ada], Devices: []app.DeviceID{device}})
		w.must(err)
		time.Sleep(time.Second) // simulated
		feed := m.asMember(ada, id)
		m.asNobody(ada, s, id, feed)
	})
}

// asMember reads a folder and asks for what it does not show. It returns the
// feed, which stays open.
func (m *stranger) asMember(ada *device, id folder.ID) p2p.Stream {
	w, t := m.w, m.w.t
	t.Helper()
	feed, got := m.opens(ada.id(), id, openFeed)
	if got != isOK {
		t.Fatalf("a member opens the feed and is told %d", got)
	}
	rows := map[folder.Path]folder.Entry{}
	for end := false; !end; {
		var b folder.Batch
		w.must(wire.Read(feed, wire.MaxIndex, &b))
		for _, r := range b.Rows {
			rows[r.Path] = r.Entry
		}
		end = b.Head != nil && !b.Head.Busy
	}
	if _, ok := rows["hidden"]; ok || len(rows["plan"].S) != 1 {
		t.Errorf("the feed has %+v, want plan and not what is ignored", rows)
	}
	reads, got := m.opens(ada.id(), id, openRead)
	if got != isOK {
		t.Fatalf("a member opens for reading and is told %d", got)
	}
	for _, c := range []struct {
		name string
		want folder.Want
	}{
		{"deleted", folder.Want{Path: "old", Content: blake3.Sum256([]byte("deleted soon"))}},
		{"ignored", folder.Want{Path: "hidden", Content: blake3.Sum256([]byte("h"))}},
		{"of another folder", folder.Want{Path: "diary", Content: blake3.Sum256([]byte("dear diary"))}},
		{"of another folder, at a path of this one", folder.Want{Path: "plan", Content: blake3.Sum256([]byte("dear diary"))}},
		{"the marker", folder.Want{Path: ".foldpost/folder", Content: blake3.Sum256([]byte("x"))}},
		{"outside", folder.Want{Path: "../Diary/diary", Content: blake3.Sum256([]byte("dear diary"))}},
	} {
		if got := m.asks(reads, c.want); got != gone && got != isRefused {
			t.Errorf("a member asks for content that is %s and is told %d", c.name, got)
		}
	}
	if got := m.asks(reads, folder.Want{Path: "plan", Content: rows["plan"].S[0].Content}); got != isOK {
		t.Errorf("a member asks for a file of the folder and is told %d, want %d", got, isOK)
	}
	return feed
}

// asNobody asks again after membership and pairing ended.
func (m *stranger) asNobody(ada *device, s *share, id folder.ID, feed p2p.Stream) {
	w, t := m.w, m.w.t
	t.Helper()
	device := app.DeviceID(m.identity.ID().String())
	w.must(ada.Unshare(t.Context(), s.id, device))
	time.Sleep(time.Second) // simulated
	s.on(ada).Write("after", "secret")
	w.must(ada.Rescan(t.Context(), s.id))
	w.must(feed.SetDeadline(time.Now().Add(time.Minute)))
	for {
		var b folder.Batch
		if err := wire.Read(feed, wire.MaxIndex, &b); err != nil {
			break // ended, or nothing came
		}
		if slices.ContainsFunc(b.Rows, func(r folder.Announced) bool { return r.Path == "after" }) {
			t.Error("who is no member any more still hears of new files")
		}
	}
	if _, got := m.opens(ada.id(), id, openFeed); got != isRefused {
		t.Errorf("who is no member any more opens the feed and is told %d", got)
	}
	again, err := m.Open(t.Context(), ada.id(), "folder/1")
	w.must(err)

	w.must(ada.Unpair(t.Context(), device))
	w.until("unpaired", time.Minute, func() error {
		if _, ok := m.Link(ada.id()); ok {
			return errors.New("still linked")
		}
		return nil
	})
	if err := wire.Write(again, wire.MaxControl, openFrame{Folder: id, What: openFeed}); err == nil {
		t.Error("an open stream outlives unpairing")
	}
	time.Sleep(5 * time.Minute) // simulated
	if _, ok := m.Link(ada.id()); ok {
		t.Error("linked again after unpairing")
	}
}
