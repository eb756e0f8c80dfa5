package e2e

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/discovery"
	"foldpost/p2p"
)

// neighbours are the devices in the network of this one that are open.
func (d *device) neighbours() []discovery.Neighbour {
	var list []discovery.Neighbour
	if near := d.near.Load(); near != nil {
		for _, o := range *near {
			list = append(list, discovery.Neighbour{Instance: "instance" + o.name, Name: o.name + "'s laptop", Addrs: addrs(o)})
		}
	}
	return list
}

// home is two devices in one network, without a mailbox, both open to others.
func (w *world) home() (ada, nas *device) {
	ada, nas = w.device("ada"), w.device("nas")
	ada.near.Store(&[]*device{nas})
	nas.near.Store(&[]*device{ada})
	for _, d := range []*device{ada, nas} {
		w.open(d)
		d.eventually("lists the other one", 5*time.Second, func(s app.State) bool { return len(s.Nearby) == 1 && s.Device.Visible })
	}
	time.Sleep(time.Second) // simulated: both know their networks
	return ada, nas
}

// open opens a device's door for the rest of the test.
func (w *world) open(d *device) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = d.OpenNearby(ctx, 0)
	}()
	w.t.Cleanup(func() { cancel(); <-ended })
}

// asks lets a device's user ask the other one nearby.
func (d *device) asks() <-chan error {
	ended := make(chan error, 1)
	id := d.State().Nearby[0].ID
	go func() {
		_, err := d.PairNearby(context.Background(), id)
		ended <- err
	}()
	return ended
}

// question waits for one of a kind.
func (d *device) question(kind app.QuestionKind) (q app.Question) {
	d.w.t.Helper()
	d.eventually("asked: "+string(kind), 3*time.Minute, func(s app.State) bool {
		i := slices.IndexFunc(s.Questions, func(q app.Question) bool { return q.Kind == kind })
		if i >= 0 {
			q = s.Questions[i]
		}
		return i >= 0
	})
	return q
}

func noQuestion(s app.State) bool { return len(s.Questions) == 0 }

// Two computers at home, no mail: found, compared, linked; a folder follows.
func TestNearby(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, nas := w.home()
		linked := ada.asks()
		q := nas.question(app.AskNearby)
		if q.Name != "ada's laptop" {
			t.Errorf("nas is asked about %q", q.Name)
		}
		w.must(nas.Answer(t.Context(), q.ID, app.ChoiceOpen))
		a, b := ada.question(app.AskSame), nas.question(app.AskSame)
		if len(a.Words) != 3 || !slices.Equal(a.Words, b.Words) {
			t.Errorf("words %v and %v, want the same three", a.Words, b.Words)
		}
		w.must(ada.Answer(t.Context(), a.ID, app.ChoiceSame))
		time.Sleep(time.Minute)
		if paired(ada.State()) || paired(nas.State()) {
			t.Error("linked before both people had looked")
		}
		w.must(nas.Answer(t.Context(), b.ID, app.ChoiceSame))
		if err := <-linked; err != nil {
			t.Fatalf("PairNearby = %v", err)
		}
		for _, d := range []*device{ada, nas} {
			d.eventually("linked", 5*time.Second, func(s app.State) bool { return connected(s) && noQuestion(s) })
			d.eventually("lists nobody else", 5*time.Second, func(s app.State) bool { return len(s.Nearby) == 0 })
			if dev := d.State().Devices[0]; dev.Verified != "nearby" || d.State().Mailbox != nil {
				t.Errorf("%s keeps %+v, mailbox %+v", d.name, dev, d.State().Mailbox)
			}
		}
		s := w.share("Photos", ada, nas)
		s.on(ada).Write("a.txt", "hello")
		nas.eventually("has the file", time.Minute, func(st app.State) bool { return s.folder(nas).Files == 1 })
		for _, d := range []*device{ada, nas} {
			d.restart()
			d.eventually("linked after a restart", time.Minute, connected)
		}
	})
}

// Whatever the people say but "the same" twice, nothing is kept, and who did
// not end it sees that it ended.
func TestNearbyRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *world, ada, nas *device)
		ends int // that nas is shown
	}{
		{"no", func(w *world, _, nas *device) {
			w.must(nas.Answer(w.t.Context(), nas.question(app.AskNearby).ID, app.ChoiceNo))
		}, 0},
		{"nobody there", func(w *world, _, nas *device) { nas.question(app.AskNearby) }, 1},
		{"different words there", func(w *world, ada, nas *device) {
			w.must(nas.Answer(w.t.Context(), nas.question(app.AskNearby).ID, app.ChoiceOpen))
			w.must(nas.Answer(w.t.Context(), nas.question(app.AskSame).ID, app.ChoiceDifferent))
		}, 0},
		{"different words here", func(w *world, ada, nas *device) {
			w.must(nas.Answer(w.t.Context(), nas.question(app.AskNearby).ID, app.ChoiceOpen))
			w.must(ada.Answer(w.t.Context(), ada.question(app.AskSame).ID, app.ChoiceDifferent))
		}, 1},
		{"the link is cut", func(w *world, ada, nas *device) {
			w.must(nas.Answer(w.t.Context(), nas.question(app.AskNearby).ID, app.ChoiceOpen))
			nas.question(app.AskSame)
			ada.question(app.AskSame)
			w.unplug(nas, true)
		}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				ada, nas := w.home()
				linked := ada.asks()
				c.do(w, ada, nas)
				err := <-linked
				if app.CodeOf(err) != app.CodeFailed || err == nil {
					t.Errorf("PairNearby = %v, want what happened and what to do", err)
				}
				t.Log(err)
				time.Sleep(3 * time.Minute)
				if paired(ada.State()) || paired(nas.State()) {
					t.Error("something was kept")
				}
				questions := nas.State().Questions
				if len(questions) != c.ends {
					t.Fatalf("nas shows %+v, want %d ends", questions, c.ends)
				}
				for _, q := range questions {
					if t.Log(q.Text); q.Kind != app.AskBrokenOff {
						t.Errorf("nas asks %+v", q)
					}
					w.must(nas.Answer(t.Context(), q.ID, app.ChoiceSeen))
				}
				nas.eventually("nothing to see any more", time.Minute, noQuestion)
			})
		})
	}
}

// The third request in ten minutes that breaks off closes the door for all who
// hold it open, until somebody opens it anew.
func TestNearbyShuts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, nas := w.home()
		held := make(chan error, 1)
		go func() { held <- nas.OpenNearby(context.Background(), time.Hour) }()
		for range 3 {
			nas.eventually("visible", time.Minute, func(s app.State) bool { return s.Device.Visible })
			linked := ada.asks()
			nas.question(app.AskNearby)
			<-linked
		}
		if err := <-held; err == nil {
			t.Error("OpenNearby = nil after three requests, want an error")
		}
		nas.eventually("not visible any more", time.Minute, func(s app.State) bool { return !s.Device.Visible })
		if err := <-ada.asks(); err == nil {
			t.Error("PairNearby = nil at a closed door")
		}
		if n := len(nas.State().Questions); n != 3 {
			t.Errorf("nas shows %d ends, want 3", n)
		}
		w.open(nas)
		nas.eventually("visible again", time.Minute, func(s app.State) bool { return s.Device.Visible })
		ada.asks()
		nas.question(app.AskNearby)
	})
}

// Somebody in between, who calls himself like each to the other and finds all
// words the same, makes the words on the two screens differ. Both people are
// told what that means, and nothing is kept.
func TestNearbyManInTheMiddle(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, nas := w.home()
		front := w.stranger(p2p.Metadata{Name: "nas's laptop"})
		back := w.strangerAt(netip.MustParseAddrPort("198.51.100.67:4667"), p2p.Metadata{Name: "ada's laptop"})
		front.SetNearby(true)
		relayed := make(chan error, 1)
		front.asked = func() {
			go func() {
				_, err := back.AskNearby(context.Background(), []netip.AddrPort{nas.addr})
				relayed <- err
			}()
		}
		nas.asMallory(front)
		linked := ada.asks()
		q := nas.question(app.AskNearby)
		if q.Name != "ada's laptop" {
			t.Errorf("nas is asked about %q, want the stolen name", q.Name)
		}
		w.must(nas.Answer(t.Context(), q.ID, app.ChoiceOpen))
		a, b := ada.question(app.AskSame), nas.question(app.AskSame)
		if slices.Equal(a.Words, b.Words) {
			t.Errorf("both screens show %v with somebody in between", a.Words)
		}
		w.must(ada.Answer(t.Context(), a.ID, app.ChoiceDifferent))
		w.must(nas.Answer(t.Context(), b.ID, app.ChoiceDifferent))
		if err := <-linked; err == nil || !strings.Contains(err.Error(), "in between") {
			t.Errorf("PairNearby = %v, want that somebody may be in between", err)
		}
		if err := <-relayed; err == nil {
			t.Error("the man in the middle is linked")
		}
		for _, d := range []*device{ada, nas} {
			d.never("keeps something", time.Minute, paired)
		}
		if len(front.records)+len(back.records) > 0 {
			t.Error("the man in the middle has a record")
		}
	})
}

// asMallory has this device found by others at a stranger's address.
func (d *device) asMallory(s *stranger) {
	for _, o := range *d.near.Load() {
		o.near.Store(&[]*device{{name: d.name, addr: s.Announcement().Candidates[0].Addr}})
	}
}

// Its user ends the command while the other one has not answered.
func TestNearbyTakenBack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, nas := w.home()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := ada.PairNearby(ctx, ada.State().Nearby[0].ID)
			ended <- err
		}()
		nas.question(app.AskNearby)
		cancel()
		if err := <-ended; err == nil {
			t.Error("PairNearby = nil, want an error")
		}
		nas.question(app.AskBrokenOff)
		nas.never("asked", time.Minute, func(s app.State) bool {
			return slices.ContainsFunc(s.Questions, func(q app.Question) bool { return q.Kind == app.AskNearby })
		})
	})
}

// A device shows its name in the first hour of a home without another device,
// and else only while its user wants it.
func TestNearbyVisible(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada := w.device("ada")
		visible := func(s app.State) bool { return s.Device.Visible }
		hidden := func(s app.State) bool { return !s.Device.Visible }
		ada.eventually("visible after it was installed", time.Minute, visible)
		time.Sleep(time.Hour)
		ada.eventually("hidden an hour later", time.Minute, hidden)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- ada.OpenNearby(ctx, 10*time.Minute) }()
		ada.eventually("visible", time.Minute, visible)
		cancel()
		<-ended
		time.Sleep(9 * time.Minute)
		if hidden(ada.State()) {
			t.Error("hidden nine minutes after the command, want visible for ten")
		}
		ada.eventually("hidden", 2*time.Minute, hidden)
		ada.restart()
		ada.never("visible after a restart", time.Minute, visible)
	})
}

func addrs(d *device) []netip.AddrPort { return []netip.AddrPort{d.addr} }
