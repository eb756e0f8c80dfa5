package p2p

import (
	"slices"
	"strings"
)

// maxRepairs bounds the tries of Repair: each costs the 64 MiB and 0.1 s of
// WordsPSK.
const maxRepairs = 24

// Repair looks for the words that were said where others were heard: it
// replaces one word of the six after the other by one that is spelled or
// sounds like it, and returns the first six for which try says yes.
func Repair(w Words, try func(Words) bool) (Words, bool) {
	tries := 0
	for _, alike := range [...]func(a, b string) bool{spelledAlike, soundsAlike} {
		var near [WordCount][]string
		longest := 0
		for i, word := range w.words {
			near[i] = alternatives(word, alike)
			longest = max(longest, len(near[i]))
		}
		for n := range longest { // the nearest of each of the six, then the next of each
			for i := range near {
				if n >= len(near[i]) {
					continue
				}
				if tries++; tries > maxRepairs {
					return Words{}, false
				}
				other := w
				other.words[i] = near[i][n]
				if try(other) {
					return other, true
				}
			}
		}
	}
	return Words{}, false
}

func alternatives(word string, alike func(a, b string) bool) []string {
	var near []string
	for _, w := range wordList().plain {
		if w != word && alike(word, w) {
			near = append(near, w)
		}
	}
	slices.SortStableFunc(near, func(a, b string) int { return distance(word, a, 9) - distance(word, b, 9) })
	return near
}

func spelledAlike(a, b string) bool { return distance(a, b, 1) <= 1 }

func soundsAlike(a, b string) bool { return !spelledAlike(a, b) && soundex(a) == soundex(b) }

// soundex is Soundex without its cut after four characters: the first letter
// and a digit for each further group of consonants.
func soundex(word string) string {
	const codes = "01230120022455012623010202" // of a to z; 0: not coded
	code := []byte{word[0]}
	last := codes[word[0]-'a']
	for _, c := range []byte(word[1:]) {
		d := codes[c-'a']
		if d != '0' && d != last {
			code = append(code, d)
		}
		if !strings.ContainsRune("hw", rune(c)) {
			last = d
		}
	}
	return string(code)
}

// distance is how many letters must be changed, added, dropped or swapped
// with their neighbour to turn a into b; above limit, some number above it.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above[j]+cost, above[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
