package ui

import (
	"reflect"
	"testing"
	"time"

	"foldpost/app"
)

func TestStepsOf(t *testing.T) {
	sick := &app.MailboxState{State: "problem"}
	sent := app.OpenInvitation{Direction: app.Sent, With: "bob", Sent: noon.Add(-time.Hour), Step: app.StepWaiting}
	link := app.OpenInvitation{Direction: app.Sent, Step: app.StepWaiting}
	got := app.OpenInvitation{Direction: app.Received, With: "ada@example.org", Name: "Ada", Step: app.StepLooking}
	at := func(o app.OpenInvitation, s app.Step) app.OpenInvitation { o.Step = s; return o }
	unsent := at(sent, app.StepSending)
	unsent.Sent = time.Time{}
	byHand := sent
	byHand.Sent = time.Time{}
	own := sent
	own.With = "ada@example.org"
	lost := got
	lost.AnswerByHand = true
	off, blocked := at(got, app.StepReserved), at(got, app.StepReserved)
	silent, routers := app.Found(app.FoundSilent, "Name", "Ada"), app.Found(app.FoundChangesHere, "Name", "Ada")
	off.Why, blocked.Why = &silent, &routers
	const last = "Link the two computers: both have to be on for that"
	for _, c := range []struct {
		name string
		o    app.OpenInvitation
		m    *app.MailboxState
		want []step
	}{
		{"sending", unsent, nil, []step{{stepNow, "Sending the mail…"}, {stepLater, "Wait for bob"}, {stepLater, last}}},
		{"stuck", unsent, sick, []step{{stepTrouble, "The mail has not left yet, because your e-mail account has a problem. It is sent as soon as that is solved."}, {stepLater, "Wait for bob"}, {stepLater, last}}},
		{"sent", sent, nil, []step{{stepDone, "Sent 11:00"}, {stepNow, "Waiting for bob; most people need a day"}, {stepLater, last}}},
		{"by hand", byHand, nil, []step{{stepDone, "You send the invitation yourself"}, {stepNow, "Waiting for bob; most people need a day"}, {stepLater, last}}},
		{"own", own, &app.MailboxState{Address: "ADA@example.org"}, []step{{stepDone, "Sent 11:00"}, {stepNow, "Waiting for your other computer"}, {stepLater, last}}},
		{"saving", at(sent, app.StepSaving), nil, []step{{stepDone, "Sent 11:00"}, {stepDone, "bob has the right words"}, {stepNow, "Linking the two computers…"}}},
		{"paired", at(sent, app.StepPaired), nil, []step{{stepDone, "Sent 11:00"}, {stepDone, "bob has the right words"}, {stepDone, "Linked with bob"}}},
		{"link", link, nil, []step{{stepNow, "Waiting for the other device to use the link"}, {stepLater, last}}},
		{"link used", at(link, app.StepPaired), nil, []step{{stepDone, "The link was used"}, {stepDone, "Linked with the other device"}}},
		{"looking", got, nil, []step{{stepDone, "You accepted the invitation of Ada"}, {stepNow, "Looking for the computer of Ada…"}, {stepLater, last}}},
		{"lost", lost, nil, []step{{stepDone, "You accepted the invitation of Ada"}, {stepTrouble, "The computer of Ada does not answer: it may be off, or have moved"}, {stepLater, last}}},
		{"reserved", off, nil, []step{{stepDone, "You accepted the invitation of Ada"}, {stepDone, "Ada knows of your answer"}, {stepNow, "Linked. Files start when both computers are on."}}},
		{"no way", blocked, nil, []step{{stepDone, "You accepted the invitation of Ada"}, {stepDone, "Ada knows of your answer"}, {stepTrouble, routers.Text + " Nothing is lost: it goes on by itself as soon as there is a way."}}},
		{"found", at(got, app.StepSaving), nil, []step{{stepDone, "You accepted the invitation of Ada"}, {stepDone, "Found the computer of Ada"}, {stepNow, "Linking the two computers…"}}},
	} {
		if got := stepsOf(c.o, c.m, noon); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: stepsOf = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFolderWay(t *testing.T) {
	bob := app.Device{ID: "bob", Name: "Bob's laptop", Connected: true}
	away := bob
	away.Connected = false
	with := func(m app.Member) app.Folder {
		m.Device = "bob"
		return app.Folder{Name: "Harz", Files: 12, Members: []app.Member{m}}
	}
	for _, c := range []struct {
		f    app.Folder
		d    app.Device
		want step
	}{
		{with(app.Member{Joined: true, HasAll: true}), bob, step{stepDone, "Harz is complete on both computers."}},
		{with(app.Member{Joined: true, NeedBytes: 3e9}), away, step{stepNow, "Bob's laptop is off now: the files of Harz start when both computers are on."}},
		{with(app.Member{}), bob, step{stepNow, "Bob's laptop still has to say where Harz shall be."}},
		{app.Folder{Name: "Harz"}, bob, step{stepNow, "Bob's laptop still has to say where Harz shall be."}},
		{with(app.Member{Joined: true, NeedBytes: 3e9}), bob, step{stepNow, "12 files of Harz are on their way, 3.0 GB to go. It goes on by itself after a break."}},
	} {
		if got := folderWay(c.f, c.d, noon); got != c.want {
			t.Errorf("folderWay(%+v, %+v) = %q, want %q", c.f.Members, c.d, got, c.want)
		}
	}
}
