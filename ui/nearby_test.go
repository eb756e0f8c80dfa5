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

// withNeighbour is a device that has found Bob's laptop nearby.
func withNeighbour() *apptest.Fake {
	f := apptest.NewFake()
	f.Update(func(s *app.State) {
		s.Device.Name = "Ada's computer"
		s.Nearby = []app.Nearby{{ID: "near", Name: "Bob's laptop", Since: noon}}
	})
	return f
}

// waitFor waits until a call that goes on beside the test has changed the State
// so, and draws it.
func waitFor(t *testing.T, w *Window, what string, ok func(app.State) bool) {
	t.Helper()
	for s := range w.svc.Watch(t.Context()) {
		if ok(s) {
			w.sync()
			return
		}
	}
	t.Fatalf("the State never %s", what)
}

// follow does what follows a call that went on beside the test.
func follow(t *testing.T, w *Window) {
	t.Helper()
	select {
	case f := <-w.held:
		f()
		w.sync()
	case <-time.After(10 * time.Second):
		t.Fatal("no call has ended")
	}
}

func asksFor(kind app.QuestionKind) func(app.State) bool {
	return func(s app.State) bool {
		return slices.ContainsFunc(s.Questions, func(q app.Question) bool { return q.Kind == kind })
	}
}

func nearbyRequest() app.Question {
	return app.Question{
		ID: "request", Kind: app.AskNearby, Name: "Bob's laptop", Text: "A device nearby …",
		Choices: []app.Choice{{ID: app.ChoiceOpen, Text: "Compare words"}, {ID: app.ChoiceNo, Text: "Refuse"}},
	}
}

// From the start's third door: the list, the words, linked.
func TestNearby(t *testing.T) {
	f := withNeighbour()
	w := newTestWindow(t, f)
	tap(t, w, "Connect my other computer")
	waitFor(t, w, "is visible", func(s app.State) bool { return s.Device.Visible })
	reads(t, w, "In this network", "Bob's laptop", "They see this computer as Ada's computer")
	looks(t, w, "nearby")
	tap(t, w, "Link")
	waitFor(t, w, "asks to compare", asksFor(app.AskSame))
	reads(t, w, "Compare three words", "negligent\nscouts\nmanmade\n", "[Yes, the same]", "[No, they differ]")
	looks(t, w, "nearby-words")
	golden(t, w, "nearby_words")
	tap(t, w, "Yes, the same")
	reads(t, w, "Now Bob's laptop has to say so, too.")
	follow(t, w)
	if len(w.sheets) != 0 {
		t.Errorf("%d sheets are open once it is linked, want none", len(w.sheets))
	}
	reads(t, w, "Linked with Bob's laptop")
	waitFor(t, w, "hides this device", func(s app.State) bool { return !s.Device.Visible })
}

// Enter presses nothing while words are compared.
func TestNearbyNoHaste(t *testing.T) {
	f := withNeighbour()
	w := newTestWindow(t, f)
	f.Ask(nearbyRequest())
	w.sync()
	reads(t, w, "Bob's laptop wants to be linked")
	looks(t, w, "nearby-request")
	if w.sheets[0].primary != nil {
		t.Error("a request of somebody nearby has a primary button")
	}
	tap(t, w, "Compare words")
	f.Ask(apptest.SameWords("words", "Bob's laptop"))
	w.sync()
	reads(t, w, "negligent")
	if len(w.sheets) != 1 || w.sheets[0].primary != nil {
		t.Errorf("%d sheets, want one without a primary button", len(w.sheets))
	}
}

// The words differ: what that means, and what to do.
func TestNearbyDiffers(t *testing.T) {
	f := withNeighbour()
	w := newTestWindow(t, f)
	w.askNearby()
	tap(t, w, "Link")
	waitFor(t, w, "asks to compare", asksFor(app.AskSame))
	tap(t, w, "No, they differ")
	reads(t, w, "Not linked", "somebody else may be in between. Nothing was shared.", "[Try again]", "[Use an invitation instead]")
	looks(t, w, "nearby-differs")
	tap(t, w, "Try again")
	waitFor(t, w, "asks again", asksFor(app.AskSame))
	reads(t, w, "negligent")
	w.sheets[len(w.sheets)-1].close()
	waitFor(t, w, "forgets the words: closing breaks it off", func(s app.State) bool { return len(s.Questions) == 0 })
}

// A request that fails says why.
func TestNearbyFails(t *testing.T) {
	f := withNeighbour()
	f.Fail("PairNearby", app.Errorf(app.CodeFailed, "Bob's laptop was not reached: is it on?"))
	w := newTestWindow(t, f)
	w.askNearby()
	tap(t, w, "Link")
	follow(t, w)
	reads(t, w, "Not linked", "Bob's laptop was not reached: is it on?")
}

// The side that is asked sees how it ended, on the same sheet.
func TestNearbyAsked(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(f *apptest.Fake)
		want string

		sheets int // that are left
	}{
		{"linked", func(f *apptest.Fake) {
			f.Update(func(s *app.State) {
				s.Devices = append(s.Devices, app.Device{ID: "bob", Name: "Bob's laptop", Verified: "nearby"})
			})
		}, "Linked with Bob's laptop", 0},
		{"broken off", func(f *apptest.Fake) {
			f.Ask(app.Question{ID: "end", Kind: app.AskBrokenOff, Name: "Bob's laptop", Choices: []app.Choice{{ID: app.ChoiceSeen, Text: "All right"}}})
		}, "Linking with “Bob's laptop” broke off. Nothing was shared.", 2},
	} {
		f := withNeighbour()
		w := newTestWindow(t, f)
		w.askInvite() // to be found
		f.Ask(nearbyRequest())
		w.sync()
		tap(t, w, "Compare words")
		f.Ask(apptest.SameWords("words", "Bob's laptop"))
		w.sync()
		tap(t, w, "Yes, the same")
		c.do(f)
		w.sync()
		w.sync() // what the sheet itself has answered
		reads(t, w, c.want)
		if n := len(w.sheets); n != c.sheets {
			t.Errorf("%s: %d sheets are open, want %d", c.name, n, c.sheets)
		}
		if n := len(f.State().Questions); n != 0 {
			t.Errorf("%s: %d questions are left, want none: the sheet has shown it", c.name, n)
		}
	}
}

// What broke off while nobody looked stays on the home screen until it is seen.
func TestNearbyBrokenOffStays(t *testing.T) {
	f := withNeighbour()
	f.Update(func(s *app.State) {
		s.Devices = []app.Device{{ID: "x", Name: "NAS", Verified: "link"}}
	})
	f.Ask(app.Question{ID: "end", Kind: app.AskBrokenOff, Name: "Mallory", Choices: []app.Choice{{ID: app.ChoiceSeen, Text: "All right"}}})
	w := newTestWindow(t, f)
	reads(t, w, "Linking with “Mallory” broke off.", "Nobody can ask this computer now", "[All right]")
	looks(t, w, "nearby-broken")
	tap(t, w, "All right")
	if strings.Contains(texts(w), "Mallory") {
		t.Error("it stays after it was seen")
	}
}

// Closed for safety: the list says so, and opens again when its user wants it.
func TestNearbyShut(t *testing.T) {
	f := apptest.NewFake()
	f.Fail("OpenNearby", app.Errorf(app.CodeFailed, "three requests of devices nearby broke off"))
	w := newTestWindow(t, f)
	w.askNearby()
	follow(t, w)
	reads(t, w, "Three requests of devices nearby broke off", "[Let others find it again]")
	f.Fail("OpenNearby", nil)
	tap(t, w, "Let others find it again")
	waitFor(t, w, "is visible", func(s app.State) bool { return s.Device.Visible })
	reads(t, w, "No other computer is found here yet.")
	if strings.Contains(texts(w), "Guest networks") {
		t.Error("it says why nobody is found before it could know")
	}
}

// Nobody is found: what this computer knows of the reason.
func TestNearbyNobody(t *testing.T) {
	f := apptest.NewFake()
	f.Find(app.Found(app.FoundNobodyNear))
	w := newTestWindow(t, f)
	w.askNearby()
	reads(t, w, "No other computer is found here yet.", "Guest networks and many offices keep devices apart.")
	looks(t, w, "nearby-nobody")
}

// Sharing offers who is near, and chooses who was linked for it; nobody else.
func TestShareNearby(t *testing.T) {
	f := withNeighbour()
	w := newTestWindow(t, f)
	w.askShare(t.TempDir())
	reads(t, w, "Bob's laptop", "[Link]")
	looks(t, w, "nearby-share")
	tap(t, w, "Link")
	waitFor(t, w, "asks to compare", asksFor(app.AskSame))
	f.Update(func(s *app.State) { s.Devices = append(s.Devices, app.Device{ID: "other", Name: "Somebody else's"}) })
	tap(t, w, "Yes, the same")
	follow(t, w)
	checked := map[string]bool{}
	find(w, func(o fyne.CanvasObject) bool {
		if c, ok := o.(*check); ok {
			checked[c.Text] = c.Checked
		}
		return false
	})
	if !checked["Bob's laptop"] || checked["Somebody else's"] || len(checked) != 2 {
		t.Errorf("chosen: %v, want Bob's laptop and nobody else", checked)
	}
	tap(t, w, "Share")
	calls := f.Calls()
	if last := calls[len(calls)-1]; !strings.HasPrefix(last, "Share") || !strings.Contains(last, "ofnear") || strings.Contains(last, "other") {
		t.Errorf("last call %q, want a folder shared with ofnear alone", last)
	}
}

// The tray lists who is near, and links it.
func TestTrayNearby(t *testing.T) {
	f := withNeighbour()
	f.Away()
	entries := nearbyEntries(f.State())
	if len(entries) != 2 || entries[0].Text != "Link with Bob's laptop…" {
		t.Fatalf("entries %+v, want Bob's laptop and the search", entries)
	}
	w := newTestWindow(t, f)
	w.Do(entries[0].Do)
	reads(t, w, "Linking with Bob's laptop", "Open the request on Bob's laptop now", "[Cancel]")
	looks(t, w, "nearby-waits")
	w.closeSheets()
	w.Do(entries[1].Do)
	reads(t, w, "Devices nearby", "[Link]")
}
