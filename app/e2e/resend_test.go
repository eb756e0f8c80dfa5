package e2e

import (
	"bytes"
	"testing"
	"time"

	"foldpost/app"
)

// TestResend: an invitation is mailed once more with the same words, as a mail
// of its own, and not twice for two presses of a button.
func TestResend(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.device("ada"), w.device("bob")
		ada.mailbox()
		inv := ada.invite(bob)
		sent := func(after time.Time) func(app.State) bool {
			return func(s app.State) bool {
				return s.Invitations[0].Step == app.StepWaiting && !s.Invitations[0].Sent.Before(after)
			}
		}
		ada.eventually("mailed", time.Minute, sent(time.Now()))
		time.Sleep(10 * time.Minute) // simulated
		before := time.Now()
		for range 2 {
			w.must(ada.Resend(t.Context(), inv.ID))
			ada.eventually("mailed again", time.Minute, sent(before))
		}
		mails := w.mail.Messages(bob.email)
		if len(mails) != 2 {
			t.Fatalf("bob got %d mails, want 2", len(mails))
		}
		if a, b := messageID(mails[0]), messageID(mails[1]); a == "" || a == b {
			t.Errorf("Message-IDs %q and %q, want two", a, b)
		}
		bob.mailbox()
		bob.eventually("sees the invitation", time.Minute, invited)
		w.must(bob.accept(inv.Words))
		ada.eventually("linked", 2*time.Minute, connected)
		if n := ada.State().Invitations[0].Name; n != "bob's laptop" {
			t.Errorf("ada's invitation names %q, want bob's laptop", n)
		}
		if n := bob.State().Invitations[0].Name; n != ada.email {
			t.Errorf("bob's invitation names %q, want who invites", n)
		}
		ada.restart()
		bob.restart()
		bob.eventually("reads mail again", time.Minute, func(s app.State) bool { return s.Mailbox != nil && s.Mailbox.State == "ok" })
		wantMails(t, ada, app.Mail{Direction: app.Sent, With: bob.email}, app.Mail{Direction: app.Sent, With: bob.email})
		wantMails(t, bob, app.Mail{Direction: app.Received, With: ada.email}, app.Mail{Direction: app.Received, With: ada.email})
		if err := ada.Resend(t.Context(), inv.ID); app.CodeOf(err) != app.CodeNotFound {
			t.Errorf("Resend of a used invitation = %v, want code %s", err, app.CodeNotFound)
		}
	})
}

func messageID(raw []byte) string {
	for line := range bytes.Lines(raw) {
		if id, ok := bytes.CutPrefix(bytes.ToLower(line), []byte("message-id:")); ok {
			return string(bytes.TrimSpace(id))
		}
	}
	return ""
}

// wantMails checks the list of messages, but for times and the wording.
func wantMails(t *testing.T, d *device, want ...app.Mail) {
	t.Helper()
	got, err := d.Mails(t.Context())
	if err != nil || len(got) != len(want) {
		t.Errorf("%s: Mails = %+v, %v, want %+v", d.name, got, err, want)
		return
	}
	for i, m := range got {
		if m.Subject == "" || m.At.IsZero() || m.With != want[i].With || m.Direction != want[i].Direction {
			t.Errorf("%s: mail %d is %+v, want %+v with a time and a subject", d.name, i, m, want[i])
		}
	}
}
