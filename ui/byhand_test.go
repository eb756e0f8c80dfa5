package ui

import "testing"

func TestFileName(t *testing.T) {
	for in, want := range map[string]string{
		"Invitation for bob@example.org": "Invitation for bob@example.org",
		`..\..\a/b:c*?"<>|`:              "abc",
		"x\x00\n\u202e":                  "x",
	} {
		if got := fileName(in); got != want {
			t.Errorf("fileName(%q) = %q, want %q", in, got, want)
		}
	}
}
