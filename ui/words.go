package ui

import (
	"slices"
	"strings"
	"sync"

	"github.com/sethvargo/go-diceware/diceware"
)

// wordCount is how many words open an invitation.
const wordCount = 6

// maxPasted bounds text in which words are looked for, in bytes: a whole chat
// message has some hundred.
const maxPasted = 4 << 10

// A wordList is what invitations' words are drawn from: the EFF long list by
// letters only, ascending. So written no word begins another one.
type wordList struct {
	plain   []string
	hyphens map[string]string // plain to shown, of those that differ
}

var allWords = sync.OnceValue(func() *wordList {
	eff := diceware.WordListEffLarge()
	l := &wordList{hyphens: map[string]string{}}
	for roll := range 7776 {
		shown := eff.WordAt(diceNumber(roll, eff.Digits()))
		plain := letters(shown)
		if shown != plain && shown != "yo-yo" { // which is "yoyo" too
			l.hyphens[plain] = shown
		}
		l.plain = append(l.plain, plain)
	}
	slices.Sort(l.plain)
	l.plain = slices.Compact(l.plain)
	return l
})

// diceNumber writes roll with the digits 1 to 6, as the list is numbered.
func diceNumber(roll, digits int) int {
	n, place := 0, 1
	for range digits {
		n += (roll%6 + 1) * place
		roll, place = roll/6, place*10
	}
	return n
}

// letters drops everything but a to z, after making it lower-case.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

func (l *wordList) shown(plain string) string {
	if s, ok := l.hyphens[plain]; ok {
		return s
	}
	return plain
}

// complete returns at most n words that begin with what was typed, ascending;
// a whole word is the only one that begins with itself.
func (l *wordList) complete(typed string, n int) []string {
	p := letters(typed)
	if p == "" {
		return nil
	}
	var found []string
	from, _ := slices.BinarySearch(l.plain, p)
	for _, w := range l.plain[from:] {
		if len(found) == n || !strings.HasPrefix(w, p) {
			break
		}
		found = append(found, l.shown(w))
	}
	return found
}

// fit returns the one word that begins with what was typed, "" if there are
// several or none.
func (l *wordList) fit(typed string) string {
	if found := l.complete(typed, 2); len(found) == 1 {
		return found[0]
	}
	return ""
}

// has says whether a word is in the list, however it is spelt.
func (l *wordList) has(word string) bool {
	_, ok := slices.BinarySearch(l.plain, letters(word))
	return ok
}

// near returns the one word that is a letter or two away from an unknown one,
// "" if there are several or none.
func (l *wordList) near(word string) string {
	p := letters(word)
	best, found := 3, ""
	for _, w := range l.plain {
		switch d := distance(p, w, best); {
		case d < best:
			best, found = d, w
		case d == best && d < 3:
			found = ""
		}
	}
	if found == "" {
		return ""
	}
	return l.shown(found)
}

// distance counts the letters to add, drop or change to come from a to b; more
// than most is most+1.
func distance(a, b string, most int) int {
	if max(len(a), len(b))-min(len(a), len(b)) > most || len(a) > 32 {
		return most + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], most+1)
}

// split cuts letters into words of the list; nil if that leaves a rest. There
// is one way at most.
func (l *wordList) split(glued string) (found []string) {
	for glued != "" {
		i, ok := slices.BinarySearch(l.plain, glued)
		if !ok {
			i-- // the greatest word below: the only one that can begin it
		}
		if i < 0 || !strings.HasPrefix(glued, l.plain[i]) {
			return nil
		}
		found = append(found, l.shown(l.plain[i]))
		glued = glued[len(l.plain[i]):]
	}
	return found
}

// read finds the six words in a text: a line of them alone, else the last six
// words of the list in a row. Without six it returns what the text has, if that
// can be meant as words at all: at most six.
func (l *wordList) read(text string) []string {
	if len(text) > maxPasted {
		return nil
	}
	for line := range strings.Lines(text) {
		if found := l.known(tokens(line)); len(found) == wordCount {
			return found
		}
	}
	all := tokens(text)
	var run, six []string
	for _, t := range all {
		found := l.known([]string{t})
		if found == nil {
			run = nil
			continue
		}
		if run = append(run, found...); len(run) >= wordCount {
			six = slices.Clone(run[len(run)-wordCount:])
		}
	}
	switch {
	case six != nil:
		return six
	case len(all) > wordCount:
		return nil
	}
	var some []string
	for _, t := range all {
		if found := l.split(letters(t)); found != nil {
			some = append(some, found...)
			continue
		}
		some = append(some, t)
	}
	return some[:min(len(some), wordCount)]
}

// known are the words that tokens are made of; nil if one is unknown.
func (l *wordList) known(tokens []string) (found []string) {
	for _, t := range tokens {
		words := l.split(letters(t))
		if words == nil {
			return nil
		}
		found = append(found, words...)
	}
	return found
}

// tokens are the pieces of a text that may be words, lower-case. A hyphen does
// not part them: the list has hyphens of its own.
func tokens(text string) []string {
	pieces := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') })
	return slices.DeleteFunc(pieces, func(p string) bool { return letters(p) == "" })
}
