package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"foldpost/app"
	"foldpost/app/apptest"
)

func TestQuestionOrder(t *testing.T) {
	list := []app.Question{
		{ID: "mailbox", Kind: app.AskMailbox, Since: noon.Add(-time.Hour)},
		{ID: "new kind", Kind: "tea"},
		{ID: "offer 2", Kind: app.AskOffer, Since: noon},
		{ID: "offer 1", Kind: app.AskOffer, Since: noon.Add(-time.Minute)},
		{ID: "deletions", Kind: app.AskDeletions, Since: noon},
		{ID: "pairing", Kind: app.AskPairing, Since: noon},
		{ID: "invitation", Kind: app.AskInvitation, Since: noon},
		{ID: "changed", Kind: app.AskChangedKey, Since: noon},
	}
	want := []app.QuestionID{"changed", "pairing", "deletions", "invitation", "offer 1", "offer 2", "mailbox", "new kind"}
	var got []app.QuestionID
	for _, q := range questionOrder(list) {
		got = append(got, q.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("questionOrder() = %q, want %q", got, want)
	}
	if list[0].ID != "mailbox" {
		t.Error("questionOrder() has changed its argument")
	}
}

// asking is a State that the questions of these tests are about.
func asking() app.State {
	return app.State{
		Devices: []app.Device{{ID: "ada", Name: "Ada's laptop", Owner: "ada@example.org"}, {ID: "old", Name: "Bob's PC"}},
		Offers:  []app.Offer{{ID: "o1", Name: "Recipes", From: "ada", Files: 83, Bytes: 4.1e6, Role: "read-only"}},
		Folders: []app.Folder{
			{ID: "photos", Name: "Photos 2026", Path: "/media/disk/Photos", NeedBytes: 38e9},
			{ID: "gone", Name: "Films", Path: "/media/disk/Films", Cause: app.CauseRoot},
		},
	}
}

func TestTextOf(t *testing.T) {
	loss := func(l app.Loss) app.Question {
		return app.Question{Kind: app.AskDeletions, Folder: "photos", Loss: &l, Text: "raw"}
	}
	tests := []struct {
		q          app.Question
		text, safe string
	}{
		{app.Question{Kind: app.AskInvitation, Address: "ada@example.org"}, "An invitation came that says it is from ada@example.org. The six words will prove it: ask for them by phone or chat.", ""},
		{app.Question{ID: "offer-o1", Kind: app.AskOffer}, "ada@example.org (Ada's laptop) shares the folder Recipes with you.", "83 files, 4.1 MB · you receive it and change nothing"},
		{app.Question{ID: "offer-o2", Kind: app.AskOffer, Text: "raw"}, "raw", ""},
		{
			app.Question{Kind: app.AskPairing, Name: "Eve\u202e"},
			"A device that calls itself “Eve\ufffd” used your invite link. Let it in?",
			"The name is its own word. Let it in only if it belongs to whom you gave the link: ask, if you are not sure.",
		},
		{
			app.Question{Kind: app.AskChangedKey, Name: "PC", Address: "bob@example.org", Device: "old"},
			"A device that calls itself “PC”, of bob@example.org, wants to be linked, but it is not Bob's PC, which you know by that name or address. It may be a new or newly installed computer, or somebody else's.",
			"Ask the person by phone or face to face first. Nothing is shared with it before you link it.",
		},
		{loss(app.Loss{Deleted: 61, Of: 200}), "61 of 200 files in Photos 2026 were deleted on this computer. Nobody else was told yet.", "The other devices keep what they lose for 30 days, to be restored there."},
		{loss(app.Loss{Overwritten: 1061, Of: 2000}), "1,061 of 2,000 files in Photos 2026 were overwritten on this computer. Nobody else was told yet.", "The other devices keep what they lose for 30 days, to be restored there."},
		{
			loss(app.Loss{There: true, Deleted: 61, Overwritten: 2, Of: 200}),
			"61 of 200 files in Photos 2026 were deleted and 2 overwritten on another device. Nothing was changed on this computer yet.", "Either way they can be restored for 30 days.",
		},
		{
			loss(app.Loss{Deleted: 55, Of: 60, Told: 40}), "55 of 60 files in Photos 2026 were deleted on this computer. The others were told of the first 40; nobody was told of the rest yet.",
			"The other devices keep what they lose for 30 days, to be restored there.",
		},
		{
			loss(app.Loss{There: true, Overwritten: 55, Of: 60, Told: 1}),
			"55 of 60 files in Photos 2026 were overwritten on another device. The first one was done on this computer too; the rest was not yet.",
			"Either way they can be restored for 30 days.",
		},
		{app.Question{Kind: app.AskDeletions, Text: "older\x1b program"}, "older\ufffd program", "Either way they can be restored for 30 days."},
		{app.Question{Kind: app.AskRoot, Folder: "gone"}, "The directory of Films is not there: /media/disk/Films. Connect its disk, or put it back; nothing is deleted anywhere meanwhile.", ""},
		{app.Question{Kind: app.AskRoot, Folder: "photos"}, "Another directory is where Photos 2026 was, so nothing is compared or changed. Using it deletes nothing: what differs is kept twice.", ""},
		{
			app.Question{Kind: app.AskDisk, Folder: "photos"},
			"Photos 2026 needs 38 GB more, and its disk is full.",
			"What fits is being fetched; nothing was overwritten or removed. It goes on by itself as soon as there is room.",
		},
		{
			app.Question{Kind: app.AskRules, Folder: "photos", Paths: 1},
			"Another member of Photos 2026 changed what is left out. 1 file or folder of this computer, never shared so far, would be shared now.", "Until you answer, they stay out.",
		},
		{app.Question{Kind: "tea", Text: "Milk?"}, "Milk?", ""},
	}
	for _, c := range tests {
		got := textOf(c.q, asking(), usualDays)
		if got.text != c.text || got.safe != c.safe {
			t.Errorf("textOf(%+v) = %q and %q, want %q and %q", c.q, got.text, got.safe, c.text, c.safe)
		}
	}
}

func TestAnswersTo(t *testing.T) {
	choices := func(ids ...string) (cs []app.Choice) {
		for _, id := range ids {
			name, command, _ := strings.Cut(id, "=")
			cs = append(cs, app.Choice{ID: name, Text: "raw " + name, Command: command})
		}
		return cs
	}
	tests := []struct {
		q    app.Question
		want string // each answer; "?" asks once more, "…" opens something
	}{
		{app.Question{Kind: app.AskInvitation, Choices: choices("accept=foldpost accept", "decline")}, "Type the six words …, Ignore it"},
		{app.Question{Kind: app.AskOffer, Choices: choices("join=foldpost join", "decline")}, "Keep it here …, Decline"},
		{app.Question{Kind: app.AskPairing, Choices: choices("yes", "no")}, "Let it in, Refuse it"},
		{app.Question{Kind: app.AskChangedKey, Choices: choices("yes", "no")}, "Link it as well?, Refuse it"},
		{app.Question{Kind: app.AskDeletions, Loss: &app.Loss{Deleted: 61}, Choices: choices("restore", "delete")}, "Bring them back, Delete them for everyone?"},
		{app.Question{Kind: app.AskDeletions, Loss: &app.Loss{Overwritten: 61}, Choices: choices("restore", "delete")}, "Bring them back, Change them for everyone?"},
		{app.Question{Kind: app.AskDeletions, Loss: &app.Loss{Deleted: 61, There: true}, Choices: choices("restore", "delete")}, "Keep them, for everyone, Do it here too?"},
		{app.Question{Kind: app.AskDeletions, Loss: &app.Loss{Deleted: 61, Told: 3}, Choices: choices("restore", "delete")}, "Bring the rest back, Delete them for everyone?"},
		{app.Question{Kind: app.AskDeletions, Choices: choices("restore", "delete")}, "raw restore, raw delete?"},
		{app.Question{Kind: app.AskRoot, Choices: choices("look", "use")}, "The right one is back, Use this directory, It is in another place now …"},
		{app.Question{Kind: app.AskRoot, Choices: choices("move=foldpost move")}, "It is in another place now …"},
		{app.Question{Kind: app.AskDisk, Choices: choices("move=foldpost move")}, "Choose another disk …"},
		{app.Question{Kind: app.AskRules, Choices: choices("share", "keep")}, "Share them too, Keep them out"},
		{app.Question{Kind: app.AskMailbox, Choices: choices("set=foldpost mailbox set", "forget")}, "Set it up again …, Use no e-mail account?"},
		{app.Question{Kind: "tea", Choices: choices("milk")}, "raw milk"},
	}
	for _, c := range tests {
		var got []string
		for _, a := range answersTo(c.q) {
			text := a.text
			if a.sure != "" {
				text += "?"
			}
			if (a.do != nil) != (a.choice == "") {
				t.Errorf("answersTo(%s) has %q with choice %q, and opens something: %v", c.q.Kind, a.text, a.choice, a.do != nil)
			}
			if (a.do != nil) != strings.HasSuffix(a.text, "…") {
				t.Errorf("answersTo(%s) has %q, which opens something: %v", c.q.Kind, a.text, a.do != nil)
			}
			got = append(got, text)
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("answersTo(%s) = %s, want %s", c.q.Kind, s, c.want)
		}
	}
}

// deletions is a question that everybody understands.
var deletions = app.Question{
	ID: "photos-deletions-here", Kind: app.AskDeletions, Folder: "photos", Since: noon, Loss: &app.Loss{Deleted: 61, Of: 200},
	Choices: []app.Choice{{ID: "restore", Text: "Bring them back"}, {ID: "delete", Text: "Do it for everyone"}},
}

func asked(t *testing.T, q app.Question) (*apptest.Fake, *Window) {
	t.Helper()
	f := apptest.NewFake()
	f.Update(func(s *app.State) {
		a := asking()
		s.Devices, s.Folders, s.Offers = a.Devices, a.Folders, a.Offers
	})
	f.Ask(q)
	return f, newTestWindow(t, f)
}

// TestAnswer: a harmless answer is given at once, a dangerous one after a
// second question, and a refused one stays with the reason.
func TestAnswer(t *testing.T) {
	t.Run("harmless", func(t *testing.T) {
		f, w := asked(t, deletions)
		reads(t, w, "1 thing waits for you", "61 of 200 files in Photos 2026", "Home · 1")
		tap(t, w, "Bring them back")
		answered(t, f, "Answer photos-deletions-here restore")
		if got := texts(w); strings.Contains(got, "61 of 200") {
			t.Errorf("the question is still there:\n%s", got)
		}
	})
	t.Run("dangerous", func(t *testing.T) {
		f, w := asked(t, deletions)
		tap(t, w, "Delete them for everyone")
		answered(t, f)
		reads(t, w, "Delete them for everyone?")
		tap(t, w, "Cancel")
		answered(t, f)
		tap(t, w, "Delete them for everyone")
		tap(t, w, "Delete them for everyone") // of the second question
		answered(t, f, "Answer photos-deletions-here delete")
	})
	t.Run("refused", func(t *testing.T) {
		f, w := asked(t, deletions)
		f.Fail("Answer", app.Errorf(app.CodeFailed, "The folder is being moved. Try again in a minute."))
		tap(t, w, "Bring them back")
		reads(t, w, "61 of 200", "The folder is being moved. Try again in a minute.")
		f.Fail("Answer", nil)
		tap(t, w, "Bring them back")
		answered(t, f, "Answer photos-deletions-here restore")
	})
	t.Run("its text says so afterwards", func(t *testing.T) {
		_, w := asked(t, app.Question{ID: "offer-o1", Kind: app.AskOffer, Choices: []app.Choice{{ID: "join", Command: "foldpost join o1"}, {ID: "decline"}}})
		tap(t, w, "Decline")
		reads(t, w, "Declined. The other side keeps its files")
	})
}

func answered(t *testing.T, f *apptest.Fake, want ...string) {
	t.Helper()
	var got []string
	for _, c := range f.Calls() {
		if strings.HasPrefix(c, "Answer ") {
			got = append(got, c)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the service was called with %q, want %q", got, want)
	}
}

// TestMoved: where a directory is missing, its user shows where it is.
func TestMoved(t *testing.T) {
	f, w := asked(t, app.Question{ID: "gone-missing", Kind: app.AskRoot, Folder: "gone", Choices: []app.Choice{{ID: "move", Command: "foldpost move gone DIR"}}})
	dir := t.TempDir()
	tap(t, w, "It is in another place now …")
	typeInto(t, w, "path of a folder", dir)
	tap(t, w, "Choose")
	if want := "Move gone " + dir; !slices.Contains(f.Calls(), want) {
		t.Errorf("the service was called with %q, want %q among it", f.Calls(), want)
	}
}

// TestChangedMeanwhile: who said yes to 61 deletions has not said yes to more.
func TestChangedMeanwhile(t *testing.T) {
	f, w := asked(t, deletions)
	tap(t, w, "Delete them for everyone")
	f.Update(func(s *app.State) { s.Questions[0].Loss = &app.Loss{Deleted: 150, Of: 200} })
	w.sync()
	tap(t, w, "Delete them for everyone") // of the second question
	answered(t, f)
	reads(t, w, "150 of 200 files", "It has become another number of files meanwhile.")
	tap(t, w, "Bring them back")
	answered(t, f, "Answer photos-deletions-here restore")
}

// TestAnsweredElsewhere: a question that was answered on the command line in
// the same moment is no error.
func TestAnsweredElsewhere(t *testing.T) {
	f, w := asked(t, deletions)
	f.Fail("Answer", app.Errorf(app.CodeNotFound, "no question waits: foldpost answer lists them"))
	tap(t, w, "Bring them back")
	reads(t, w, "This does not wait for an answer any more.")
}

// TestSheetsStay: the tray does not close what somebody types into.
func TestSheetsStay(t *testing.T) {
	_, w := asked(t, deletions)
	w.askShare("")
	w.ShowQuestions()
	w.ShowFolder("photos", "")
	w.ShowDevice("ada")
	if len(w.sheets) != 1 {
		t.Errorf("%d sheets are open, want the one that was", len(w.sheets))
	}
}

// TestOpenQuestion: from the tray, a question comes with its answers, and goes
// with its last one, wherever that was given.
func TestOpenQuestion(t *testing.T) {
	f, w := asked(t, deletions)
	w.ShowQuestions()
	reads(t, w, "A question for you", "61 of 200 files", "[Bring them back]", "[Later]")
	if err := f.Answer(t.Context(), deletions.ID, "restore"); err != nil {
		t.Fatal(err)
	}
	w.sync()
	if len(w.sheets) != 0 {
		t.Errorf("the sheet is still open:\n%s", texts(w))
	}
	w.ShowQuestions()
	if len(w.sheets) != 0 {
		t.Errorf("without a question a sheet opens:\n%s", texts(w))
	}
}

// TestEnterAnswersLater: Enter on a question's sheet never decides.
func TestEnterAnswersLater(t *testing.T) {
	f, w := asked(t, deletions)
	w.ShowQuestions()
	w.sheets[0].enter()
	if len(w.sheets) != 0 {
		t.Errorf("Enter has not closed the sheet:\n%s", texts(w))
	}
	answered(t, f)
}

// TestAllQuestions: each kind is worded, wherever the window is narrow.
func TestAllQuestions(t *testing.T) {
	f := apptest.NewFake()
	f.Update(func(s *app.State) {
		a := asking()
		s.Devices, s.Folders, s.Offers = a.Devices, a.Folders, a.Offers
		s.Questions = []app.Question{
			{ID: "1", Kind: app.AskInvitation, Address: "ada@example.org", Choices: []app.Choice{{ID: "accept", Command: "x"}, {ID: "decline"}}},
			{ID: "offer-o1", Kind: app.AskOffer, Choices: []app.Choice{{ID: "join", Command: "x"}, {ID: "decline"}}},
			{ID: "2", Kind: app.AskPairing, Name: "Eve's laptop", Choices: []app.Choice{{ID: "yes"}, {ID: "no"}}},
			{ID: "3", Kind: app.AskChangedKey, Name: "PC", Address: "bob@example.org", Device: "old", Choices: []app.Choice{{ID: "yes"}, {ID: "no"}}},
			deletions,
			{ID: "4", Kind: app.AskRoot, Folder: "gone", Choices: []app.Choice{{ID: "move", Command: "x"}}},
			{ID: "5", Kind: app.AskRoot, Folder: "photos", Choices: []app.Choice{{ID: "look"}, {ID: "use"}}},
			{ID: "6", Kind: app.AskDisk, Folder: "photos", Choices: []app.Choice{{ID: "move", Command: "x"}}},
			{ID: "7", Kind: app.AskRules, Folder: "photos", Paths: 12, Choices: []app.Choice{{ID: "share"}, {ID: "keep"}}},
			{ID: "mailbox", Kind: app.AskMailbox, Text: "Gmail did not accept this password.", Choices: []app.Choice{{ID: "set", Command: "x"}, {ID: "forget"}}},
		}
	})
	w := newTestWindow(t, f)
	w.win.Resize(fyne.NewSize(760, 1600))
	reads(t, w, "10 things wait for you", "Home · 10")
	shot(t, w, "questions")
	golden(t, w, "questions")
	tap(t, w, "Choose another disk …")
	reads(t, w, "No room for Photos 2026", "It is in /media/disk/Photos now.", "[Show where it is now …]")
	w.win.Resize(fyne.NewSize(760, 520))
	shot(t, w, "disk")
	tap(t, w, "Close")
	w.openQuestion(w.state.Questions[6])
	reads(t, w, "A question for you", "Another directory is where Photos 2026 was", "[The right one is back]", "[Use this directory]", "[It is in another place now …]")
	shot(t, w, "question")
}
