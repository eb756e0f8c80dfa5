package folder

import (
	"bytes"
	"cmp"
	"slices"
)

func compareDots(a, b Dot) int {
	if c := bytes.Compare(a.R[:], b.R[:]); c != 0 {
		return c
	}
	return cmp.Compare(a.N, b.N)
}

// find returns where r is, or would be, in the vector.
func (v Vector) find(r ReplicaID) (int, bool) {
	return slices.BinarySearchFunc(v, r, func(d Dot, r ReplicaID) int {
		return bytes.Compare(d.R[:], r[:])
	})
}

// Covers tells whether the vector holds the dot.
func (v Vector) Covers(d Dot) bool {
	i, ok := v.find(d.R)
	return ok && v[i].N >= d.N
}

// With returns the vector with one more dot.
func (v Vector) With(d Dot) Vector {
	if v.Covers(d) {
		return v
	}
	i, ok := v.find(d.R)
	w := make(Vector, 0, len(v)+1)
	w = append(append(w, v[:i]...), d)
	if ok {
		i++
	}
	return append(w, v[i:]...)
}

// Join returns the maximum of each replica.
func (v Vector) Join(w Vector) Vector {
	if v.CoversAll(w) {
		return v
	}
	if w.CoversAll(v) {
		return w
	}
	var all Vector
	for i, j := 0, 0; i < len(v) || j < len(w); {
		switch {
		case j == len(w):
			all, i = append(all, v[i]), i+1
		case i == len(v):
			all, j = append(all, w[j]), j+1
		default:
			switch c := bytes.Compare(v[i].R[:], w[j].R[:]); {
			case c < 0:
				all, i = append(all, v[i]), i+1
			case c > 0:
				all, j = append(all, w[j]), j+1
			default:
				all = append(all, Dot{v[i].R, max(v[i].N, w[j].N)})
				i, j = i+1, j+1
			}
		}
	}
	return all
}

// CoversAll tells whether v holds every dot of w.
func (v Vector) CoversAll(w Vector) bool {
	i := 0
	for _, d := range w {
		for i < len(v) && bytes.Compare(v[i].R[:], d.R[:]) < 0 {
			i++
		}
		if i == len(v) || v[i].R != d.R || v[i].N < d.N {
			return false
		}
	}
	return true
}

// ordered tells whether the vector is as it must be on the wire: ascending,
// each replica once, no number 0.
func (v Vector) ordered() bool {
	for i, d := range v {
		if d.N == 0 || i > 0 && bytes.Compare(v[i-1].R[:], d.R[:]) >= 0 {
			return false
		}
	}
	return true
}
