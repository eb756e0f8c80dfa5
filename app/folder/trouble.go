package folder

import (
	"maps"
	"slices"
)

// troubles are what keeps a folder from being complete, each a sentence for a
// person, by what it is about.
type troubles map[string]string

func (t *troubles) set(what, text string) {
	if *t == nil {
		*t = troubles{}
	}
	(*t)[what] = text
}

func (t troubles) clear(what string) { delete(t, what) }

// worst is the one to be shown.
func (t troubles) worst() (what, text string) {
	for _, what := range []string{"root", "space", "write", "scan", "watch"} {
		if text, ok := t[what]; ok {
			return what, text
		}
	}
	for _, what := range slices.Sorted(maps.Keys(t)) {
		return what, t[what]
	}
	return "", ""
}
