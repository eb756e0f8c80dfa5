package e2e

import (
	"strings"
	"testing"
	"time"

	"foldpost/app"
)

// TestNeverOnTogether: the inviter is off when the other accepts, and comes
// back when the other is off; each learns by mail that both have done their
// part, and the first minute they are on together is enough.
func TestNeverOnTogether(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mails := w.postman()
		ada, bob := w.device("ada"), w.device("bob")
		ada.mailbox()
		bob.mailbox()
		dir, tree := ada.dir("Photos")
		tree.User(t).Write("a.jpg", "a")
		shared, err := ada.Share(t.Context(), app.ShareRequest{Dir: dir, People: []string{bob.email}})
		w.must(err)
		bob.eventually("invited", time.Minute, invited)
		ada.end()
		w.must(bob.accept(shared.Invitations[0].Words))
		time.Sleep(10 * time.Minute)
		bob.end()

		time.Sleep(time.Hour)
		ada.start() // bob's answer waits for her
		ada.eventually("knows that both are done", 2*time.Minute, step(app.StepReserved))
		ada.never("linked", time.Hour, connected)
		ada.end()

		bob.start() // her confirmation waits for him
		bob.eventually("knows that both are done", 2*time.Minute, step(app.StepReserved))
		bob.never("linked", time.Hour, connected)
		bob.end()

		time.Sleep(9 * 24 * time.Hour) // longer than the invitation lived
		ada.start()
		time.Sleep(time.Hour)
		ada.never("paired", time.Minute, paired)
		bob.start()
		bob.eventually("linked", 2*time.Minute, connected)
		ada.eventually("linked", 2*time.Minute, connected)
		bob.eventually("offered the folder", time.Minute, func(s app.State) bool { return len(s.Offers) == 1 })
		if n := mails.count(); n > 4 {
			t.Errorf("%d mails, want 4 at most: %s", n, mails)
		}
	})
}

// TestInviterIsOff when the other accepts, and on again an hour later; and the
// other way round.
func TestInviterIsOff(t *testing.T) {
	for name, answererLeaves := range map[string]bool{"inviter comes back": false, "answerer comes back": true} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				mails := w.postman()
				ada, bob := w.device("ada"), w.device("bob")
				ada.mailbox()
				bob.mailbox()
				inv := ada.invite(bob)
				bob.eventually("invited", time.Minute, invited)
				ada.end()
				w.must(bob.accept(inv.Words))
				time.Sleep(time.Minute)
				if answererLeaves {
					bob.end()
				}
				time.Sleep(time.Hour)
				ada.start()
				if answererLeaves {
					time.Sleep(time.Hour)
					bob.start()
				}
				ada.eventually("linked", 5*time.Minute, connected)
				bob.eventually("linked", time.Minute, connected)
				if n := mails.count(); n > 4 {
					t.Errorf("%d mails, want 4 at most: %s", n, mails)
				}
			})
		})
	}
}

// TestBothMoveBeforeTheyMeet: a reserved invitation goes on at other places.
func TestBothMoveBeforeTheyMeet(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mails := w.postman()
		ada, bob := w.device("ada"), w.device("bob")
		ada.mailbox()
		bob.mailbox()
		inv := ada.invite(bob)
		bob.eventually("invited", time.Minute, invited)
		ada.end()
		w.must(bob.accept(inv.Words))
		time.Sleep(time.Minute)
		bob.end()
		ada.start()
		ada.eventually("knows that both are done", 2*time.Minute, step(app.StepReserved))
		ada.end()
		bob.start()
		bob.eventually("knows that both are done", 2*time.Minute, step(app.StepReserved))
		bob.end()
		ada.move("198.51.100.11:4011")
		bob.move("203.0.113.12:4012")
		time.Sleep(7 * time.Hour)
		ada.start()
		bob.start()
		ada.eventually("linked", 5*time.Minute, connected)
		bob.eventually("linked", time.Minute, connected)
		if got := mails.String(); strings.Count(got, "looking for") == 0 {
			t.Errorf("mails: %s; want one that asks", got)
		}
	})
}

// TestReservedForAnAlias: mail to the address that was invited comes into an
// account of another name.
func TestReservedForAnAlias(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.device("ada"), w.device("bob")
		ada.mailbox()
		bob.mailbox()
		w.mail.Intercept(func(_, to string, raw []byte) []byte {
			if to == "cem@c.example" {
				go func() { w.must(w.mail.Deliver(bob.email, raw)) }()
			}
			return raw
		})
		inv, err := ada.Invite(t.Context(), app.InviteRequest{To: "cem@c.example"})
		w.must(err)
		bob.eventually("invited", time.Minute, invited)
		ada.end()
		w.must(bob.accept(inv.Words))
		time.Sleep(time.Minute)
		bob.end()
		ada.start()
		ada.eventually("knows that both are done", 2*time.Minute, step(app.StepReserved))
		ada.end()
		bob.start()
		bob.eventually("knows that both are done", 2*time.Minute, step(app.StepReserved))
	})
}

// TestReservedIsWithdrawn: before the two met, either user may think better of
// it.
func TestReservedIsWithdrawn(t *testing.T) {
	for name, byInviter := range map[string]bool{"by the inviter": true, "by the answerer": false} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				ada, bob := w.device("ada"), w.device("bob")
				ada.mailbox()
				bob.mailbox()
				inv := ada.invite(bob)
				bob.eventually("invited", time.Minute, invited)
				ada.end()
				w.must(bob.accept(inv.Words))
				time.Sleep(time.Minute)
				bob.end()
				ada.start()
				ada.eventually("knows that both are done", 2*time.Minute, step(app.StepReserved))
				if byInviter {
					w.must(ada.Withdraw(t.Context(), inv.ID))
				}
				ada.end()
				bob.start()
				bob.eventually("knows that both are done", 2*time.Minute, step(app.StepReserved))
				if !byInviter {
					w.must(bob.Withdraw(t.Context(), bob.State().Invitations[0].ID))
				}
				ada.start()
				bob.never("paired", time.Hour, paired)
				ada.never("paired", time.Minute, paired)
			})
		})
	}
}
