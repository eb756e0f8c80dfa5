package wire

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSafeName(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "Ada's laptop", "Ada's laptop"},
		{"scripts", "Bücher 日本語 ملف", "Bücher 日本語 ملف"},
		{"emoji", "Ada 🎈", "Ada 🎈"},
		{"spaces around", "  Ada\t", "Ada"},
		{"new line", "Ada\r\nBcc: eve", "Ada\ufffd\ufffdBcc: eve"},
		{"terminal escape", "\x1b[2JAda", "\ufffd[2JAda"},
		{"C1 escape", "\u009b2J", "\ufffd2J"},
		{"right to left override", "photo\u202egpj.exe", "photo\ufffdgpj.exe"},
		{"isolates", "\u2066a\u2069", "\ufffda\ufffd"},
		{"zero width", "b\u200bo\u200db\ufeff", "b\ufffdo\ufffdb\ufffd"},
		{"blank letters", "a\u3164b", "a\ufffdb"},
		{"wide space", "a\u2003b", "a\ufffdb"},
		{"not UTF-8", "a\xffb", "a\ufffdb"},
		{"piled marks", "a" + strings.Repeat("\u0301", 6), "a" + strings.Repeat("\u0301", 4) + "\ufffd\ufffd"},
		{"nothing", "", ""},
		{"just short enough", strings.Repeat("ä", 64), strings.Repeat("ä", 64)},
		{"too long", strings.Repeat("ä", 65), strings.Repeat("ä", 63) + "…"},
		{"far too long", strings.Repeat("🎈", 100_000), strings.Repeat("🎈", 63) + "…"},
	} {
		if got := SafeName(tt.in); got != tt.want {
			t.Errorf("%s: SafeName(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func FuzzSafeName(f *testing.F) {
	f.Add("a\u202eb")
	f.Add("\x1b[31m")
	f.Add(strings.Repeat(" ", 300) + "a")
	f.Fuzz(func(t *testing.T, in string) {
		got := SafeName(in)
		if n := utf8.RuneCountInString(got); n > MaxName || !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\x1b\n\r\u202e\u200b") {
			t.Errorf("SafeName(%q) = %q, %d runes", in, got, n)
		}
		if again := SafeName(got); again != got {
			t.Errorf("SafeName(%q) = %q, and of that %q", in, got, again)
		}
	})
}
