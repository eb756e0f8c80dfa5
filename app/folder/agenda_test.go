package folder

import (
	"slices"
	"testing"
	"time"
)

func TestAgenda(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	var a agenda[string]
	if _, ok := a.next(); ok {
		t.Error("next() of an empty agenda = true, want false")
	}
	a.set("moved", at(1))
	a.set("second", at(2))
	a.set("dropped", at(2))
	a.set("third", at(3))
	a.set("moved", at(9))
	a.hasten("moved", at(10))
	a.drop("dropped")
	if next, ok := a.next(); !ok || !next.Equal(at(2)) {
		t.Errorf("next() = %v, %v, want %v", next, ok, at(2))
	}
	if got, want := a.due(at(5), 1), []string{"second"}; !slices.Equal(got, want) {
		t.Errorf("due(5, 1) = %q, want %q", got, want)
	}
	if got, want := a.due(at(5), 9), []string{"third"}; !slices.Equal(got, want) {
		t.Errorf("due(5, 9) = %q, want %q", got, want)
	}
	a.hasten("moved", at(6))
	if got, want := a.due(at(6), 9), []string{"moved"}; !slices.Equal(got, want) || a.len() > 0 {
		t.Errorf("due(6, 9) = %q, %d left, want %q, 0 left", got, a.len(), want)
	}
}
