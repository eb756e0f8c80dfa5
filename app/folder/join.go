package folder

import (
	"bytes"
	"cmp"
	"slices"
)

// maxEnded is how many ended contents an entry remembers.
const maxEnded = 4

// Join returns what is known of a path when a and b are known. It is
// commutative, associative and idempotent. Equal vectors do not mean equal
// entries: always join and compare whole ones.
func Join(a, b Entry) Entry { return rules{}.join(a, b) }

func (off rules) join(a, b Entry) Entry {
	e := Entry{V: a.V.Join(b.V), M: joinModes(a.M, b.M), W: joinEnded(a.W, b.W)}
	e.S = off.joinVersions(a, b, e.W)
	if off.winnerOnly && len(e.S) > 1 {
		e.S = []Version{slices.MinFunc(e.S, compareVersions)}
	}
	return e
}

// joinVersions keeps what both have, and what one has and the other has never
// heard of; of found versions only those whose content nobody ended.
func (off rules) joinVersions(a, b Entry, ended []Ended) []Version {
	var s []Version
	keep := func(v Version) {
		if v.Found && !off.noEnded && wasEnded(ended, v) {
			return
		}
		s = append(s, v)
	}
	for i, j := 0, 0; i < len(a.S) || j < len(b.S); {
		c := 0
		switch {
		case j == len(b.S):
			c = -1
		case i == len(a.S):
			c = 1
		default:
			c = compareDots(a.S[i].Dot, b.S[j].Dot)
		}
		switch {
		case c < 0:
			if !b.V.Covers(a.S[i].Dot) {
				keep(a.S[i])
			}
			i++
		case c > 0:
			if !a.V.Covers(b.S[j].Dot) {
				keep(b.S[j])
			}
			j++
		default: // one dot is one version, unless somebody lies
			keep(slices.MinFunc([]Version{a.S[i], b.S[j]}, compareVersions))
			i, j = i+1, j+1
		}
	}
	return s
}

func wasEnded(ended []Ended, v Version) bool {
	return v.Kind != Dir && slices.ContainsFunc(ended, func(e Ended) bool { return e.Content == prefixOf(v.Content) })
}

func prefixOf(h Hash) Prefix { return Prefix(h[:8]) }

func joinModes(a, b Mode) Mode {
	if compareModes(a, b) < 0 {
		return b
	}
	return a
}

func compareModes(a, b Mode) int {
	return cmp.Or(cmp.Compare(a.Rank, b.Rank), bytes.Compare(a.R[:], b.R[:]), cmp.Compare(a.Bits, b.Bits))
}

func compareEnded(a, b Ended) int {
	return cmp.Or(cmp.Compare(a.At, b.At), bytes.Compare(a.Content[:], b.Content[:]))
}

// joinEnded keeps the newest of both, each content once.
func joinEnded(a, b []Ended) []Ended {
	if len(b) == 0 || slices.Equal(a, b) {
		return a
	}
	all := slices.Concat(a, b)
	slices.SortFunc(all, compareEnded)
	var w []Ended
	for i, e := range all {
		newer := slices.ContainsFunc(all[i+1:], func(o Ended) bool { return o.Content == e.Content })
		if !newer {
			w = append(w, e)
		}
	}
	return slices.Clip(w[max(0, len(w)-maxEnded):])
}

// Equal tells whether two entries say the same.
func (e Entry) Equal(o Entry) bool {
	return e.M == o.M && slices.Equal(e.V, o.V) && slices.Equal(e.W, o.W) &&
		slices.EqualFunc(e.S, o.S, Version.equal)
}

func (v Version) equal(o Version) bool {
	return v.Dot == o.Dot && v.Kind == o.Kind && v.Size == o.Size && v.Content == o.Content &&
		v.Target == o.Target && v.MTime == o.MTime && v.Found == o.Found && slices.Equal(v.Prev, o.Prev)
}

// Live tells whether the entry has a version.
func (e Entry) Live() bool { return len(e.S) > 0 }

// has tells whether the version of a dot is there.
func (e Entry) has(d Dot) bool {
	return slices.ContainsFunc(e.S, func(v Version) bool { return v.Dot == d })
}

// zero tells whether nothing is known.
func (e Entry) zero() bool {
	return len(e.V) == 0 && len(e.S) == 0 && e.M == Mode{} && len(e.W) == 0
}

// dir returns the first directory among the versions.
func (e Entry) dir() (Version, bool) {
	i := slices.IndexFunc(e.S, func(v Version) bool { return v.Kind == Dir })
	if i < 0 {
		return Version{}, false
	}
	return e.S[i], true
}
