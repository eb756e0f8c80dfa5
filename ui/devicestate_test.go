package ui

import (
	"testing"
	"time"

	"foldpost/app"
)

func TestDeviceState(t *testing.T) {
	seen := noon.Add(-13*time.Hour - 46*time.Minute)
	never := "You and bob@example.org are linked, but your computers cannot reach each other yet."
	safe := " Nothing is lost: the files start as soon as both are in one network, one of them uses another one, or one of your other devices can pass them on."
	tests := []struct {
		d             app.Device
		state, advice string
	}{
		{app.Device{Name: "PC", Connected: true}, "connected", ""},
		{app.Device{Name: "PC", Connected: true, LastSeen: seen}, "connected", ""},
		{app.Device{Name: "PC", LastSeen: seen}, "last seen yesterday, 22:14", "PC is off or asleep (last seen yesterday, 22:14). It goes on by itself."},
		{app.Device{Name: "PC", Owner: "bob@example.org"}, "not reached yet", never + safe},
		{
			app.Device{Name: "PC", Owner: "bob@example.org", Problem: "Its network lets no direct connection in or out."},
			"not reached yet",
			never + " Its network lets no direct connection in or out." + safe,
		},
		{app.Device{Name: "PC", LastSeen: seen, Problem: "It speaks a newer version."}, "last seen yesterday, 22:14", "It speaks a newer version."},
	}
	for _, c := range tests {
		if got := deviceState(c.d, noon); got != c.state {
			t.Errorf("deviceState(%+v) = %q, want %q", c.d, got, c.state)
		}
		if got := deviceAdvice(c.d, noon); got != c.advice {
			t.Errorf("deviceAdvice(%+v) = %q, want %q", c.d, got, c.advice)
		}
	}
}
