package p2p

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// testIdentity returns the identity whose keys are all n: the same in every run.
func testIdentity(n byte) *Identity {
	id, err := UnmarshalIdentity(append([]byte{identityVersion}, bytes.Repeat([]byte{n}, identitySize-1)...))
	if err != nil {
		panic(err)
	}
	return id
}

func TestIdentityRoundTrip(t *testing.T) {
	id := NewIdentity()
	b, _ := id.MarshalBinary()
	got, err := UnmarshalIdentity(b)
	if err != nil {
		t.Fatal(err)
	}
	if got.ID() != id.ID() || got.Static() != id.Static() || got.StaticPrivate() != id.StaticPrivate() {
		t.Errorf("UnmarshalIdentity(MarshalBinary()) = %v, want %v", got, id)
	}
	for _, bad := range [][]byte{nil, b[:64], append(b, 0), append([]byte{2}, b[1:]...)} {
		if got, err := UnmarshalIdentity(bad); err == nil {
			t.Errorf("UnmarshalIdentity(%d bytes, version %x) = %v, want an error", len(bad), bad, got)
		}
	}
}

func TestStaticSignature(t *testing.T) {
	a, b := testIdentity(1), testIdentity(2)
	sig := a.StaticSig()
	if err := VerifyStatic(a.Public(), a.Static(), sig[:]); err != nil {
		t.Errorf("VerifyStatic(own) = %v, want nil", err)
	}
	bad := sig
	bad[5] ^= 1
	for name, err := range map[string]error{
		"other static":   VerifyStatic(a.Public(), b.Static(), sig[:]),
		"other key":      VerifyStatic(b.Public(), a.Static(), sig[:]),
		"tampered":       VerifyStatic(a.Public(), a.Static(), bad[:]),
		"short":          VerifyStatic(a.Public(), a.Static(), sig[:63]),
		"no signature":   VerifyStatic(a.Public(), a.Static(), nil),
		"zero signature": VerifyStatic(a.Public(), a.Static(), make([]byte, 64)),
	} {
		if err == nil {
			t.Errorf("VerifyStatic(%s) = nil, want an error", name)
		}
	}
}

func TestIdentityHidesItsKeys(t *testing.T) {
	id := testIdentity(7)
	for _, s := range []string{fmt.Sprint(id), fmt.Sprintf("%+v %#v", id, id), fmt.Sprintf("%v %#v", id.StaticPrivate(), id.StaticPrivate())} {
		if strings.Contains(s, "7 7 7") || strings.Contains(s, "07, 0x") || strings.Contains(s, "0x7, 0x7") {
			t.Errorf("printed identity shows its key: %s", s)
		}
	}
}
