package e2e

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zeebo/blake3"

	"foldpost/app"
	"foldpost/app/folder"
	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// sharesFrame is what devices tell each other about folders: PROTOCOL.md,
// "Shares". Offers are not used here.
type sharesFrame struct {
	Keeps []folder.ID `wire:"2,max=512"`
}

// keeps tells a device for as long as the test runs that the stranger takes
// part in a folder.
func (s *stranger) keeps(at p2p.PeerID, id folder.ID) {
	s.w.t.Helper()
	st, err := s.Open(s.w.t.Context(), at, "shares/1")
	s.w.must(err)
	s.w.must(wire.Write(st, wire.MaxControl, sharesFrame{Keeps: []folder.ID{id}}))
}

// A liar is a member that serves feeds of its own making: one after another,
// each until it is refused, the last for ever.
type liar struct {
	feeds   [][]folder.Announced
	content map[folder.Hash]string // what it sends for a hash
	next    atomic.Int32
	replica folder.ReplicaRecord
}

func (l *liar) serve(ctx context.Context, st p2p.Stream) {
	var o openFrame
	if wire.Read(st, wire.MaxControl, &o) != nil || wire.Write(st, wire.MaxControl, statusFrame{isOK}) != nil {
		return
	}
	if o.What == openFeed {
		n := min(int(l.next.Add(1))-1, len(l.feeds)-1)
		rows := l.feeds[n]
		wire.Write(st, wire.MaxIndex, folder.Batch{
			Replicas: []folder.ReplicaRecord{l.replica}, Rows: rows, Replica: l.replica.ID,
			Head: &folder.Head{Replica: l.replica.ID, Seq: 1 << 40},
		})
		wire.Read(st, wire.MaxControl, &o) // until the other side ends it
		return
	}
	for ctx.Err() == nil {
		var w folder.Want
		if wire.Read(st, wire.MaxControl, &w) != nil {
			return
		}
		b := []byte(l.content[w.Content])
		b = b[min(int(w.Offset), len(b)):]
		wire.Write(st, wire.MaxControl, statusFrame{isOK})
		if len(b) > 0 {
			st.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
		}
		st.Write([]byte{0, 0, 0, 0})
	}
}

func (l *liar) row(seq uint64, path, kind, content string) folder.Announced {
	dot := folder.Dot{R: l.replica.ID, N: 1_000_000 + seq}
	v := folder.Version{Dot: dot, Kind: folder.File, Size: int64(len(content)), Content: blake3.Sum256([]byte(content)), MTime: 1}
	switch kind {
	case "link":
		v.Kind, v.Target = folder.Link, content
	case "dir":
		v = folder.Version{Dot: dot, Kind: folder.Dir}
	}
	return folder.Announced{Path: folder.Path(path), Seq: seq, Entry: folder.Entry{V: folder.Vector{dot}, S: []folder.Version{v}}}
}

// TestHostileMember: a member that may write announces what must not be: paths
// that leave the folder or enter the program's own, files behind links, numbers
// that freeze a path, content that is not what was announced. Nothing of it
// reaches the disk, what is there stays, and honest rows of it still come.
func TestHostileMember(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada := w.device("ada")
		s := &share{w: w, name: "Plans", dirs: map[*device]string{}}
		s.dirs[ada], _ = ada.dir("Plans")
		want := map[string]string{"plan": "p", "kept": "k"}
		files(s.on(ada), want)

		m := w.stranger(p2p.Metadata{Name: "cem's laptop"})
		l := &liar{replica: folder.ReplicaRecord{ID: folder.ReplicaID{6, 6, 6}, Device: folder.DeviceID(m.identity.ID()), Label: "cem"}, content: map[folder.Hash]string{}}
		for _, bad := range []string{"../out", "/etc/evil", ".foldpost/trash/evil", "a/../../evil", "nul\x00l", "a//b", strings.Repeat("d/", 3000) + "x"} {
			l.feeds = append(l.feeds, []folder.Announced{l.row(1, bad, "file", "evil")})
		}
		huge := l.row(1, "plan", "file", "evil")
		huge.Entry.V[0].N, huge.Entry.S[0].Dot.N = 1<<63, 1<<63
		uncovered := l.row(1, "plan", "file", "evil")
		uncovered.Entry.S[0].Dot.N++
		negative := l.row(1, "plan", "file", "evil")
		negative.Entry.S[0].Size = -1
		l.feeds = append(l.feeds, []folder.Announced{huge}, []folder.Announced{uncovered}, []folder.Announced{negative})
		lie := l.row(5, "lie", "file", "what was announced")
		short := l.row(6, "short", "file", strings.Repeat("s", 5000))
		l.content[lie.Entry.S[0].Content] = "what was really se"
		l.content[short.Entry.S[0].Content] = "s"
		honest := l.row(9, "honest", "file", "from cem")
		l.content[honest.Entry.S[0].Content] = "from cem"
		l.feeds = append(l.feeds, []folder.Announced{
			l.row(1, "in", "link", ".foldpost"), l.row(2, "in/trash", "dir", ""), l.row(3, "in/trash/evil", "file", "evil"),
			l.row(4, "out", "link", "../../home"), lie, short, l.row(7, "absolute", "link", "/etc/passwd"), honest,
		})
		l.content[blake3.Sum256([]byte("evil"))] = "evil"
		m.serve = l.serve

		m.byLink(ada)
		shared, err := ada.Share(t.Context(), app.ShareRequest{Dir: s.dirs[ada], Devices: []app.DeviceID{app.DeviceID(m.identity.ID().String())}})
		w.must(err)
		s.id = shared.Folder
		var id folder.ID
		w.unhex(id[:], ada.steal().Folders[0].ID)
		m.keeps(ada.id(), id)
		want["honest"] = "from cem"
		want["in/trash/evil"] = "evil" // in a directory of that name, which the link has to make way for
		w.until("honest file came, after all feeds were tried", time.Hour, func() error {
			if got := s.contents(ada); got["honest"] == "" {
				return fmt.Errorf("ada has %q after %d feeds", got, l.next.Load())
			}
			return nil
		})
		time.Sleep(10 * time.Minute) // simulated
		if n := int(l.next.Load()); n < len(l.feeds) {
			t.Errorf("only %d of %d feeds were tried", n, len(l.feeds))
		}
		got := s.contents(ada)
		for path, content := range want {
			if got[path] != content {
				t.Errorf("%s is %q, want %q", path, got[path], content)
			}
		}
		for _, path := range slices.Sorted(maps.Keys(got)) {
			if want[path] == "" && got[path] != "/" { // directories that hold nothing harm nobody
				t.Errorf("%s is on the disk: %q", path, got[path])
			}
		}
		if names := s.on(ada).Names(".foldpost/trash"); len(names) > 0 {
			t.Errorf("the trash has %q", names)
		}
	})
}
