package ui

import (
	"slices"
	"strings"
	"testing"

	"foldpost/app/apptest"
)

func TestWordList(t *testing.T) {
	l := allWords()
	if len(l.plain) != 7775 {
		t.Errorf("the list has %d words, want 7776 without yo-yo", len(l.plain))
	}
	for i, w := range l.plain[1:] {
		if strings.HasPrefix(w, l.plain[i]) {
			t.Errorf("%q begins with %q", w, l.plain[i])
		}
	}
	for word, want := range map[string]bool{"violin": true, "VIOLIN": true, "t-shirt": true, "tshirt": true, "yo-yo": true, "violi": false, "": false} {
		if got := l.has(word); got != want {
			t.Errorf("has(%q) = %v, want %v", word, got, want)
		}
	}
}

func TestFit(t *testing.T) {
	for typed, want := range map[string]string{
		"violin": "violin", "violi": "violin", "Violi": "violin", "v": "", "": "", "zzz": "", "tshi": "t-shirt", "t-shi": "t-shirt",
	} {
		if got := allWords().fit(typed); got != want {
			t.Errorf("fit(%q) = %q, want %q", typed, got, want)
		}
	}
}

func TestNear(t *testing.T) {
	for typed, want := range map[string]string{"vilain": "villain", "rockett": "rocket", "umbrela": "umbrella", "qqqqqqqq": "", strings.Repeat("a", 100): ""} {
		if got := allWords().near(typed); got != want {
			t.Errorf("near(%q) = %q, want %q", typed, got, want)
		}
	}
}

func TestReadWords(t *testing.T) {
	six := strings.Fields(apptest.Words)
	for _, c := range []struct {
		text string
		want []string
	}{
		{apptest.Words, six},
		{strings.ToUpper(apptest.Words), six},
		{strings.Join(six, ", ") + ".", six},
		{strings.Join(six, "\r\n"), six},
		{strings.Join(six, " - "), six},
		{strings.Join(six, " · "), six},
		{strings.Join(six, ""), six},
		{"1. violin\n2. rocket\n3) umbrella\n4 canyon\n5: mango\n6 - drift\n", six},
		{"Hi Bob, the words are: violin, rocket, umbrella, canyon, mango, drift. See you!", six},
		{"Hi Bob, here are the words for Foldpost:\n\nviolin rocket umbrella canyon mango drift\n\nAda", six},
		{"t-shirt drop-down felt-tip yo-yo violin rocket", []string{"t-shirt", "drop-down", "felt-tip", "yoyo", "violin", "rocket"}},
		{"violin rocket", []string{"violin", "rocket"}},
		{"violin vilain rocket", []string{"violin", "vilain", "rocket"}},
		{"this is a long sentence that has nothing of the kind in it", nil},
		{"foldpost:1/AAAA", []string{"foldpost", "aaaa"}},
		{"", nil},
		{"123 456", nil},
		{strings.Repeat("violin ", 1000), nil},
	} {
		if got := allWords().read(c.text); !slices.Equal(got, c.want) {
			t.Errorf("read(%.80q) = %q, want %q", c.text, got, c.want)
		}
	}
}

// FuzzReadWords: whatever is pasted gives at most six words, each of letters.
func FuzzReadWords(f *testing.F) {
	for _, s := range []string{apptest.Words, "1. violin\n2. rocket", "t-shirt", "\xff\xfe", "ſharp İ", strings.Repeat("a", 5000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := allWords().read(text)
		if len(got) > wordCount {
			t.Errorf("read(%q) = %d words", text, len(got))
		}
		for _, w := range got {
			if letters(w) == "" || shown(w) != w && len(w) <= maxShown {
				t.Errorf("read(%q) has %q", text, w)
			}
		}
	})
}
