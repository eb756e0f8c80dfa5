package e2e

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/app/node"
	"foldpost/mail"
	"foldpost/mail/mailtest"
	"foldpost/p2p"
)

// TestPairByMail: six words and a mail pair two devices, however slow mail is.
func TestPairByMail(t *testing.T) {
	for _, latency := range []time.Duration{2 * time.Second, time.Minute, 10 * time.Minute} {
		t.Run(latency.String(), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.mail.SetFaults(mailtest.Faults{Delay: latency})
				ada, bob := w.device("ada"), w.device("bob")
				ada.mailbox()
				bob.mailbox()
				inv := ada.invite(bob)
				bob.eventually("invited", latency+time.Minute, invited)
				w.must(bob.accept(inv.Words))
				for _, d := range []*device{ada, bob} {
					d.eventually("linked", time.Minute, connected)
					if v := d.State().Devices[0].Verified; v != "words" {
						t.Errorf("%s: verified by %q, want words", d.name, v)
					}
				}
				if o := ada.State().Devices[0].Owner; o != bob.email {
					t.Errorf("ada: owner %q, want whom she invited", o)
				}
				if o := bob.State().Devices[0].Owner; o != ada.email {
					t.Errorf("bob: owner %q, want whose letter he opened", o)
				}
			})
		})
	}
}

// TestPairOverFaultyMail: the same with each fault of mail that leaves a copy.
func TestPairOverFaultyMail(t *testing.T) {
	for name, f := range map[string]mailtest.Faults{
		"duplicated": {Duplicate: true},
		"reordered":  {Reorder: true},
		"spam":       {Junk: true},
		"greylisted": {Greylist: true},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.mail.SetFaults(f)
				ada, bob := w.device("ada"), w.device("bob")
				ada.mailbox()
				bob.mailbox()
				if f.Junk { // looked at only while an invitation of one's own is open
					_, err := bob.Invite(t.Context(), app.InviteRequest{To: "cem@c.example"})
					w.must(err)
				}
				inv := ada.invite(bob)
				bob.eventually("invited", time.Hour, invited)
				if n := len(bob.State().Questions); n != 1 {
					t.Errorf("bob: %d questions, want one", n)
				}
				w.must(bob.accept(inv.Words))
				ada.eventually("linked", 10*time.Minute, connected)
				bob.eventually("linked", time.Minute, connected)
			})
		})
	}
}

// TestMailIsLost: the words wait; sent by hand, the same invitation works.
func TestMailIsLost(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.mail.SetFaults(mailtest.Faults{Drop: true})
		ada, bob := w.device("ada"), w.device("bob")
		ada.mailbox()
		bob.mailbox()
		inv := ada.invite(bob)
		bob.never("invited", time.Hour, invited)
		again := ada.invite(bob)
		if again.ID != inv.ID || again.Words != inv.Words {
			t.Errorf("inviting again gave another invitation: %s %s", again.ID, inv.ID)
		}
		if len(again.Mailto) == 0 || len(again.Mailto) >= 1500 {
			t.Errorf("mailto of %d characters, want 1 to 1499", len(again.Mailto))
		}
		_, err := bob.Accept(t.Context(), app.AcceptRequest{Input: again.Text, Words: again.Words})
		w.must(err)
		bob.eventually("linked", time.Minute, connected)
	})
}

// TestByHandNeedsNoMailbox: file, text and no account on either side.
func TestByHandNeedsNoMailbox(t *testing.T) {
	for _, form := range []string{"text", "file"} {
		inWorld(t, func(t *testing.T, w *world) {
			ada, bob := w.device("ada"), w.device("bob")
			inv, err := ada.Invite(t.Context(), app.InviteRequest{To: bob.email, ByHand: true, Note: "Hi Bob"})
			w.must(err)
			if inv.Mailed || !strings.Contains(inv.Text, "Hi Bob") {
				t.Errorf("mailed %v, text %q", inv.Mailed, inv.Text)
			}
			input := inv.Text
			if form == "file" {
				input = string(inv.File)
			}
			p, err := bob.Look(t.Context(), input)
			if err != nil || !p.NeedsWords || p.Accepted {
				t.Errorf("Look = %+v, %v, want it to need words", p, err)
			}
			taken, err := bob.Accept(t.Context(), app.AcceptRequest{Input: input, Words: inv.Words})
			w.must(err)
			if p, err := bob.Look(t.Context(), input); err != nil || !p.Accepted || p.ID != taken.ID {
				t.Errorf("Look again = %+v, %v, want invitation %s, accepted", p, err, taken.ID)
			}
			ada.eventually("linked", time.Minute, connected)
			bob.eventually("linked", time.Minute, connected)
		})
	}
}

// TestMisheardWord is repaired, and its user told.
func TestMisheardWord(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.device("ada"), w.device("bob")
		inv, err := ada.Invite(t.Context(), app.InviteRequest{To: bob.email, ByHand: true})
		w.must(err)
		typed, heard, fits := mishear(inv.Words)
		for fits == "" { // none of the six has a word like it
			w.must(ada.Withdraw(t.Context(), inv.ID))
			inv, err = ada.Invite(t.Context(), app.InviteRequest{To: bob.email, ByHand: true})
			w.must(err)
			typed, heard, fits = mishear(inv.Words)
		}
		got, err := bob.Accept(t.Context(), app.AcceptRequest{Input: inv.Text, Words: typed})
		if err != nil || got.Heard != heard || got.Fits != fits {
			t.Errorf("Accept = %+v, %v, want %s heard and %s to fit", got, err, heard, fits)
		}
		bob.eventually("linked", time.Minute, connected)
	})
}

// mishear replaces a word by one of the list that has another
// last letter.
func mishear(words string) (typed, heard, fits string) {
	six := strings.Fields(words)
	for i, word := range six {
		stem := word[:len(word)-1]
		for _, other := range p2p.Complete(stem) {
			if other != word && len(other) <= len(word) {
				six[i] = other
				return strings.Join(six, " "), other, word
			}
		}
	}
	return "", "", ""
}

// TestWrongWords cost nothing.
func TestWrongWords(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.device("ada"), w.device("bob")
		ada.mailbox()
		bob.mailbox()
		inv := ada.invite(bob)
		bob.eventually("invited", time.Minute, invited)
		for _, words := range []string{"", "one two", "abacus abdomen abdominal abide abiding ability", strings.Repeat("zzzz ", 6)} {
			if err := bob.accept(words); app.CodeOf(err) != app.CodeWords {
				t.Errorf("accept(%q) = %v, want code words", words, err)
			}
		}
		ada.never("burnt or paired", 5*time.Minute, func(s app.State) bool { return !step(app.StepWaiting)(s) && !step(app.StepSending)(s) })
		w.must(bob.accept(strings.ToUpper(strings.ReplaceAll(inv.Words, " ", " - "))))
		bob.eventually("linked", time.Minute, connected)
	})
}

func TestExpiredInvitation(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.device("ada"), w.device("bob")
		ada.mailbox()
		bob.mailbox()
		inv, err := ada.Invite(t.Context(), app.InviteRequest{To: bob.email, Expires: time.Hour})
		w.must(err)
		bob.eventually("invited", time.Minute, invited)
		time.Sleep(61 * time.Minute) // simulated
		if err := bob.accept(inv.Words); err == nil || !strings.Contains(err.Error(), "expired") {
			t.Errorf("accept of an expired invitation = %v", err)
		}
		ada.eventually("says that it expired", time.Minute, step(app.StepFailed))
	})
}

// TestWithdrawnInvitation: the answerer is told, and nobody is paired.
func TestWithdrawnInvitation(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.device("ada"), w.device("bob")
		ada.mailbox()
		bob.mailbox()
		inv := ada.invite(bob)
		bob.eventually("invited", time.Minute, invited)
		w.must(ada.Withdraw(t.Context(), inv.ID))
		w.must(bob.accept(inv.Words))
		bob.eventually("told", 10*time.Minute, step(app.StepFailed))
		if p := bob.State().Invitations[0].Problem; !strings.Contains(p, "withdrawn") {
			t.Errorf("bob is told %q", p)
		}
		if paired(ada.State()) || paired(bob.State()) {
			t.Error("paired by a withdrawn invitation")
		}
	})
}

// TestInviterRestartsInBetween: an invitation outlives the process that made
// it, and the words can be seen again.
func TestInviterRestartsInBetween(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.device("ada"), w.device("bob")
		ada.mailbox()
		bob.mailbox()
		inv := ada.invite(bob)
		bob.eventually("invited", time.Minute, invited)
		ada.restart()
		if again := ada.invite(bob); again.Words != inv.Words {
			t.Errorf("other words after the restart")
		}
		bob.restart()
		bob.eventually("invited", time.Minute, invited)
		w.must(bob.accept(inv.Words))
		ada.eventually("linked", time.Minute, connected)
		for range 3 {
			ada.restart()
			ada.eventually("linked again", time.Minute, connected)
			bob.restart()
			bob.eventually("linked again", time.Minute, connected)
		}
	})
}

// TestInvitationIsForOne: the second who has the words is told that it was
// used.
func TestInvitationIsForOne(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, cem := w.device("ada"), w.device("bob"), w.device("cem")
		inv, err := ada.Invite(t.Context(), app.InviteRequest{To: bob.email, ByHand: true})
		w.must(err)
		for _, d := range []*device{bob, cem} {
			_, err := d.Accept(t.Context(), app.AcceptRequest{Input: inv.Text, Words: inv.Words})
			w.must(err)
		}
		ada.eventually("paired", time.Minute, paired)
		time.Sleep(5 * time.Minute) // simulated
		if n := len(ada.State().Devices); n != 1 {
			t.Errorf("ada is paired with %d devices, want 1", n)
		}
		if paired(bob.State()) == paired(cem.State()) {
			t.Errorf("bob paired: %v, cem paired: %v; want exactly one", paired(bob.State()), paired(cem.State()))
		}
	})
}

// TestAnswerByMail: who can not be reached, but reaches, gets through; who can
// be reached only himself is called after his answer arrived.
func TestAnswerByMail(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.device("ada"), w.device("bob")
		ada.mailbox()
		bob.mailbox()
		inv := ada.invite(bob)
		bob.eventually("invited", time.Minute, invited)
		w.refuseFrom(bob, ada) // bob's first packets do not get through, as at a router
		w.must(bob.accept(inv.Words))
		ada.eventually("linked", 2*time.Minute, connected)
		bob.eventually("linked", 2*time.Minute, connected)
		if n := len(w.mail.Messages(ada.email)); n != 1 {
			t.Errorf("%d mails to ada, want one answer", n)
		}
	})
}

// TestUnpair ends the link and the sharing on both sides.
func TestUnpair(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.device("ada"), w.device("bob")
		w.link(ada, bob)
		w.must(ada.Unpair(t.Context(), ada.State().Devices[0].ID))
		bob.eventually("disconnected", time.Minute, func(s app.State) bool { return !connected(s) })
		if paired(ada.State()) {
			t.Error("ada still shows the device")
		}
		bob.never("connected again", 10*time.Minute, connected)
	})
}

// TestDamagedLink: a link that lost something on its way does not stand in the
// way of the right one.
func TestDamagedLink(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.device("ada"), w.device("bob")
		inv, err := ada.Invite(t.Context(), app.InviteRequest{})
		w.must(err)
		link, err := mail.ParseLink(inv.Link)
		w.must(err)
		link.Secret[3] ^= 1
		damaged, err := link.Reveal()
		w.must(err)
		for _, input := range []string{inv.Link[:40], inv.Link + "x", damaged + "&home=/etc"} {
			if _, err := bob.Accept(t.Context(), app.AcceptRequest{Input: input}); err == nil {
				t.Errorf("Accept(%.20s…) of a damaged link = nil", input)
			}
		}
		for _, input := range []string{damaged, inv.Link} {
			_, err := bob.Accept(t.Context(), app.AcceptRequest{Input: input})
			w.must(err)
		}
		ada.letIn()
		bob.eventually("linked", time.Minute, connected)
	})
}

// TestBothInviteEachOther: two invitations that cross make one pairing, on
// both sides the same.
func TestBothInviteEachOther(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.device("ada"), w.device("bob")
		fromAda, err := ada.Invite(t.Context(), app.InviteRequest{})
		w.must(err)
		fromBob, err := bob.Invite(t.Context(), app.InviteRequest{})
		w.must(err)
		ada.sayYes()
		bob.sayYes()
		var both sync.WaitGroup
		for d, link := range map[*device]string{ada: fromBob.Link, bob: fromAda.Link} {
			both.Go(func() {
				if _, err := d.Accept(t.Context(), app.AcceptRequest{Input: link}); err != nil {
					t.Errorf("%s: Accept = %v", d.name, err)
				}
			})
		}
		both.Wait()
		for _, d := range []*device{ada, bob} {
			d.eventually("linked", 5*time.Minute, connected)
		}
		time.Sleep(30 * time.Minute) // simulated
		for _, d := range []*device{ada, bob} {
			d.restart()
			d.eventually("linked after a restart", 5*time.Minute, connected)
			if n := len(d.State().Devices); n != 1 {
				t.Errorf("%s has %d devices, want 1", d.name, n)
			}
		}
		a, b := ada.steal().Peers, bob.steal().Peers
		if len(a) != 1 || len(b) != 1 || a[0].Pairwise != b[0].Pairwise {
			t.Errorf("ada keeps %d records, bob %d, or their secrets differ", len(a), len(b))
		}
	})
}

// TestPairAgain: a device that was removed on one side, or is known already,
// pairs again; folders go on.
func TestPairAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.two()
		s := w.share("Photos", ada, bob)
		want := map[string]string{"a": "1"}
		files(s.on(ada), want)
		s.settled(want, ada, bob)
		w.link(bob, ada) // known already
		time.Sleep(time.Minute)
		want["b"] = "2"
		s.on(ada).Write("b", "2")
		s.settled(want, ada, bob)

		w.must(ada.Unpair(t.Context(), bob.State().Device.ID))
		bob.eventually("not linked", time.Minute, func(st app.State) bool { return !connected(st) })
		w.link(ada, bob)
		want["c"] = "3"
		s.on(ada).Write("c", "3")
		time.Sleep(time.Minute) // simulated
		if got := s.contents(bob)["c"]; got != "" {
			t.Error("bob was given what ada has not shared anew")
		}
		_, err := ada.Share(t.Context(), app.ShareRequest{Dir: s.dirs[ada], Devices: []app.DeviceID{bob.State().Device.ID}})
		w.must(err) // bob has not left: it goes on
		want["d"] = "4"
		s.on(bob).Write("d", "4")
		s.settled(want, ada, bob)
		for _, d := range []*device{ada, bob} {
			if n := len(d.steal().Peers); n != 1 {
				t.Errorf("%s keeps %d records, want one", d.name, n)
			}
		}
	})
}

// TestSecondProcess: a home is used by one process at a time.
func TestSecondProcess(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada := w.device("ada")
		if _, err := node.New(node.Config{Home: ada.home}); !errors.Is(err, node.ErrRunning) {
			t.Errorf("New for a home in use = %v, want ErrRunning", err)
		}
		ada.restart()
	})
}

// TestAnswerByHand: nobody has a mailbox, and only the inviter reaches the
// other. Looking at the answer does nothing yet; taking it links the two.
func TestAnswerByHand(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.device("ada"), w.device("bob")
		inv, err := ada.Invite(t.Context(), app.InviteRequest{To: bob.email, ByHand: true})
		w.must(err)
		w.refuseFrom(bob, ada)
		taken, err := bob.Accept(t.Context(), app.AcceptRequest{Input: inv.Text, Words: inv.Words})
		w.must(err)
		bob.eventually("told to send his answer", time.Minute, func(s app.State) bool {
			return len(s.Invitations) == 1 && s.Invitations[0].AnswerByHand
		})
		answer, err := bob.Letter(t.Context(), taken.ID)
		w.must(err)
		p, err := ada.Look(t.Context(), answer.Text)
		if err != nil || p.ID != inv.ID {
			t.Errorf("Look at the answer = %+v, %v, want invitation %s", p, err, inv.ID)
		}
		ada.never("linked by a look", 10*time.Minute, paired)
		for range 2 { // the second time it was so already
			got, err := ada.Accept(t.Context(), app.AcceptRequest{Input: answer.Text})
			if err != nil || got.ID != inv.ID {
				t.Errorf("Accept of the answer = %+v, %v, want %s", got, err, inv.ID)
			}
		}
		ada.eventually("linked", 5*time.Minute, connected)
		bob.eventually("linked", time.Minute, connected)
	})
}
