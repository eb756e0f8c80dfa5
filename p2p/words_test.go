package p2p

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestWordListIsPrefixFreeAndComplete(t *testing.T) {
	l := wordList()
	if len(l.plain) != 7775 {
		t.Errorf("list has %d words, want 7775: the EFF long list without yo-yo", len(l.plain))
	}
	for i, w := range l.plain[1:] {
		if strings.HasPrefix(w, l.plain[i]) {
			t.Errorf("%q begins with %q", w, l.plain[i])
		}
	}
	for plain, shown := range map[string]string{"dropdown": "drop-down", "felttip": "felt-tip", "tshirt": "t-shirt", "yoyo": "yoyo"} {
		if got := l.shown(plain); got != shown {
			t.Errorf("shown(%q) = %q, want %q", plain, got, shown)
		}
	}
}

func TestNewWordsParse(t *testing.T) {
	seen := map[Words]bool{}
	for range 200 {
		w := NewWords()
		if seen[w] {
			t.Fatalf("NewWords drew %q twice", w.Reveal())
		}
		seen[w] = true
		for _, typed := range []string{w.Reveal(), strings.ToUpper(w.Reveal()), w.password(), strings.ReplaceAll(w.Reveal(), " ", "-")} {
			if got, err := ParseWords(typed); err != nil || got != w {
				t.Errorf("ParseWords(%q) = %q, %v, want %q", typed, got.Reveal(), err, w.Reveal())
			}
		}
	}
}

func TestParseWords(t *testing.T) {
	const six = "abacus drop-down yoyo zoom felt-tip t-shirt"
	tests := []struct {
		typed string
		want  string // Reveal
	}{
		{six, six},
		{"Abacus Dropdown Yo-Yo Zoom Felttip Tshirt", six},
		{"1. abacus\r\n2. drop down\r\n3. yoyo\r\n4. zoom\r\n5. felt tip\r\n6. T-Shirt!", six},
		{"“abacus”, drop–down / yoyo zoom\tfelt.tip t shirt", six},
		{"abacusdropdownyoyozoomfelttiptshirt", six},
	}
	for _, tt := range tests {
		got, err := ParseWords(tt.typed)
		if err != nil || got.Reveal() != tt.want {
			t.Errorf("ParseWords(%q) = %q, %v, want %q", tt.typed, got.Reveal(), err, tt.want)
		}
	}
}

func TestParseWordsSaysWhatIsWrong(t *testing.T) {
	tests := []struct {
		typed    string
		count    int
		position int
		word     string
		meant    string // one of them
	}{
		{typed: ""},
		{typed: "abacus zoom", count: 2},
		{typed: "zoom zoom zoom zoom zoom zoom zoom", count: 7},
		{typed: "zoom zoom zoom zoom zoom zoom " + strings.Repeat("zoom ", 300), count: 7},
		{typed: "abacus abacas zoom zoom zoom zoom", position: 2, word: "abacas", meant: "abacus"},
		{typed: "abacus zoom zoomx abacus zoom zoom", position: 4, word: "x"},
		{typed: "abacus drop-don zoom zoom zoom zoom", position: 2, word: "dropdon", meant: "drop-down"},
		{typed: "zoom zoom zoom zoom zoom abacu", position: 6, word: "abacu", meant: "abacus"},
	}
	for _, tt := range tests {
		_, err := ParseWords(tt.typed)
		var e *WordsError
		if !errors.As(err, &e) {
			t.Errorf("ParseWords(%q): %v, want a *WordsError", tt.typed, err)
			continue
		}
		if e.Count != tt.count || e.Position != tt.position || e.Word != tt.word {
			t.Errorf("ParseWords(%q): %+v, want %+v", tt.typed, e, tt)
		}
		if tt.meant != "" && !slices.Contains(e.Meant, tt.meant) {
			t.Errorf("ParseWords(%q) offers %q, want %q among them", tt.typed, e.Meant, tt.meant)
		}
		if tt.word != "" && len(tt.word) > 1 && strings.Contains(err.Error(), tt.word) {
			t.Errorf("ParseWords(%q): error %q repeats what was typed", tt.typed, err)
		}
	}
}

func TestSecretsHideThemselves(t *testing.T) {
	w, psk := NewWords(), LinkPSK(LinkSecret{1}, [16]byte{2})
	for _, v := range []any{w, psk, LinkSecret{1}, Token{3}} {
		for _, verb := range []string{"%v", "%+v", "%s", "%#v"} {
			if got := fmt.Sprintf(verb, v); got != "***" && !strings.HasPrefix(got, "p2p.Token") {
				t.Errorf("Sprintf(%q, %T) = %q, want ***", verb, v, got)
			}
		}
	}
	for _, word := range w.words {
		if got := fmt.Sprintf("%v %+v %#v", struct{ W Words }{w}, []Words{w}, &w); strings.Contains(got, word) {
			t.Errorf("nested words show as %q", got)
		}
	}
}

func TestComplete(t *testing.T) {
	tests := []struct {
		prefix string
		want   []string
	}{
		{"", nil},
		{"7", nil},
		{"abac", []string{"abacus"}},
		{"Drop-D", []string{"drop-down"}},
		{"yo", []string{"yodel", "yoga", "yogurt", "yonder", "yoyo"}},
		{"zzz", nil},
	}
	for _, tt := range tests {
		if got := Complete(tt.prefix); !slices.Equal(got, tt.want) {
			t.Errorf("Complete(%q) = %q, want %q", tt.prefix, got, tt.want)
		}
	}
}

func TestRepairFindsOneMisheardWord(t *testing.T) {
	for range 4 {
		said := NewWords()
		for i, word := range said.words {
			for _, alike := range [...]func(a, b string) bool{spelledAlike, soundsAlike} {
				near := alternatives(word, alike)
				if len(near) == 0 {
					continue
				}
				heard := said
				heard.words[i] = near[0]
				tries := 0
				got, ok := Repair(heard, func(w Words) bool { tries++; return w == said })
				if tries > maxRepairs {
					t.Errorf("Repair(%q) tried %d, want at most %d", heard.Reveal(), tries, maxRepairs)
				}
				if ok && got != said {
					t.Errorf("Repair(%q) = %q, want %q", heard.Reveal(), got.Reveal(), said.Reveal())
				}
				if !ok && tries < maxRepairs {
					t.Errorf("Repair(%q) gave up after %d tries before %q", heard.Reveal(), tries, said.Reveal())
				}
			}
		}
	}
	heard, err := ParseWords("abacus shady zoom yoyo salute tidal")
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := Repair(heard, func(w Words) bool { return w.words[1] == "shaky" }); !ok || got.words[0] != "abacus" {
		t.Errorf("Repair(shady for shaky) = %q, %v", got.Reveal(), ok)
	}
	tries := 0
	if _, ok := Repair(heard, func(Words) bool { tries++; return false }); ok || tries > maxRepairs {
		t.Errorf("Repair without the words = %v after %d tries, want false after at most %d", ok, tries, maxRepairs)
	}
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"zoom", "zoom", 0}, {"zoom", "zom", 1}, {"zoom", "zooms", 1}, {"zoom", "room", 1}, {"form", "from", 1}, {"kitten", "sitting", 3},
	}
	for _, tt := range tests {
		if got := distance(tt.a, tt.b, 9); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestSoundex(t *testing.T) {
	for word, want := range map[string]string{"robert": "r163", "rupert": "r163", "ashcraft": "a2613", "honeyman": "h555"} {
		if got := soundex(word); got != want {
			t.Errorf("soundex(%q) = %q, want %q", word, got, want)
		}
	}
}

func FuzzParseWords(f *testing.F) {
	f.Add("abacus drop-down yoyo zoom felt-tip t-shirt")
	f.Add("abacus abacas zoom zoom zoom zoom")
	f.Add("\xff\x00İKelvin\u212a")
	f.Add(strings.Repeat("zoom", 300))
	f.Fuzz(func(t *testing.T, typed string) {
		w, err := ParseWords(typed)
		if err != nil {
			return
		}
		if again, err := ParseWords(w.Reveal()); err != nil || again != w {
			t.Errorf("ParseWords(Reveal of %q) = %q, %v", typed, again.Reveal(), err)
		}
	})
}
