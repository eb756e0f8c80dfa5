package p2p

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/sethvargo/go-diceware/diceware"
)

// WordCount is how many words open an invitation: six of the EFF long list
// are 77 bits.
const WordCount = 6

// maxTyped bounds text that claims to be six words: the longest six have 54
// letters, and people paste whole sentences.
const maxTyped = 1024

// Words open an invitation. They are told by voice or chat and never written
// to a log; [Words.Reveal] is for the screen of who made or typed them.
type Words struct {
	words [WordCount]string // letters only
}

// NewWords draws six words at random.
func NewWords() Words {
	list := wordList().plain
	var w Words
	for i := range w.words {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(list))))
		if err != nil {
			panic("p2p: " + err.Error()) // crypto/rand never fails
		}
		w.words[i] = list[n.Int64()]
	}
	return w
}

// ParseWords reads six words as a person typed them: in any case, with or
// without anything between them. Its error is a [*WordsError].
func ParseWords(typed string) (Words, error) {
	if len(typed) > maxTyped {
		return Words{}, &WordsError{Count: WordCount + 1}
	}
	found, rest := wordList().split(letters(typed))
	if rest != "" || len(found) != WordCount {
		return Words{}, diagnose(typed)
	}
	return Words{words: [WordCount]string(found)}, nil
}

// String hides the words.
func (Words) String() string { return "***" }

// GoString hides the words from %#v too.
func (Words) GoString() string { return "***" }

// LogValue hides the words from every log.
func (Words) LogValue() slog.Value { return slog.StringValue("***") }

// Reveal returns the words as people write them, with a space between.
func (w Words) Reveal() string {
	shown := make([]string, WordCount)
	for i, word := range w.words {
		shown[i] = wordList().shown(word)
	}
	return strings.Join(shown, " ")
}

func (w Words) password() string { return strings.Join(w.words[:], "") }

// A WordsError is text that is not six words. Error does not repeat what was
// typed, because errors reach logs; the fields are for the screen only.
type WordsError struct {
	Count    int      // words found, where none is unknown
	Position int      // of the first unknown word, from 1; 0: all are known
	Word     string   // the unknown word as typed
	Meant    []string // words it may have been, likeliest first
}

func (e *WordsError) Error() string {
	if e.Position > 0 {
		return fmt.Sprintf("word %d is not in the list", e.Position)
	}
	if e.Count > WordCount {
		return fmt.Sprintf("more than %d words", WordCount)
	}
	return fmt.Sprintf("%d of %d words", e.Count, WordCount)
}

// diagnose says why text that is not six words is none, by the borders that
// were typed. A hyphen is no border: the list has hyphens of its own.
func diagnose(typed string) *WordsError {
	n := 0
	for _, word := range strings.FieldsFunc(strings.ToLower(typed), func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') }) {
		known, rest := wordList().split(letters(word))
		n += len(known)
		if rest != "" {
			return &WordsError{Position: n + 1, Word: rest, Meant: meant(rest)}
		}
	}
	return &WordsError{Count: n}
}

// meant returns at most three words that a mistyped one may have been.
func meant(word string) []string {
	if found := Complete(word); len(found) > 0 {
		return found[:min(len(found), 3)]
	}
	l := wordList()
	type guess struct {
		word     string
		distance int
	}
	var near []guess
	for _, w := range l.plain {
		if d := distance(word, w, 2); d <= 2 {
			near = append(near, guess{w, d})
		}
	}
	slices.SortStableFunc(near, func(a, b guess) int { return cmp.Compare(a.distance, b.distance) })
	var out []string
	for _, g := range near[:min(len(near), 3)] {
		out = append(out, l.shown(g.word))
	}
	return out
}

// Complete returns the words of the list that begin with what was typed so
// far, in alphabetical order; none for no letters.
func Complete(prefix string) []string {
	p := letters(prefix)
	if p == "" || len(prefix) > maxTyped {
		return nil
	}
	l := wordList()
	from, _ := slices.BinarySearch(l.plain, p)
	var found []string
	for _, w := range l.plain[from:] {
		if !strings.HasPrefix(w, p) {
			break
		}
		found = append(found, l.shown(w))
	}
	return found
}

// words is the EFF long list, by letters only. So written it is prefix-free,
// and words need nothing between them; "yo-yo" and "yoyo" are one word of it.
type words struct {
	plain   []string          // ascending, each once
	hyphens map[string]string // plain to shown, of those that differ
}

var wordList = sync.OnceValue(func() *words {
	l := &words{hyphens: make(map[string]string)}
	for roll := range listWords {
		shown := listWord(roll)
		if shown == "yo-yo" {
			continue
		}
		w := letters(shown)
		if w != shown {
			l.hyphens[w] = shown
		}
		l.plain = append(l.plain, w)
	}
	slices.Sort(l.plain)
	return l
})

// listWords is how many words the EFF long list has: five dice.
const listWords = 6 * 6 * 6 * 6 * 6

// listWord is a word of the EFF long list as it stands there, from 0.
func listWord(place int) string {
	list := diceware.WordListEffLarge()
	return list.WordAt(diceNumber(place, list.Digits()))
}

// diceNumber writes roll with the digits 1 to 6, as the list is numbered.
func diceNumber(roll, digits int) int {
	n := 0
	for place := 1; digits > 0; digits-- {
		n += (roll%6 + 1) * place
		roll /= 6
		place *= 10
	}
	return n
}

func (l *words) shown(w string) string {
	if s, ok := l.hyphens[w]; ok {
		return s
	}
	return w
}

// split cuts letters into words of the list until what is left begins with
// none. The cut is the only possible one, because the list is prefix-free.
func (l *words) split(s string) (found []string, rest string) {
	for s != "" {
		i, ok := slices.BinarySearch(l.plain, s)
		if !ok {
			i-- // the greatest word below s: the only one that can begin it
		}
		if i < 0 || !strings.HasPrefix(s, l.plain[i]) {
			return found, s
		}
		found = append(found, l.plain[i])
		s = s[len(l.plain[i]):]
	}
	return found, ""
}

// letters drops everything but a to z, after making it lower-case.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' || r == utf8.RuneError {
			return -1
		}
		return r
	}, strings.ToLower(s))
}
