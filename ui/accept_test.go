package ui

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"foldpost/app"
	"foldpost/app/apptest"
)

// fakeWithMail knows an invitation that came by mail, and one as a link.
func fakeWithMail() *apptest.Fake {
	f := apptest.NewFake()
	f.Receive("letter", app.Proposal{ID: "inv9", From: "ada@example.org"}, apptest.Words)
	f.Ask(app.Question{
		ID: "invitation-letter", Kind: app.AskInvitation, Invitation: "letter", Address: "ada@example.org",
		Text: "An invitation came that says it is from ada@example.org.", Choices: []app.Choice{{ID: "accept", Command: "x"}, {ID: "decline"}},
	})
	f.Receive("foldpost:link", app.Proposal{
		ID: "inv8", From: "ada@example.org", Name: "Ada Lovelace", Expires: noon.AddDate(0, 0, 3),
		Folders: []app.Offer{{ID: "photos", Name: "Photos 2026", Files: 9123, Bytes: 38e9}},
	}, "")
	return f
}

// acts are the calls that the window made for its user, not for itself.
func acts(f *apptest.Fake) []string {
	return slices.DeleteFunc(f.Calls(), func(c string) bool { return c == "Config" })
}

// fields are the six fields that the window shows.
func fields(t *testing.T, w *Window) []*entry {
	t.Helper()
	var list []*entry
	find(w, func(o fyne.CanvasObject) bool {
		if e, ok := o.(*entry); ok {
			list = append(list, e)
		}
		return false
	})
	if len(list) != wordCount {
		t.Fatalf("the window has %d entries, want %d:\n%s", len(list), wordCount, texts(w))
	}
	return list
}

func typedWords(t *testing.T, w *Window) string {
	t.Helper()
	var list []string
	for _, e := range fields(t, w) {
		list = append(list, e.Text)
	}
	return strings.Join(list, " ")
}

// typeOn types where the focus is, as a person does: Tab, Enter and Backspace
// are "\t", "\n" and "\b".
func typeOn(w *Window, text string) {
	c := w.win.Canvas()
	keys := map[rune]fyne.KeyName{'\n': fyne.KeyReturn, '\b': fyne.KeyBackspace}
	for _, r := range text {
		switch name, ok := keys[r]; {
		case r == '\t':
			test.FocusNext(c)
		case ok && c.Focused() != nil:
			c.Focused().TypedKey(&fyne.KeyEvent{Name: name})
		case ok:
			w.key(&fyne.KeyEvent{Name: name})
		case r == ' ' && c.Focused() != nil:
			c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
			c.Focused().TypedRune(r)
		default:
			c.Focused().TypedRune(r)
		}
	}
	w.sync()
}

// TestFromFileToFirstFile is the whole way of Bob: he opens the file, types the
// words and presses Enter, and presses once more to have the folder.
func TestFromFileToFirstFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "Invitation from Ada.foldpost")
	if err := os.WriteFile(file, []byte("letter"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := fakeWithMail()
	w := newTestWindow(t, f)
	w.Open(file)
	reads(t, w, "An invitation that says it is from", "ada@example.org", "The six words will prove it.")
	golden(t, w, "accept_words")
	typeOn(w, "violi rocket\tumbrel canyon mango drift\n")
	reads(t, w, "Looking for the computer of ada@example.org…")
	f.PairWith("inv9", app.Device{ID: "adaid", Name: "Ada's laptop", Owner: "ada@example.org", Connected: true, Verified: "words"})
	w.sync()
	reads(t, w, "Linked with ada@example.org (Ada's laptop)")
	offer(f, "photos", "Photos 2026")
	w.sync()
	reads(t, w, "ada@example.org shares a folder with you", "Photos 2026", "38 GB, 9,123 files", "<path of a folder: ~/Foldpost/Photos 2026>", "100 GB free on this disk.")
	golden(t, w, "join")
	typeOn(w, "\n")
	reads(t, w, "Linked with ada@example.org", "0 of 9,123 files are here.")
	f.Update(func(s *app.State) {
		s.Folders[0].Files, s.Folders[0].NeedFiles, s.Folders[0].ETAms = 214, 8909, 3600_000
	})
	w.sync()
	reads(t, w, "214 of 9,123 files are here.", "about 60 minutes")
	f.Finish("photos")
	w.sync()
	reads(t, w, "All is here: 9,123 files.")
	tap(t, w, "Done")
	if len(w.sheets) != 0 {
		t.Errorf("%d sheets are left open", len(w.sheets))
	}
	want := []string{"Look", "Accept " + apptest.Words, "Measure /home/ada/Foldpost/Photos 2026", "Join photos /home/ada/Foldpost/Photos 2026"}
	if got := acts(f); !slices.Equal(got, want) {
		t.Errorf("calls are %q, want %q", got, want)
	}
}

func TestWordFields(t *testing.T) {
	w := newTestWindow(t, fakeWithMail())
	for _, c := range []struct{ typed, want string }{
		{"violin rocket umbrella", "violin rocket umbrella   "},
		{"violi rocket umbrel", "violin rocket umbrel   "},       // the last is not left yet
		{"violi\trocket\tumbrel\t", "violin rocket umbrella   "}, // Tab leaves
		{"VIOLIN Rocket ", "violin rocket    "},                  // whatever the keyboard does
		{"vio ab", "vio ab    "},                                 // several begin so: to be finished later
		{"vilain rocket ", "vilain rocket    "},                  // none does: to be mended later
		{"violin rocket \b\b", "violin rocke    "},               // back over an empty field
		{"  violin", "violin     "},                              // nothing to complete
		{"violinrocketumbrella", "violin rocket umbrella   "},    // glued
		{"violin,rocket;umbrella.", "violin rocket umbrella   "}, // other borders
	} {
		w.closeSheets()
		w.askAccept("letter")
		typeOn(w, c.typed)
		if got := typedWords(t, w); got != c.want {
			t.Errorf("typing %q gives %q, want %q", c.typed, got, c.want)
		}
	}
}

// TestPasteWords: one paste fills all fields, in whichever it is made.
func TestPasteWords(t *testing.T) {
	w := newTestWindow(t, fakeWithMail())
	for _, text := range []string{
		apptest.Words,
		"Hi Bob, the six words are:\n\n" + strings.ReplaceAll(strings.ToUpper(apptest.Words), " ", ", ") + "\n\nAda",
		"1. violin\n2. rocket\n3. umbrella\n4. canyon\n5. mango\n6. drift",
	} {
		for i := range wordCount {
			w.closeSheets()
			w.askAccept("letter")
			w.app.Clipboard().SetContent(text)
			fields(t, w)[i].TypedShortcut(&fyne.ShortcutPaste{Clipboard: w.app.Clipboard()})
			if got := typedWords(t, w); got != apptest.Words {
				t.Errorf("pasting %q into field %d gives %q", text, i+1, got)
			}
		}
	}
}

// TestWrongWords: they cost nothing and stay, and a word that is in no list is
// marked by words.
func TestAcceptWrongWords(t *testing.T) {
	f := fakeWithMail()
	w := newTestWindow(t, f)
	w.askAccept("letter")
	typeOn(w, "abacus vilain umbrella canyon mango drift\n")
	reads(t, w, "is it villain?")
	if got := acts(f); len(got) != 1 {
		t.Errorf("an unknown word is tried: %q", got)
	}
	fields(t, w)[1].SetText("villain")
	typeOn(w, "\n")
	reads(t, w, "These words do not open this invitation.", "you can try as often as you like", "<: abacus>")
	golden(t, w, "accept_wrong")
	fields(t, w)[0].SetText("violin")
	fields(t, w)[1].SetText("rocket")
	typeOn(w, "\n")
	reads(t, w, "Looking for the computer of")
}

// TestMisheardWord: which word it was is told also where the two computers find
// each other at once.
func TestMisheardWord(t *testing.T) {
	f := fakeWithMail()
	w := newTestWindow(t, f)
	w.askAccept("letter")
	typeOn(w, "villain rocket umbrella canyon mango drift\n")
	reads(t, w, "Heard “villain”, but “violin” fits.", "Looking for the computer of")
	f.Update(func(s *app.State) {
		s.Devices = append(s.Devices, app.Device{ID: "adaid", Name: "Ada's laptop", Verified: "words", Connected: true})
		s.Invitations[0].Step, s.Invitations[0].Device = app.StepPaired, "adaid"
	})
	offer(f, "photos", "Photos 2026")
	w.sync()
	reads(t, w, "Photos 2026", "Linked with", "Heard “villain”, but “violin” fits.")
}

// TestLinksPropose: nothing that comes from outside acts before its user does.
func TestLinksPropose(t *testing.T) {
	file := filepath.Join(t.TempDir(), "link.foldpost")
	if err := os.WriteFile(file, []byte("foldpost:link"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func(*Window){
		"link":   func(w *Window) { w.Open("foldpost:link") },
		"file":   func(w *Window) { w.Open(file) },
		"drop":   func(w *Window) { w.openFile(file) },
		"letter": func(w *Window) { w.Open("letter") },
		"paste":  func(w *Window) { w.app.Clipboard().SetContent("foldpost:link"); w.paste() },
	} {
		f := fakeWithMail()
		w := newTestWindow(t, f)
		open(w)
		if got := acts(f); !slices.Equal(got, []string{"Look"}) {
			t.Errorf("%s: calls are %q, want only Look", name, got)
		}
	}
}

func TestAcceptLink(t *testing.T) {
	f := fakeWithMail()
	w := newTestWindow(t, f)
	w.Open("foldpost:link")
	reads(t, w, "Ada Lovelace, ada@example.org", "Photos 2026", "38 GB, 9,123 files", "Good until Monday, 12:00.", "[Not now]")
	golden(t, w, "accept_link")
	tap(t, w, "Accept")
	reads(t, w, "Looking for the computer of Ada Lovelace…")
}

// TestTake: what is no invitation is said so where it was given.
func TestTake(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"a.foldpost": "letter", "other.txt": "hello", "large.txt": strings.Repeat("x", maxInvitation+1)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := newTestWindow(t, fakeWithMail())
	for _, c := range []struct{ file, want string }{
		{"a.foldpost", "The six words will prove it."},
		{"other.txt", "This is no invitation"},
		{"large.txt", "“large.txt” is no invitation. Choose the file from the mail; its name ends in .foldpost."},
		{"gone.foldpost", "“gone.foldpost” is not there any more."},
		{".", "” is a folder. Choose the file from the mail."},
	} {
		w.closeSheets()
		w.askAccept("")
		w.sheets[0].dropped(filepath.Join(dir, c.file))
		reads(t, w, c.want)
	}
	w.closeSheets()
	w.askAccept("")
	golden(t, w, "accept_take")
	typeInto(t, w, "Paste the whole message here", "nonsense")
	tap(t, w, "Next")
	reads(t, w, "This is no invitation", "nonsense")
	w.sheets[0].pasted(strings.Repeat("x", maxInvitation+1))
	reads(t, w, "This is too long for an invitation.")
	tap(t, w, "Open") // that came by mail
	reads(t, w, "The six words will prove it.")
}

// TestNameless: a letter that came by hand does not say whom it is from.
func TestNameless(t *testing.T) {
	f := apptest.NewFake()
	f.Receive("letter", app.Proposal{ID: "inv9"}, apptest.Words)
	w := newTestWindow(t, f)
	w.askAccept("letter")
	reads(t, w, "This invitation does not say whom it is from.", "The six words will prove who sent it. Ask that person for them:")
	w.closeSheets()
	file := filepath.Join(t.TempDir(), "Invitation from Ada.foldpost")
	if err := os.WriteFile(file, []byte("letter"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.openFile(file)
	reads(t, w, "An invitation, in the file", "Invitation from Ada.foldpost", "The six words will prove it. Ask the person who sent it for them:")
	typeOn(w, apptest.Words+"\n")
	reads(t, w, "Looking for the computer of the other person…")
}

func TestAsText(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"foldpost letter 1\nAQE=\n", "foldpost letter 1\nAQE=\n"},
		{"\x01\x01\xfe\xff", "AQH+/w=="},
		{"Gr\xfc\xdfe: foldpost:1/AAAA", "Gr?e: foldpost:1/AAAA"},
		{"", ""},
	} {
		if got := asText([]byte(c.in)); got != c.want {
			t.Errorf("asText(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// TestHowFar: each end of the looking is told in words.
func TestHowFar(t *testing.T) {
	for _, c := range []struct {
		change func(*app.OpenInvitation)
		want   []string
	}{
		{func(i *app.OpenInvitation) { i.AnswerByHand = true }, []string{"does not answer", "It may be off, or have moved.", "[Send my answer…]"}},
		{func(i *app.OpenInvitation) { i.Step = app.StepSaving }, []string{"Found. Linking with ada@example.org…"}},
		{func(i *app.OpenInvitation) { i.Name = "Ada Lovelace"; i.Step = app.StepSaving }, []string{"Found. Linking with Ada Lovelace…"}},
		{func(i *app.OpenInvitation) {
			i.Step, i.Problem = app.StepFailed, "this invitation has been used by Bob's PC"
		}, []string{"This invitation can not be used", "This invitation has been used by Bob's PC."}},
		{func(i *app.OpenInvitation) { i.Step = app.StepFailed }, []string{"Ask ada@example.org for a new one."}},
		{func(i *app.OpenInvitation) { i.ID = "other" }, []string{"This invitation is not open any more"}},
	} {
		f := fakeWithMail()
		w := newTestWindow(t, f)
		w.askAccept("letter")
		w.sheets[0].pasted(apptest.Words)
		typeOn(w, "\n")
		f.Update(func(s *app.State) { c.change(&s.Invitations[0]) })
		w.sync()
		reads(t, w, c.want...)
	}
}

// TestMissedThePairing: while the window was hidden the invitation came to its
// end and left the list.
func TestMissedThePairing(t *testing.T) {
	f := fakeWithMail()
	w := newTestWindow(t, f)
	w.askAccept("letter")
	w.sheets[0].pasted(apptest.Words)
	typeOn(w, "\n")
	f.Update(func(s *app.State) {
		s.Invitations = nil
		s.Devices = append(s.Devices, app.Device{ID: "adaid", Name: "Ada's laptop", Owner: "Ada@example.org"})
	})
	w.sync()
	reads(t, w, "Linked with Ada@example.org (Ada's laptop)")
}

func TestAcceptedBefore(t *testing.T) {
	f := fakeWithMail()
	w := newTestWindow(t, f)
	accept := func() { w.closeSheets(); w.sync(); w.askAccept("foldpost:link") }
	accept()
	tap(t, w, "Accept")
	accept()
	reads(t, w, "Looking for the computer of")
	f.Update(func(s *app.State) { s.Invitations = nil })
	accept()
	reads(t, w, "You have accepted this invitation already.")
}

// TestAnswer: the answer to an invitation made here is taken by a press.
func TestTakeAnswer(t *testing.T) {
	f := fakeWithMail()
	inv, err := f.Invite(t.Context(), app.InviteRequest{To: "bob@example.org", ByHand: true})
	if err != nil {
		t.Fatal(err)
	}
	f.Receive("answer", app.Proposal{ID: inv.ID, From: "bob@example.org", Accepted: true}, "")
	w := newTestWindow(t, f)
	w.askAccept("answer")
	reads(t, w, "This is the answer of bob@example.org to your invitation.")
	tap(t, w, "Use it")
	if got := acts(f); !slices.Contains(got, "Accept") {
		t.Errorf("calls are %q, want Accept", got)
	}
}

// interrupted does something while Look runs.
type interrupted struct {
	*apptest.Fake
	during func()
}

func (s *interrupted) Look(ctx context.Context, input string) (app.Proposal, error) {
	s.during()
	return s.Fake.Look(ctx, input)
}

// TestClosedMeanwhile: a sheet that was closed does not come back.
func TestClosedMeanwhile(t *testing.T) {
	w := newTestWindow(t, fakeWithMail())
	w.svc = &interrupted{fakeWithMail(), w.closeSheets}
	w.askAccept("letter")
	if len(w.sheets) != 0 {
		t.Errorf("%d sheets are open after it was closed", len(w.sheets))
	}
}
