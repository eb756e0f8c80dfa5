package wire

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is how many runes of a foreign name are shown.
const MaxName = 64

// SafeName returns a name that another device chose in a form that may be
// shown on a terminal, in a dialog or in a list: valid UTF-8 in one line, at
// most [MaxName] runes, with every control, escape, bidirectional, zero-width,
// private and unassigned character replaced by "\ufffd". A name that was cut
// ends in "…". It does not escape markup: who shows names as markup does that.
func SafeName(name string) string {
	if len(name) > 4*(MaxName+1) { // bounded before it is looked at; a cut rune becomes \ufffd and is cut off below
		name = name[:4*(MaxName+1)]
	}
	var b strings.Builder
	marks := 0
	for i, r := range []rune(strings.TrimSpace(name)) {
		if i == MaxName {
			return cutLast(b.String()) + "…"
		}
		if unicode.Is(unicode.M, r) {
			marks++
		} else {
			marks = 0
		}
		if !showable(r) || marks > maxMarks {
			r = utf8.RuneError
		}
		b.WriteRune(r)
	}
	return b.String()
}

// maxMarks is how many combining marks one letter may carry: more are piled
// up to cover the lines around them.
const maxMarks = 4

// showable is true for what has ink, and for the plain space.
func showable(r rune) bool {
	switch {
	case r == ' ':
		return true
	case r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0' || r == '\u034f' || r == '\u2800': // letters and marks without ink
		return false
	case unicode.Is(unicode.Variation_Selector, r):
		return false
	}
	return unicode.IsPrint(r) // letters, marks, numbers, punctuation, symbols
}

func cutLast(s string) string {
	_, n := utf8.DecodeLastRuneInString(s)
	return s[:len(s)-n]
}
