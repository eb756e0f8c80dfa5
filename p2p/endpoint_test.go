package p2p

import (
	"slices"
	"testing"
	"time"
)

func TestConnectAndTalk(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1, "10.0.0.1:4001", paired(2))
		b := w.node(2, "10.0.0.2:4002", paired(1))
		a.knows(b)
		if got := a.echo(t, b, "hello"); got != "hello" {
			t.Errorf("echo = %q, want hello", got)
		}
		if got := b.echo(t, a, "back"); got != "back" {
			t.Errorf("echo = %q, want back", got)
		}
		l, ok := a.Link(b.id)
		if !ok || l.Addr != b.addr || l.Observed != a.addr || l.Metadata.Name != "test" || l.RTT == 0 {
			t.Errorf("Link = %+v, %v", l, ok)
		}
		want := []string{"discovered B", "connected B"}
		if got := a.app.log(); !slices.Equal(got, want) {
			t.Errorf("A was told %q, want %q", got, want)
		}
		b.stop()
		pass(time.Second)
		want = append(want, "disconnected B: link closed by the peer: going-away")
		if got := a.app.log(); !slices.Equal(got, want) {
			t.Errorf("A was told %q, want %q", got, want)
		}
	})
}
