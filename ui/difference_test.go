package ui

import (
	"strings"
	"testing"
)

func TestDifference(t *testing.T) {
	for _, c := range []struct{ a, b, as, bs string }{ // lines by letters; own ones are upper-case afterwards
		{"abc", "abc", "abc", "abc"},
		{"abc", "axc", "aBc", "aXc"},
		{"ac", "abc", "ac", "aBc"},
		{"", "ab", "", "AB"},
		{"abcde", "acxe", "aBcDe", "acXe"},
		{"ab", "ba", "Ab", "bA"},
		{"aaa", "aa", "aaA", "aa"},
	} {
		a, b := difference(strings.Split(c.a, ""), strings.Split(c.b, ""))
		if as, bs := marks(a), marks(b); as != c.as || bs != c.bs {
			t.Errorf("difference(%s, %s) = %s, %s, want %s, %s", c.a, c.b, as, bs, c.as, c.bs)
		}
	}
	many := strings.Split(strings.Repeat("x", maxCompared)+"y", "")
	others := strings.Split(strings.Repeat("z", maxCompared)+"w", "")
	a, _ := difference(many, others)
	if got := marks(a); strings.ContainsAny(got, "xy") {
		t.Errorf("difference of %d lines marks %s, want all", len(many), got)
	}
}

func marks(lines []shownLine) string {
	var b strings.Builder
	for _, l := range lines {
		if l.own {
			b.WriteString(strings.ToUpper(l.text))
		} else {
			b.WriteString(l.text)
		}
	}
	return b.String()
}

func TestFromFirst(t *testing.T) {
	a, b := difference(strings.Split("abcdef", ""), strings.Split("abcdxf", ""))
	rest, skipped := fromFirst(a, firstOwn(a, b))
	if marks(rest) != "cdEf" || skipped != 2 {
		t.Errorf("fromFirst = %s, %d, want cdEf, 2", marks(rest), skipped)
	}
	a, b = difference(strings.Split("abc", ""), strings.Split("abcd", ""))
	if rest, skipped := fromFirst(a, firstOwn(a, b)); marks(rest) != "bc" || skipped != 1 {
		t.Errorf("fromFirst of the shorter = %s, %d, want bc, 1", marks(rest), skipped)
	}
}
