package e2e

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/mail"
	"foldpost/mail/mailtest"
	"foldpost/p2p"
)

// post counts the mails that leave from now on.
type post struct {
	mu   sync.Mutex
	sent []time.Time
	subj []string
}

func (w *world) postman() *post {
	p := &post{}
	w.mail.Intercept(func(_, _ string, raw []byte) []byte {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sent = append(p.sent, time.Now())
		_, subject, _ := strings.Cut(string(raw), "Subject: ")
		subject, _, _ = strings.Cut(subject, "\r\n")
		p.subj = append(p.subj, subject)
		return raw
	})
	return p
}

func (p *post) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sent)
}

func (p *post) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.subj, "; ")
}

// since is how long ago the first mail left.
func (p *post) since() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.sent[0])
}

// move takes a device that is off to another address.
func (d *device) move(to string) { d.addr = netip.MustParseAddrPort(to) }

// acquainted starts two devices with mailboxes, paired by words, that share a
// folder.
func (w *world) acquainted() (ada, bob *device, s *share) {
	w.t.Helper()
	ada, bob = w.device("ada"), w.device("bob")
	ada.mailbox()
	bob.mailbox()
	inv := ada.invite(bob)
	bob.eventually("invited", time.Hour, invited)
	w.must(bob.accept(inv.Words))
	ada.eventually("linked", time.Minute, connected)
	bob.eventually("linked", time.Minute, connected)
	s = w.share("Photos", ada, bob)
	s.wait(ada, time.Minute)
	s.wait(bob, time.Minute)
	return ada, bob, s
}

// TestFoundAgainByMail: both are somewhere else when they come back, so that
// neither can dial the other.
func TestFoundAgainByMail(t *testing.T) {
	for _, latency := range []time.Duration{2 * time.Second, time.Minute, 10 * time.Minute} {
		t.Run(latency.String(), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				pairing := w.postman()
				ada, bob, _ := w.acquainted()
				w.mail.SetFaults(mailtest.Faults{Delay: latency})
				ada.end()
				bob.end()
				seeking := w.postman()
				ada.move("198.51.100.11:4011")
				bob.move("203.0.113.12:4012")
				ada.start()
				bob.start()
				ada.eventually("linked again", time.Hour, connected)
				if took := seeking.since(); took > 2*latency+3*time.Second {
					t.Errorf("a link %s after the first mail, want twice the latency of mail and 3s at most", took)
				}
				bob.eventually("linked again", time.Minute, connected)
				ada.never("lost", time.Hour, func(s app.State) bool { return !connected(s) })
				if n := pairing.count() + seeking.count(); n > 4 {
					t.Errorf("%d mails, want 4 at most: %s; %s", n, pairing, seeking)
				}
			})
		})
	}
}

// TestFoundAgainBehindOtherRouters: the same where neither may call the other
// before the other called it.
func TestFoundAgainBehindOtherRouters(t *testing.T) {
	for _, latency := range []time.Duration{2 * time.Second, time.Minute} {
		t.Run(latency.String(), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				ada, bob, _ := w.acquainted()
				ada.end()
				bob.end()
				ada.move("192.168.1.2:4001")
				bob.move("10.2.0.2:4002")
				w.homes(map[*device]string{ada: "198.51.100.99", bob: "203.0.113.99"})
				w.mail.SetFaults(mailtest.Faults{Delay: latency})
				ada.start()
				time.Sleep(700 * time.Millisecond) // so that the two questions are not in step
				bob.start()
				began := time.Now()
				ada.eventually("linked again", time.Hour, connected)
				if took := time.Since(began); took > askAfter+2*latency+3*time.Second {
					t.Errorf("a link %s after both began, want %s, twice the latency of mail and 3s at most", took, askAfter)
				}
				if at := ada.State().Devices[0].Address; at != "203.0.113.99:4002" {
					t.Errorf("ada reaches bob at %s, want his router", at)
				}
			})
		})
	}
}

// askAfter is when a device that has moved asks by mail, and a turn of its loop.
const askAfter = 33 * time.Second

// TestFoundAgainInJunk: a filter takes the questions for junk; who asks looks
// there.
func TestFoundAgainInJunk(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, _ := w.acquainted()
		w.mail.SetFaults(mailtest.Faults{Junk: true})
		ada.end()
		bob.end()
		ada.move("198.51.100.11:4011")
		bob.move("203.0.113.12:4012")
		ada.start()
		bob.start()
		ada.eventually("linked again", time.Hour, connected)
	})
}

// TestFoundAgainWhenTheOtherComesLater: the question waits in the mailbox, and
// who was found does not ask itself.
func TestFoundAgainWhenTheOtherComesLater(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, _ := w.acquainted()
		ada.end()
		bob.end()
		ada.move("198.51.100.11:4011")
		ada.start()
		seeking := w.postman()
		ada.never("linked", 5*time.Hour, connected)
		if n := seeking.count(); n != 1 {
			t.Errorf("ada sent %d mails in five hours, want one", n)
		}
		bob.move("203.0.113.12:4012")
		bob.start()
		bob.eventually("linked again", time.Minute, connected)
		ada.eventually("linked again", time.Minute, connected)
	})
}

// TestAskingIsRationed: a device that stays away is asked ever more rarely,
// and a restart does not begin anew.
func TestAskingIsRationed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, _ := w.acquainted()
		ada.end()
		bob.end()
		seeking := w.postman()
		for i := range 12 { // each day of the two at two other places
			ada.move(fmt.Sprintf("198.51.100.%d:4011", 20+i))
			ada.start()
			ada.never("linked", time.Hour, connected)
			ada.end()
		}
		if n := seeking.count(); n != 2 {
			t.Errorf("%d mails in 12 hours at 12 places, want one in six hours: %s", n, seeking)
		}
	})
}

// TestNobodyIsAskedForNothing: who is just off is not written to, while
// nothing waits for it.
func TestNobodyIsAskedForNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, s := w.acquainted()
		bob.end()
		ada.eventually("alone", time.Minute, func(s app.State) bool { return !connected(s) })
		seeking := w.postman()
		ada.never("linked", 8*time.Hour, connected)
		ada.restart()
		ada.never("linked", 2*time.Hour, connected)
		if n := seeking.count(); n != 0 {
			t.Errorf("%d mails to a device that is off: %s", n, seeking)
		}
		s.on(ada).Write("new.txt", "new")
		w.must(ada.Rescan(t.Context(), s.id))
		ada.never("linked", 5*time.Hour, connected)
		if n := seeking.count(); n != 1 {
			t.Errorf("%d mails in five hours to a device that something waits for, want one: %s", n, seeking)
		}
	})
}

// TestLostUnderATransfer: a link breaks while files are on their way; somebody
// may be looking on, so the other is asked at once.
func TestLostUnderATransfer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, _, s := w.acquainted()
		seeking := w.postman()
		w.watch(func(p packet) bool { return true })
		s.on(ada).Write("new.txt", "new")
		w.must(ada.Rescan(t.Context(), s.id))
		time.Sleep(7 * time.Second) // simulated
		if n := seeking.count(); n == 0 {
			t.Error("no mail within 7s after nothing came through any more")
		}
		ada.eventually("lost", time.Minute, func(s app.State) bool { return !connected(s) })
		ada.never("linked", time.Hour, connected)
		if n := seeking.count(); n > 3 {
			t.Errorf("%d mails within an hour, want a question of each side and an answer at most: %s", n, seeking)
		}
	})
}

// TestFormerFriendIsNotAnswered: after unpairing a question gets nothing.
func TestFormerFriendIsNotAnswered(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, _ := w.acquainted()
		bob.end()
		w.must(ada.Unpair(t.Context(), ada.State().Devices[0].ID))
		ada.end()
		ada.move("198.51.100.11:4011")
		bob.move("203.0.113.12:4012")
		ada.start()
		bob.start()
		seeking := w.postman()
		bob.never("linked again", 7*time.Hour, connected)
		if got := seeking.String(); strings.Contains(got, "says where") || seeking.count() == 0 {
			t.Errorf("mails: %s; want questions and no answer", got)
		}
	})
}

// TestPausedDeviceIsSilent: a question is not answered while everything is
// paused.
func TestPausedDeviceIsSilent(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, _ := w.acquainted()
		ada.end()
		bob.end()
		ada.move("198.51.100.11:4011")
		ada.start()
		w.must(ada.Pause(t.Context(), "", 0))
		bob.move("203.0.113.12:4012")
		w.watch(func(p packet) bool { return addrOf(p.From) == bob.addr || addrOf(p.From) == ada.addr }) // only mail gets through
		bob.start()
		seeking := w.postman()
		bob.never("linked again", time.Hour, connected)
		if got := seeking.String(); got != "Foldpost is looking for your computer" {
			t.Errorf("mails: %s; want one question", got)
		}
	})
}

// askOutOfTurn mails a question with a device's keys, by a program that keeps
// no rule.
func (d *device) askOutOfTurn(to *device) {
	d.w.t.Helper()
	b, err := os.ReadFile(filepath.Join(d.home, "identity"))
	d.w.must(err)
	self, err := p2p.UnmarshalIdentity(b)
	d.w.must(err)
	var pairwise p2p.Secret
	for _, p := range d.steal().Peers {
		if p.Peer == fmt.Sprintf("%x", [32]byte(to.id())) {
			d.w.unhex(pairwise[:], p.Pairwise)
		}
	}
	b, err = os.ReadFile(filepath.Join(to.home, "identity"))
	d.w.must(err)
	peer, err := p2p.UnmarshalIdentity(b)
	d.w.must(err)
	p := mail.NewPeerLetter(mail.KindSeek, self, time.Now(), time.Hour, p2p.Token{})
	p.To = to.email
	letter, err := mail.SealPeer(self, mail.Correspondent{Peer: peer.ID(), Static: peer.Static(), Key: pairwise.LettersKey()}, p)
	d.w.must(err)
	d.w.must(mail.NewIMAP(d.w.mail.Account(d.email), slog.New(slog.DiscardHandler)).Send(d.w.t.Context(), mail.Message{
		ID: mail.NewMessageID(d.email), From: d.email, To: to.email, Subject: "?", Date: time.Now(), Letter: letter, FileName: "Letter.foldpost",
	}))
}

// TestFriendWhoAsksAllDay gets one answer: a letter costs its writer nothing.
func TestFriendWhoAsksAllDay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, _ := w.acquainted()
		bob.end()
		w.watch(func(p packet) bool { return true })
		seeking := w.postman()
		for range 20 {
			bob.askOutOfTurn(ada)
			time.Sleep(10 * time.Minute)
		}
		if n := strings.Count(seeking.String(), "says where"); n != 1 {
			t.Errorf("%d answers to 20 questions within four hours, want one: %s", n, seeking)
		}
	})
}
