//go:build lan

package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"foldpost/app"
)

// threeWords has two people at two computers link them by what both screens
// show, and share a folder; then one of them refuses somebody.
func threeWords(t *testing.T) {
	h := newHub(t, "lan")
	h.host("a")
	h.host("b")
	h.plug("a", "eth0", "lan", "192.168.7.1/24")
	h.plug("b", "eth0", "lan", "192.168.7.2/24")
	a, b := h.device("a"), h.device("b")
	a.start()
	b.start()
	a.do("config", "name", "Ada's desktop")
	b.do("config", "name", "Bob's laptop")
	began := time.Now()
	b.do("nearby")
	for {
		if strings.Contains(a.do("nearby", "--json"), `"name":"Bob's laptop"`) {
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("nearby lists %s, want Bob's laptop", a.do("nearby", "--json"))
		}
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("nearby lists the other %s after both were opened, want 2s at most", took)
	}

	var out, talk bytes.Buffer
	pair := a.command("pair", "Bob's laptop")
	pair.Stdout, pair.Stderr = &out, &talk
	if err := pair.Start(); err != nil {
		t.Fatal(err)
	}
	request := b.asked(app.AskNearby)
	if request.Name != "Ada's desktop" {
		t.Errorf("asked about %q, want Ada's desktop", request.Name)
	}
	there := b.do("answer", string(request.ID), app.ChoiceOpen)
	ours, theirs := a.asked(app.AskSame), b.asked(app.AskSame)
	if len(ours.Words) != 3 || !slices.Equal(ours.Words, theirs.Words) || strings.TrimSpace(there) != strings.Join(ours.Words, " ") {
		t.Errorf("a shows %v, b %v, answer printed %q: want the same three words", ours.Words, theirs.Words, there)
	}
	a.do("answer", string(ours.ID), app.ChoiceSame)
	if s := b.state(); len(s.Devices) != 0 {
		t.Error("linked before both people had looked")
	}
	b.do("answer", string(theirs.ID), app.ChoiceSame)
	if err := pair.Wait(); err != nil {
		t.Fatalf("pair: %v\n%s", err, talk.String())
	}
	if strings.TrimSpace(out.String()) != strings.Join(ours.Words, " ") {
		t.Errorf("pair printed %q, want the three words alone", out.String())
	}
	linkedAt(t, a, b, time.Now(), 10*time.Second, "")

	dir, to := filepath.Join(t.TempDir(), "Photos"), filepath.Join(t.TempDir(), "Photos")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.jpg"), []byte("picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	share := a.command("share", dir, "Bob's laptop")
	if err := share.Start(); err != nil {
		t.Fatal(err)
	}
	b.must("is offered the folder", b.when(time.Minute, func(s app.State) bool { return len(s.Offers) == 1 }))
	b.do("join", "Photos", to)
	if err := share.Wait(); err != nil {
		t.Errorf("share: %v", err)
	}
	if got, err := os.ReadFile(filepath.Join(to, "a.jpg")); err != nil || string(got) != "picture" {
		t.Errorf("b has %q, %v, want the picture", got, err)
	}
	for _, p := range []*process{a, b} {
		if s := p.state(); s.Mailbox != nil || s.Devices[0].Verified != "nearby" || len(s.Nearby) != 0 {
			t.Errorf("%s: mailbox %v, device %+v, nearby %v: want no mailbox, verified nearby, and a linked device not listed as a stranger", filepath.Base(p.home), s.Mailbox, s.Devices[0], s.Nearby)
		}
	}
}

// strangersSeeNoName: a third computer is heard by nobody's name once theirs
// are linked and no door is open.
func strangersSeeNoName(t *testing.T) {
	h := newHub(t, "lan")
	a, b := pairOf(t, h)
	h.host("c")
	h.plug("c", "eth0", "lan", "192.168.7.3/24")
	c := h.device("c")
	c.start()
	var list struct{ Nearby []app.Nearby }
	if err := json.Unmarshal([]byte(c.do("nearby", "--json")), &list); err != nil || len(list.Nearby) != 0 {
		t.Errorf("a stranger sees %+v, %v, want nobody", list.Nearby, err)
	}
	for _, p := range []*process{a, b} {
		if p.state().Device.Visible {
			t.Errorf("%s is visible though nobody opened it", filepath.Base(p.home))
		}
	}
	if r := c.try("", "pair", "a"); r.code != 2 {
		t.Errorf("pair with somebody who is not to be seen: exit %d\n%s", r.code, r.talk)
	}
}

// asked waits for a question of a kind.
func (p *process) asked(kind app.QuestionKind) (q app.Question) {
	p.t.Helper()
	p.eventually("asks: "+string(kind), 20*time.Second, func() bool {
		list := p.state().Questions
		i := slices.IndexFunc(list, func(q app.Question) bool { return q.Kind == kind })
		if i >= 0 {
			q = list[i]
		}
		return i >= 0
	})
	return q
}
