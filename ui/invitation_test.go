package ui

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"foldpost/app"
	"foldpost/app/apptest"
)

// invited is a window with an open invitation to Bob, mailed a minute ago.
func invited(t *testing.T) (*apptest.Fake, *Window) {
	t.Helper()
	f := apptest.NewFake()
	f.Update(withMailbox)
	if _, err := f.Invite(t.Context(), app.InviteRequest{To: "bob@example.org", Expires: 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	sentAgo(f, time.Minute)
	return f, newTestWindow(t, f)
}

func sentAgo(f *apptest.Fake, d time.Duration) {
	f.Update(func(s *app.State) {
		o := &s.Invitations[0]
		o.Created, o.Sent, o.Expires = noon.Add(-d), noon.Add(-d), noon.Add(7*24*time.Hour)
	})
}

// TestWordsAgain: what was closed is found again, and stays right.
func TestWordsAgain(t *testing.T) {
	f, w := invited(t)
	w.showInvitation("inv1")
	reads(t, w, "Now tell bob@example.org these six words", "umbrella", "Sent 11:59", "Waiting for bob@example.org; most people need a day", "[Withdraw…]")
	if strings.Contains(texts(w), "[Send again]") {
		t.Error("after a minute the mail can be sent again already")
	}
	sentAgo(f, time.Hour)
	w.sync()
	reads(t, w, "No sign of bob@example.org yet.")
	looks(t, w, "words-late")
	golden(t, w, "words-late")
	tap(t, w, "Send again")
	called(t, f, "Resend inv1")

	f.Update(func(s *app.State) { s.Invitations[0].Step = app.StepSaving })
	w.sync()
	reads(t, w, "bob@example.org has the right words", "Linking the two computers…")
	f.PairWith("inv1", app.Device{ID: "bobid", Name: "Bob's laptop", Connected: true})
	f.Update(func(s *app.State) { s.Invitations[0].Name = "Bob's laptop" })
	w.sync()
	reads(t, w, "Linked with bob@example.org (Bob's laptop)", "The two computers can share folders now.")
	f.Update(func(s *app.State) { s.Invitations = nil }) // after three days
	w.sync()
	reads(t, w, "Linked with bob@example.org (Bob's laptop)")
	tap(t, w, "Show the device")
	if w.place.kind != atDevice || w.place.device != "bobid" {
		t.Errorf("shows %+v, want Bob's laptop", w.place)
	}
}

func TestWithdraw(t *testing.T) {
	f, w := invited(t)
	w.showInvitation("inv1")
	tap(t, w, "Withdraw…")
	reads(t, w, "Its words will open nothing any more.")
	tap(t, w, "Withdraw")
	called(t, f, "Withdraw inv1")
	if len(w.sheets) != 0 {
		t.Errorf("after Withdraw %d sheets are open, want none:\n%s", len(w.sheets), texts(w))
	}
}

// TestMailStuck: an invitation that does not leave says whose fault that is.
func TestMailStuck(t *testing.T) {
	f, w := invited(t)
	f.Update(func(s *app.State) {
		s.Mailbox.State = "problem"
		s.Invitations[0].Step, s.Invitations[0].Sent = app.StepSending, time.Time{}
	})
	w.sync()
	w.showInvitation("inv1")
	reads(t, w, "The mail has not left yet, because your e-mail account has a problem.")
}

// TestInvitationEnds: who has it open learns why.
func TestInvitationEnds(t *testing.T) {
	f, w := invited(t)
	w.showInvitation("inv1")
	f.Update(func(s *app.State) {
		s.Invitations[0].Step, s.Invitations[0].Problem = app.StepFailed, "Nobody used this invitation in time. Invite again."
	})
	w.sync()
	reads(t, w, "Nobody used this invitation in time.", "[Invite again]")
	looks(t, w, "invitation-ended")
	tap(t, w, "Take it from the list")
	called(t, f, "Withdraw inv1")
}

// TestLink: it is made with a click, and its maker is asked when it was used.
func TestLink(t *testing.T) {
	f := apptest.NewFake()
	w := newTestWindow(t, f)
	w.askInvite()
	looks(t, w, "invite")
	golden(t, w, "invite")
	tap(t, w, "Make a link")
	reads(t, w, "A link for the other device", "foldpost:1/inv1", "you will be asked once", "Waiting for the other device to use the link")
	tap(t, w, "Copy the link")
	if got := w.app.Clipboard().Content(); got != "foldpost:1/inv1" {
		t.Errorf("copied %q, want the link", got)
	}
	f.Ask(app.Question{
		ID: "q1", Kind: app.AskPairing, Invitation: "inv1", Text: `A device that calls itself "nas" used your link. Let it in?`,
		Choices: []app.Choice{{ID: app.ChoiceYes, Text: "Let it in"}, {ID: app.ChoiceNo, Text: "Refuse"}},
	})
	w.sync()
	reads(t, w, "nas")
	looks(t, w, "link-asked")
	tap(t, w, "Let it in")
	called(t, f, "Answer q1 yes")
}

// TestInvite: an address, the mail, the words.
func TestInvite(t *testing.T) {
	f := apptest.NewFake()
	f.Update(withMailbox)
	f.Update(func(s *app.State) { s.Devices = []app.Device{{ID: "nasid", Name: "nas", Owner: "ada@example.org"}} })
	w := newTestWindow(t, f)
	w.askInvite()
	for who, want := range map[string]string{"": "Type an e-mail address", "nas": "This device is linked already."} {
		find(w, func(o fyne.CanvasObject) bool {
			if e, ok := o.(*entry); ok {
				e.SetText(who)
			}
			return false
		})
		tap(t, w, "Next")
		reads(t, w, want)
	}
	w.closeSheets()
	w.askInvite()
	typeInto(t, w, "e-mail address", "bob@example.org")
	tap(t, w, "Next")
	reads(t, w, "Hi, let us link our computers.")
	called(t, f, "Draft bob@example.org false")
	tap(t, w, "Send")
	called(t, f, "Invite bob@example.org false 0s")
	reads(t, w, "Now tell bob@example.org these six words")
}

// TestAnswerByHand: who was invited tells where this computer is.
func TestAnswerByHand(t *testing.T) {
	f := apptest.NewFake()
	f.Update(func(s *app.State) {
		s.Invitations = []app.OpenInvitation{{
			ID: "got", With: "ada@example.org", Name: "Ada Lovelace", Direction: app.Received, Step: app.StepLooking, Expires: noon.Add(48 * time.Hour),
		}}
	})
	w := newTestWindow(t, f)
	w.showInvitation("got")
	reads(t, w, "Invitation from Ada Lovelace", "Looking for the computer of Ada Lovelace…")
	if strings.Contains(texts(w), "Send Ada Lovelace your answer") {
		t.Error("an answer is wanted before the other computer was looked for")
	}
	f.Update(func(s *app.State) { s.Invitations[0].AnswerByHand = true })
	w.sync()
	reads(t, w, "The computer of Ada Lovelace does not answer: it may be off, or have moved", "Send Ada Lovelace your answer")
	looks(t, w, "answer-by-hand")
	golden(t, w, "answer-by-hand")
	tap(t, w, "Copy the text")
	if got := w.app.Clipboard().Content(); got != "answer to got" {
		t.Errorf("copied %q, want the answer", got)
	}
	tap(t, w, "Open my mail program")
	reads(t, w, "too long to be handed to a mail program")
	f.PairWith("got", app.Device{ID: "adaid", Name: "Ada's laptop"})
	w.sync()
	reads(t, w, "Linked with Ada Lovelace")
}

// TestInvitationUsedNow: words that are used up at this moment are not needed.
func TestInvitationUsedNow(t *testing.T) {
	f, w := invited(t)
	f.Update(func(s *app.State) { s.Invitations[0].Step = app.StepSaving })
	f.Fail("Letter", app.Errorf(app.CodeNotFound, "no open invitation inv1"))
	w.sync()
	w.showInvitation("inv1")
	reads(t, w, "Invitation to bob@example.org", "bob@example.org has the right words", "Linking the two computers…")
}

// TestInvitationGone: an id from an old notification opens nothing.
func TestInvitationGone(t *testing.T) {
	w := newTestWindow(t, apptest.NewFake())
	w.showInvitation("gone")
	if len(w.sheets) != 0 {
		t.Errorf("a sheet is open:\n%s", texts(w))
	}
}

// TestInvitationRow: one line says how far it is, one button opens it.
func TestInvitationRow(t *testing.T) {
	_, w := invited(t)
	r := newInvitationRow(w)
	until := noon.Add(3 * 24 * time.Hour)
	for _, c := range []struct {
		o    app.OpenInvitation
		want []string
	}{
		{app.OpenInvitation{Direction: app.Sent, With: "bob@example.org", Step: app.StepSending}, []string{"Invitation to bob@example.org", "Sending the mail…", "[Show the words]"}},
		{app.OpenInvitation{Direction: app.Sent, With: "bob@example.org", Step: app.StepWaiting, Expires: until}, []string{"Waiting for an answer. Good until Monday, 12:00."}},
		{app.OpenInvitation{Direction: app.Sent, With: "bob@example.org", Step: app.StepWaiting, Sent: noon.Add(-time.Hour), Expires: until}, []string{"Sent 11:00, no sign yet."}},
		{app.OpenInvitation{Direction: app.Sent, Step: app.StepWaiting, Expires: until}, []string{"A link for another device", "The link is good until Monday, 12:00.", "[Show the link]"}},
		{app.OpenInvitation{Direction: app.Sent, With: "bob@example.org", Name: "Bob's laptop", Step: app.StepPaired, Device: "bobid"}, []string{"Linked with bob@example.org (Bob's laptop)", "[Show the device]"}},
		{app.OpenInvitation{Direction: app.Received, With: "ada@example.org", Step: app.StepWords, Expires: until}, []string{"Invitation from ada@example.org", "Waits for its six words.", "[Type the words]"}},
		{app.OpenInvitation{Direction: app.Received, With: "ada@example.org", Step: app.StepLooking, AnswerByHand: true}, []string{"The other computer does not answer.", "[Send your answer]"}},
		{app.OpenInvitation{Direction: app.Sent, With: "bob@example.org", Step: app.StepFailed, Problem: "Nobody used it."}, []string{"Nobody used it.", "[Open]"}},
	} {
		r.draw(c.o)
		w.shell.show(r.object())
		reads(t, w, c.want...)
	}
}
