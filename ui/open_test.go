package ui

import "testing"

// TestOpenKeepsWhatWasBegun: a link from outside, which anybody may send, takes
// nothing away from what its user is typing; the next one takes its place.
func TestOpenKeepsWhatWasBegun(t *testing.T) {
	w := newTestWindow(t, fakeWithMail())
	w.askShare("")
	begun := w.sheets[0]
	for range 3 {
		w.Open("foldpost:link")
	}
	if len(w.sheets) != 2 || w.sheets[0] != begun {
		t.Errorf("after three links there are %d sheets, want the one that was begun and one above it", len(w.sheets))
	}
	w.sheets[1].close()
	w.Open("foldpost:link")
	if len(w.sheets) != 2 || w.sheets[0] != begun {
		t.Errorf("after one more link there are %d sheets, want 2", len(w.sheets))
	}
}
