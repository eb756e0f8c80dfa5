package folder

import (
	"testing"
	"time"
)

func TestExpiry(t *testing.T) {
	const day = 24 * time.Hour
	type look struct {
		at   time.Duration // since the first
		want bool
	}
	for _, tt := range []struct {
		name  string
		looks []look
	}{
		{"every day", []look{{0, true}, {day, true}, {2 * day, true}}},
		{"off for a week", []look{{0, true}, {7 * day, true}}},
		{"off for long", []look{{0, true}, {60 * day, false}, {61 * day, false}, {63*day + time.Hour, true}}},
		{"a year ahead and back", []look{{0, true}, {365 * day, false}, {365*day + time.Hour, false}, {day, true}, {2 * day, true}}},
		{"back to 1970 and right again", []look{{0, true}, {-11000 * day, true}, {day, false}, {5 * day, true}}},
	} {
		var x expiry
		start := time.Unix(1_790_000_000, 0)
		for _, l := range tt.looks {
			if got := x.may(start.Add(l.at)); got != l.want {
				t.Errorf("%s: may(first + %s) = %t, want %t", tt.name, l.at, got, l.want)
			}
		}
	}
}
