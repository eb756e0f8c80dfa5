package folder_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/app/folder"
	"foldpost/app/folder/foldertest"
	"foldpost/p2p/wire"
)

// A wireRemote sends each batch through the codec, as a network would, and
// counts. Contents break off after cut bytes, if that is not 0.
type wireRemote struct {
	folder.Remote
	index, content *atomic.Int64
	cut            *atomic.Int64
}

func newWire() (w wireRemote) {
	w.index, w.content, w.cut = new(atomic.Int64), new(atomic.Int64), new(atomic.Int64)
	return w
}

func (w wireRemote) over(r folder.Remote) folder.Remote {
	w.Remote = r
	return w
}

func (w wireRemote) Since(ctx context.Context, after folder.Cursor) iter.Seq2[folder.Batch, error] {
	return func(yield func(folder.Batch, error) bool) {
		for b, err := range w.Remote.Since(ctx, after) {
			if err != nil {
				yield(b, err)
				return
			}
			frame, err := wire.Marshal(b)
			var got folder.Batch
			if err == nil {
				err = wire.Unmarshal(frame, &got)
			}
			w.index.Add(int64(len(frame)))
			if !yield(got, err) || err != nil {
				return
			}
		}
	}
}

var errCut = errors.New("cut")

func (w wireRemote) Read(ctx context.Context, want folder.Want) (io.ReadCloser, error) {
	r, err := w.Remote.Read(ctx, want)
	if err != nil {
		return nil, err
	}
	return &wireContent{r, w}, nil
}

type wireContent struct {
	io.ReadCloser
	w wireRemote
}

func (c *wireContent) Read(b []byte) (int, error) {
	if cut := c.w.cut.Load(); cut > 0 && c.w.content.Load() >= cut {
		return 0, errCut
	}
	n, err := c.ReadCloser.Read(b)
	c.w.content.Add(int64(n))
	return n, err
}

func noise(seed uint64, n int) string {
	rng := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return string(b)
}

// What was transferred before either side ended is not transferred again.
func TestLargeFileIsResumed(t *testing.T) {
	const size, first = 8 << 20, 5 << 20
	for _, end := range []string{"link", "receiver", "sender"} {
		t.Run(end, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
				know(a, b)
				w := newWire()
				w.cut.Store(first)
				cut := connectBy(a, b, w.over)
				a.Write("large", noise(1, size))
				b.until("something is needed", func(s folder.Status) bool { return s.NeedFiles == 1 })
				for w.content.Load() < first {
					<-time.After(time.Second)
				}
				<-time.After(time.Second)
				switch end {
				case "receiver":
					b.again(nil, a, b)
				case "sender":
					a.again(nil, a, b)
				}
				cut()
				w.cut.Store(0)
				connectBy(a, b, w.over)
				a.until("B has all", func(s folder.Status) bool { return len(s.Members) == 1 && s.Members[0].HasAll })
				wantEqual(t, a, b)
				if got := w.content.Load(); got != size {
					t.Errorf("%d bytes of content were sent, want each of %d once", got, size)
				}
			})
		})
	}
}

// A file that changes on the way is not taken half and half.
func TestChangesWhileItIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		know(a, b)
		w := newWire()
		w.cut.Store(1 << 20)
		cut := connectBy(a, b, w.over)
		a.Write("f", noise(1, 3<<20))
		b.until("something is needed", func(s folder.Status) bool { return s.NeedFiles == 1 })
		<-time.After(time.Second)
		cut()
		w.cut.Store(0)
		a.Write("f", noise(2, 3<<20))
		connectBy(a, b, w.over)
		settle(a, b)
		wantEqual(t, a, b)
	})
}

// The last of several quick saves is on the other disk soon.
func TestQuickSaves(t *testing.T) {
	for every := 20 * time.Millisecond; every < 300*time.Millisecond; every += 20 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
			pair(a, b)
			calm(a)
			settle(a, b)
			last := ""
			for i := range 30 {
				last = fmt.Sprint("save ", i)
				a.Write("doc", last)
				<-time.After(every)
			}
			saved := time.Now()
			b.until("the last save", func(folder.Status) bool { return b.files()["doc"] == last })
			if took := time.Since(saved); took > 1200*time.Millisecond {
				t.Errorf("saved every %v: the last save was on the other disk after %v, want at most 1.2 s", every, took)
			}
		})
	}
}

// An unchanged folder costs next to nothing when its members meet again.
func TestReconnectOfAnUnchangedFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		know(a, b)
		for i := range 300 {
			a.Write(fmt.Sprint(i), fmt.Sprint(i))
		}
		w := newWire()
		cut := connectBy(a, b, w.over)
		settle(a, b)
		<-time.After(time.Minute)
		cut()
		a.again(nil, a, b)
		b.again(nil, a, b)
		w = newWire()
		connectBy(a, b, w.over)
		settle(a, b)
		if index, content := w.index.Load(), w.content.Load(); index > 1024 || content > 0 {
			t.Errorf("meeting again cost %d bytes of index and %d of content, want at most 1024 and none", index, content)
		}
	})
}

// What B learned from A reaches C when A is gone, and the other way.
func TestRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := inMemory(t, "A", nil), inMemory(t, "B", nil), inMemory(t, "C", nil)
		know(a, b)
		know(b, c)
		know(a, b) // A does not know C
		b.SetMembers([]folder.Member{
			{Device: a.config.Device, Role: folder.ReadWrite}, {Device: c.config.Device, Role: folder.ReadWrite},
		})
		calm(a)
		a.Write("x", "from A")
		c.Write("y", "from C")
		for range 2 {
			cut := connect(a, b)
			settle(a, b)
			cut()
			cut = connect(b, c)
			settle(b, c)
			cut()
		}
		wantEqual(t, a, b, c)
		a.Remove("y")
		c.Write("x", "edited by C")
		for range 2 {
			cut := connect(c, b)
			settle(c, b)
			cut()
			cut = connect(b, a)
			settle(b, a)
			cut()
		}
		wantEqual(t, a, b, c)
		if got, want := a.others(), map[string]string{"x": "edited by C"}; !maps.Equal(got, want) {
			t.Errorf("files are %q, want %q", got, want)
		}
	})
}

// Who is no member gets nothing, at once, also in the middle of a transfer.
func TestNotAMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		know(a, b)
		a.Write("secret", noise(1, 1<<20))
		a.until("it is scanned", func(s folder.Status) bool { return s.Files == 1 && s.State == folder.StateIdle })
		if r, err := a.Serve(folder.DeviceID{'X'}); !errors.Is(err, folder.ErrNotMember) {
			t.Errorf("Serve(stranger) = %v, %v, want ErrNotMember", r, err)
		}
		r, err := a.Serve(b.config.Device)
		if err != nil {
			t.Fatal(err)
		}
		var want folder.Want
		for batch, err := range r.Since(t.Context(), folder.Cursor{}) {
			if err != nil || len(batch.Rows) != 1 {
				t.Fatalf("Since() = %v, %v, want one row", batch, err)
			}
			want = folder.Want{Path: batch.Rows[0].Path, Content: batch.Rows[0].Entry.S[0].Content}
			break
		}
		open, err := r.Read(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(open, make([]byte, 100)); err != nil {
			t.Errorf("Read before the removal: %v", err)
		}
		feed := make(chan error)
		go func() {
			for _, err := range r.Since(t.Context(), folder.Cursor{}) {
				if err != nil {
					feed <- err
					return
				}
			}
		}()
		synctest.Wait()

		a.SetMembers(nil)
		if err := <-feed; !errors.Is(err, folder.ErrNotMember) {
			t.Errorf("a running feed ends with %v, want ErrNotMember", err)
		}
		if n, err := io.ReadFull(open, make([]byte, 100)); !errors.Is(err, folder.ErrNotMember) {
			t.Errorf("an open content gives %d bytes, %v, want ErrNotMember", n, err)
		}
		if _, err := r.Read(t.Context(), want); !errors.Is(err, folder.ErrNotMember) {
			t.Errorf("Read() = %v, want ErrNotMember", err)
		}
		for _, err := range r.Since(t.Context(), folder.Cursor{}) {
			if !errors.Is(err, folder.ErrNotMember) {
				t.Errorf("Since() = %v, want ErrNotMember", err)
			}
		}
		stranger, _ := b.Serve(a.config.Device)
		if err := a.Connect(t.Context(), stranger); !errors.Is(err, folder.ErrNotMember) {
			t.Errorf("Connect(no member) = %v, want ErrNotMember", err)
		}
	})
}

// Only what the index lists as live is served, and only as it was scanned.
func TestWhatIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		know(a, b)
		calm(a)
		a.Write("f", "first")
		a.until("it is scanned", func(s folder.Status) bool { return s.Files == 13 && s.State == folder.StateIdle })
		r, _ := a.Serve(b.config.Device)
		first := contentOf(t, r, "f")
		read := func(w folder.Want) (string, error) {
			c, err := r.Read(t.Context(), w)
			if err != nil {
				return "", err
			}
			defer c.Close()
			got, err := io.ReadAll(c)
			return string(got), err
		}
		if got, err := read(folder.Want{Path: "f", Content: first, Offset: 2}); err != nil || got != "rst" {
			t.Errorf("Read(f from 2) = %q, %v, want %q", got, err, "rst")
		}
		for _, w := range []folder.Want{
			{Path: "calm/1", Content: first},
			{Path: "f", Content: folder.Hash{1}},
			{Path: "f", Content: first, Offset: 6},
			{Path: "f", Content: first, Offset: -1},
			{Path: folder.OwnDir + "/folder", Content: first},
			{Path: "../f", Content: first},
			{Path: "", Content: first},
		} {
			if got, err := read(w); err == nil {
				t.Errorf("Read(%+v) = %q, want an error", w, got)
			}
		}
		a.Write("f", "other")
		if got, err := read(folder.Want{Path: "f", Content: first}); err == nil {
			t.Errorf("Read(content before an edit) = %q, want an error", got)
		}
	})
}

func contentOf(t *testing.T, r folder.Remote, p folder.Path) folder.Hash {
	t.Helper()
	for batch, err := range r.Since(t.Context(), folder.Cursor{}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range batch.Rows {
			if row.Path == p {
				return row.Entry.S[0].Content
			}
		}
	}
	t.Fatalf("no row of %q", p)
	return folder.Hash{}
}

// What a member without write right changes stays on its disk, and what others
// change comes to it.
func TestReadOnlyMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := inMemory(t, "A", nil)
		b := inMemory(t, "B", func(c *folder.Config) { c.Role = folder.ReadOnly })
		pair(a, b)
		calm(a)
		a.Write("x", "1")
		settle(a, b)
		wantEqual(t, a, b)
		b.Write("x", "changed where it must not be")
		b.Write("own", "only here")
		<-time.After(time.Minute)
		if got, want := a.others(), map[string]string{"x": "1"}; !maps.Equal(got, want) {
			t.Errorf("A has %q after B's changes, want %q", got, want)
		}
		a.Write("x", "2")
		b.until("A's change", func(folder.Status) bool { return b.files()["x"] == "2" })
		if got := a.others(); len(got) != 1 {
			t.Errorf("A has %q", got)
		}
		kept, err := b.Trash()
		if err != nil || len(kept) == 0 {
			t.Errorf("Trash() = %v, %v, want B's own content of x", kept, err)
		}
	})
}

// What a member without write right has already when it joins: files that
// nobody else has stay, and of two versions the members' one is shown and the
// other one kept.
func TestReadOnlyJoinsWithFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := inMemory(t, "A", nil)
		b := inMemory(t, "B", func(c *folder.Config) { c.Role = folder.ReadOnly })
		a.Write("x", "there")
		a.Write("same", "1")
		b.Write("x", "here")
		b.Write("same", "1")
		b.Write("own", "only here")
		pair(a, b)
		b.until("A's files", func(folder.Status) bool { return b.files()["x"] == "there" })
		<-time.After(time.Minute)
		if got, want := a.files(), map[string]string{"x": "there", "same": "1"}; !maps.Equal(got, want) {
			t.Errorf("A has %q, want %q", got, want)
		}
		if got := b.files(); got["own"] != "only here" {
			t.Errorf("B has %q, want its own file among them", got)
		}
		kept, err := b.Trash()
		if err != nil || len(kept) != 1 || kept[0].Path != "x" {
			t.Errorf("Trash() = %+v, %v, want B's content of x (B has %q)", kept, err, b.files())
		}
	})
}

// A member that sends other bytes than it announced costs nothing but time.
func TestWrongContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := inMemory(t, "A", nil), inMemory(t, "B", nil), inMemory(t, "C", nil)
		know(a, b, c)
		a.Write("x", strings.Repeat("right", 1000))
		connect(a, c)
		settle(a, c)
		connectBy(a, b, func(r folder.Remote) folder.Remote { return liar{r} })
		b.until("it is needed", func(s folder.Status) bool { return s.NeedFiles == 1 })
		<-time.After(time.Minute)
		if got := b.files(); len(got) > 0 {
			t.Errorf("B has %d files from a liar", len(got))
		}
		connect(b, c)
		c.untilHas(b)
		wantEqual(t, a, b)
	})
}

type liar struct{ folder.Remote }

func (l liar) Read(ctx context.Context, w folder.Want) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(strings.Repeat("wrong", 1000))), nil
}

var _ foldertest.User = (*device)(nil)
