package folder_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/app/folder"
)

// TestRecent: each device lists what changed, newest first, with who did it.
func TestRecent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		apart(t, "x", a, b)
		begin := time.Now()
		time.Sleep(time.Second) // simulated
		a.Mkdir("dir")
		a.Write("dir/new", "12345")
		settle(a, b)
		b.Remove("other")
		b.Remove("dir")
		settle(a, b)
		for _, d := range []*device{a, b} {
			all, err := d.Recent(t.Context(), 100)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range all {
				got = append(got, fmt.Sprintf("%s %t %c %d", strings.Split(string(c.Path), " (")[0], c.Deleted, c.Device[0], c.Size))
			}
			// dir/new and other went together: their order is that of the paths.
			want := []string{"other true B 0", "dir/new true B 0", "x false B 4", "x false A 4"}
			if len(got) != 4 || fmt.Sprint(got[2:]) != fmt.Sprint(want[2:]) && fmt.Sprint(got[2:]) != fmt.Sprint([]string{want[3], want[2]}) ||
				fmt.Sprint(got[:2]) != fmt.Sprint(want[:2]) && fmt.Sprint(got[:2]) != fmt.Sprint([]string{want[1], want[0]}) {
				t.Errorf("%s: Recent = %q, want %q", d.name, got, want)
			}
			if last := d.Status().Changed; last.Sub(all[0].At).Abs() > time.Second || last.Before(begin) || last.After(time.Now()) {
				t.Errorf("%s: Status().Changed = %v, want %v", d.name, last, all[0].At)
			}
			if one, err := d.Recent(t.Context(), 1); err != nil || len(one) != 1 || one[0] != all[0] {
				t.Errorf("%s: Recent(1) = %v, %v, want the newest", d.name, one, err)
			}
		}
	})
}

// TestMoving: a transfer that takes a while is shown with how far it is.
func TestMoving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		know(a, b)
		goOn := make(chan struct{})
		connectBy(a, b, func(r folder.Remote) folder.Remote { return slow{r, goOn} })
		a.Write("film", strings.Repeat("x", 1000))
		b.until("the film is moving", func(s folder.Status) bool {
			return len(s.Moving) == 1 && s.Moving[0] == folder.Moving{Path: "film", From: folder.DeviceID{'A'}, Bytes: 1000, Done: 600}
		})
		close(goOn)
		b.until("it is here", func(s folder.Status) bool { return s.Files == 1 && len(s.Moving) == 0 })
	})
}

// slow sends 600 bytes of a content, and the rest when it may.
type slow struct {
	folder.Remote
	goOn chan struct{}
}

func (s slow) Read(ctx context.Context, w folder.Want) (io.ReadCloser, error) {
	r, err := s.Remote.Read(ctx, w)
	return &slowContent{ReadCloser: r, left: 600, ctx: ctx, goOn: s.goOn}, err
}

type slowContent struct {
	io.ReadCloser
	left int
	ctx  context.Context
	goOn chan struct{}
}

func (c *slowContent) Read(p []byte) (int, error) {
	if c.left == 0 {
		select {
		case <-c.goOn:
			return c.ReadCloser.Read(p)
		case <-c.ctx.Done():
			return 0, c.ctx.Err()
		}
	}
	n, err := c.ReadCloser.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
