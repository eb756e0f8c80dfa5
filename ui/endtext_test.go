package ui

import "testing"

func TestEndText(t *testing.T) {
	if err := SetLanguage("de"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := SetLanguage("en"); err != nil {
			t.Error(err)
		}
	})
	for why, want := range map[string]string{
		"The other person did not let this device in.": "Die andere Person hat dieses Gerät nicht hereingelassen.",
		"Something new\u202e.":                         "Something new\ufffd.",
	} {
		if got := endText(why); got != want {
			t.Errorf("endText(%q) = %q, want %q", why, got, want)
		}
	}
}
