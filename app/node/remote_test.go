package node

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"foldpost/app/folder"
	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// pipe is a [p2p.Stream] in memory.
type pipe struct{ net.Conn }

func (p pipe) CloseWrite() error    { return p.Close() }
func (p pipe) Reset(p2p.StreamCode) { p.Close() }

// shelf is a [folder.Remote] with some contents; one breaks in the middle.
type shelf struct {
	batches  []folder.Batch
	contents map[folder.Path][]byte
}

var errBroken = errors.New("broken disk")

func (shelf) Device() folder.DeviceID { return folder.DeviceID{1} }

func (s shelf) Since(ctx context.Context, after folder.Cursor) iter.Seq2[folder.Batch, error] {
	return func(yield func(folder.Batch, error) bool) {
		for _, b := range s.batches[after.Seq:] {
			if !yield(b, nil) {
				return
			}
		}
		<-ctx.Done()
		yield(folder.Batch{}, ctx.Err())
	}
}

func (s shelf) Read(_ context.Context, w folder.Want) (io.ReadCloser, error) {
	b, ok := s.contents[w.Path]
	if !ok {
		return nil, folder.ErrGone
	}
	r := io.Reader(bytes.NewReader(b[w.Offset:]))
	if w.Path == "breaks" {
		r = io.MultiReader(r, errReader{})
	}
	return io.NopCloser(r), nil
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errBroken }

// connect returns a remote whose streams lead to a shelf, or to nothing for
// who is no member.
func connect(t *testing.T, s shelf, member bool) (r *remote, opened *int) {
	t.Helper()
	return connectSlowly(t, s, member, nil, nil)
}

// connectSlowly is connect with limits for who serves and who reads.
func connectSlowly(t *testing.T, s shelf, member bool, up, down *limit) (r *remote, opened *int) {
	t.Helper()
	opened = new(int)
	ctx := t.Context()
	open := func(context.Context, string) (p2p.Stream, error) {
		*opened++
		ours, theirs := net.Pipe()
		ended := make(chan struct{})
		t.Cleanup(func() { ours.Close(); <-ended })
		go func() {
			defer close(ended)
			defer theirs.Close()
			serveFolder(ctx, pipe{theirs}, func(folder.ID) (folder.Remote, error) {
				if !member {
					return nil, folder.ErrNotMember
				}
				return s, nil
			}, up)
		}()
		return pipe{ours}, nil
	}
	return newRemote(folder.DeviceID{1}, folder.ID{2}, open, down), opened
}

func TestRemoteFeed(t *testing.T) {
	want := []folder.Batch{
		{Rows: []folder.Announced{{Path: "a", Seq: 1}}},
		{Rows: []folder.Announced{{Path: "b", Seq: 2}}, Head: &folder.Head{Seq: 2}},
	}
	r, _ := connect(t, shelf{batches: want}, true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []folder.Path
	for b, err := range r.Since(ctx, folder.Cursor{Seq: 1}) {
		if err != nil {
			break
		}
		got = append(got, b.Rows[0].Path)
		cancel()
	}
	if len(got) != 1 || got[0] != "b" {
		t.Errorf("Since(1) yielded %v, want [b]", got)
	}
}

func TestRemoteRead(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789abcdef"), maxChunk/8)
	r, opened := connect(t, shelf{contents: map[folder.Path][]byte{"empty": {}, "small": []byte("hello"), "large": large, "breaks": []byte("half")}}, true)
	for _, tt := range []struct {
		path   folder.Path
		offset int64
		want   string
		err    error
	}{
		{"small", 0, "hello", nil},
		{"small", 2, "llo", nil},
		{"empty", 0, "", nil},
		{"large", 3, string(large[3:]), nil},
		{"missing", 0, "", folder.ErrGone},
		{"small", 0, "hello", nil}, // the stream is still in order
		{"breaks", 0, "half", errCutShort},
	} {
		c, err := r.Read(t.Context(), folder.Want{Path: tt.path, Offset: tt.offset})
		var got []byte
		if err == nil {
			got, err = io.ReadAll(c)
			c.Close()
		}
		if string(got) != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("Read(%s, %d) = %d bytes, %v, want %d bytes, %v", tt.path, tt.offset, len(got), err, len(tt.want), tt.err)
		}
	}
	if *opened != 1 {
		t.Errorf("%d streams were opened, want 1 for all", *opened)
	}
}

// cutStream is a stream whose link ends after so many bytes were read.
type cutStream struct {
	p2p.Stream
	left int
}

func (s *cutStream) Read(b []byte) (int, error) {
	if s.left == 0 {
		return 0, fmt.Errorf("%w: gone", p2p.ErrLinkEnded)
	}
	n, err := s.Stream.Read(b[:min(len(b), s.left)])
	s.left -= n
	return n, err
}

// A content goes on over another link where one ends, from where it was.
func TestRemoteReadOverSeveralLinks(t *testing.T) {
	large := make([]byte, 5*maxChunk)
	for i := range large {
		large[i] = byte(i >> 10)
	}
	for _, tt := range []struct {
		name string
		cuts []int // bytes of the stream after which its link ends
		want error
	}{
		{"at once", []int{0}, nil},
		{"in the status", []int{3}, nil},
		{"in the length of a chunk", []int{20}, nil},
		{"again and again", []int{1000, maxChunk + 7, 3, 2*maxChunk + 100, 0, 5}, nil},
		{"without end", slices.Repeat([]int{3}, 20), p2p.ErrLinkEnded},
	} {
		r, opened := connect(t, shelf{contents: map[folder.Path][]byte{"large": large}}, true)
		open, cuts := r.open, tt.cuts
		r.open = func(ctx context.Context, protocol string) (p2p.Stream, error) {
			s, err := open(ctx, protocol)
			if err == nil && len(cuts) > 0 {
				s = &cutStream{s, cuts[0]}
				cuts = cuts[1:]
			}
			return s, err
		}
		c, err := r.Read(t.Context(), folder.Want{Path: "large", Offset: 7})
		var got []byte
		if err == nil {
			got, err = io.ReadAll(c)
			c.Close()
		}
		if !errors.Is(err, tt.want) || err == nil && !bytes.Equal(got, large[7:]) {
			t.Errorf("%s: Read = %d bytes, %v, want %d, %v", tt.name, len(got), err, len(large)-7, tt.want)
		}
		if tt.want == nil && *opened != len(tt.cuts)+1 {
			t.Errorf("%s: %d streams were opened, want %d", tt.name, *opened, len(tt.cuts)+1)
		}
	}
}

// TestRemoteReadToItsSize: who reads exactly the size leaves the stream in
// order.
func TestRemoteReadToItsSize(t *testing.T) {
	r, opened := connect(t, shelf{contents: map[folder.Path][]byte{"small": []byte("hello")}}, true)
	for range 3 {
		c, err := r.Read(t.Context(), folder.Want{Path: "small"})
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 5)
		if _, err := io.ReadFull(c, b); err != nil || string(b) != "hello" {
			t.Errorf("read %q, %v", b, err)
		}
		c.Close()
	}
	if *opened != 1 {
		t.Errorf("%d streams were opened, want 1 for all", *opened)
	}
}

func TestRemoteReadThatIsGivenUp(t *testing.T) {
	r, opened := connect(t, shelf{contents: map[folder.Path][]byte{"large": make([]byte, 4*maxChunk), "small": []byte("x")}}, true)
	c, err := r.Read(t.Context(), folder.Want{Path: "large"})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	c, err = r.Read(t.Context(), folder.Want{Path: "small"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	if string(b) != "x" || err != nil || *opened != 2 {
		t.Errorf("after a read was given up: %q, %v, %d streams", b, err, *opened)
	}
}

func TestStrangersGetNothing(t *testing.T) {
	r, _ := connect(t, shelf{contents: map[folder.Path][]byte{"small": []byte("x")}}, false)
	if _, err := r.Read(t.Context(), folder.Want{Path: "small"}); !errors.Is(err, folder.ErrNotMember) {
		t.Errorf("Read of a stranger = %v, want ErrNotMember", err)
	}
	for _, err := range r.Since(t.Context(), folder.Cursor{}) {
		if !errors.Is(err, folder.ErrNotMember) {
			t.Errorf("Since of a stranger = %v, want ErrNotMember", err)
		}
	}
}

// TestServeFolderMeetsBadBytes: nothing that a peer sends first makes the
// server wait for more than a frame or answer with content.
func TestServeFolderMeetsBadBytes(t *testing.T) {
	for name, first := range map[string]string{
		"five bytes that claim 4 GiB": "\xff\xff\xff\xff\x00",
		"array of 4 billion":          "\x00\x00\x00\x05\xdd\xff\xff\xff\xff",
		"no map":                      "\x00\x00\x00\x01\x90",
		"wrong id":                    "\x00\x00\x00\x05\x81\x01\xc4\x01\x00",
		"cut":                         "\x00\x00",
	} {
		ours, theirs := net.Pipe()
		done := make(chan error, 1)
		go func() {
			defer theirs.Close()
			done <- serveFolder(t.Context(), pipe{theirs}, func(folder.ID) (folder.Remote, error) { return shelf{}, nil }, nil)
		}()
		ours.SetDeadline(time.Now().Add(10 * time.Second))
		io.Copy(ours, strings.NewReader(first))
		if name == "cut" {
			ours.Close()
		}
		if err := <-done; err == nil {
			t.Errorf("serveFolder(%s) = nil, want an error", name)
		}
		ours.Close()
	}
}

func FuzzSharesFrame(f *testing.F) {
	b, err := wire.Marshal(sharesFrame{Offers: []offerFrame{{ID: folder.ID{1}, Name: "n", Role: 1}}, Keeps: []folder.ID{{2}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var s sharesFrame
		if wire.Unmarshal(b, &s) == nil && !s.equal(s) {
			t.Error("a frame differs from itself")
		}
	})
}

func FuzzOpenFrame(f *testing.F) {
	b, err := wire.Marshal(openFrame{Folder: folder.ID{1}, What: openFeed, After: folder.Cursor{Seq: 3}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var o openFrame
		var w folder.Want
		wire.Unmarshal(b, &o)
		wire.Unmarshal(b, &w)
	})
}

// TestGoldenFrames are the bytes that app/folder/PROTOCOL.md shows.
func TestGoldenFrames(t *testing.T) {
	id := folder.ID{1}
	zeros := strings.Repeat("00", 31)
	for _, tt := range []struct {
		frame any
		want  string
	}{
		{openFrame{Folder: id, What: openRead}, "8201c42001" + zeros + "0202"},
		{statusFrame{statusOK}, "810101"},
		{sharesFrame{Offers: []offerFrame{{ID: id, Name: "Harz", Files: 2, Bytes: 3, Role: roleNumber(roleReadWrite)}}}, "8101918501c42001" + zeros + "02a44861727a030204030501"},
	} {
		if b, err := wire.Marshal(tt.frame); err != nil || hex.EncodeToString(b) != tt.want {
			t.Errorf("Marshal(%+v) = %x, %v, want %s", tt.frame, b, err, tt.want)
		}
	}
}
