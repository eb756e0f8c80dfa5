package wire

import (
	"bytes"
	"errors"
	"testing"
)

func TestPrefix(t *testing.T) {
	for _, tt := range []struct{ in, value, rest string }{
		{"80", "80", ""},
		{"80" + "0000", "80", "0000"},
		{"81" + "01" + "9201a16100" + "ff", "81" + "01" + "9201a161", "00ff"},
	} {
		value, rest, err := Prefix(unhex(t, tt.in))
		if err != nil || !bytes.Equal(value, unhex(t, tt.value)) || !bytes.Equal(rest, unhex(t, tt.rest)) {
			t.Errorf("Prefix(%s) = %x, %x, %v, want %s, %s", tt.in, value, rest, err, tt.value, tt.rest)
		}
	}
	for _, in := range []string{"", "81", "dfffffffff", "c1"} {
		if _, _, err := Prefix(unhex(t, in)); !errors.Is(err, ErrMalformed) {
			t.Errorf("Prefix(%s) = %v, want ErrMalformed", in, err)
		}
	}
}
