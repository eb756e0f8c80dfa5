package p2p

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"os"
	"strings"
	"testing"

	"foldpost/p2p/wire"
)

// golden returns the lines "name hex" of a file of testdata; # begins a comment.
func golden(t *testing.T, file string) map[string]string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			m[name] = value
		}
	}
	return m
}

func goldenHello() hello {
	m := Metadata{Name: "laptop", Address: "ada@example.org", Version: "1.2.3", Features: []string{"x"}}
	h := newHello(testIdentity(1).ID(), [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, m, netip.MustParseAddrPort("192.0.2.7:4001"), 3, MappingIndependent)
	h.Time = 1_795_000_000
	return h
}

// The bytes of PROTOCOL.md, for other implementations.
func TestGoldenBytes(t *testing.T) {
	id := testIdentity(1)
	kept, err := id.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	public, static, sig, peer := id.Public(), id.Static(), id.StaticSig(), id.ID()
	k := makeKnock(peer, [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, 20_777)
	bulk := goldenHello()
	bulk.Bulk = true
	var helloFrame, bulkFrame, header, ping, pong, network, mapped, primary, messaged bytes.Buffer
	for _, err := range []error{
		writeHello(&helloFrame, goldenHello()),
		writeHello(&bulkFrame, bulk),
		wire.Write(&messaged, wire.MaxControl, control{Type: controlMessage, Channel: "progress", Payload: []byte{1, 2, 3}}),
		wire.Write(&primary, wire.MaxControl, control{Type: controlPrimary}),
		writeHeader(&header, "echo"),
		wire.Write(&ping, wire.MaxControl, newPing(7)),
		wire.Write(&pong, wire.MaxControl, control{Type: controlPong, Nonce: 7}),
		wire.Write(&network, wire.MaxControl, control{Type: controlNetwork, Mapping: string(MappingDependent)}),
		wire.Write(&mapped, wire.MaxControl, control{Type: controlNetwork, Mapping: string(MappingDependent), Mapped: []string{"203.0.113.7:40000"}}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	datagram, err := wire.Marshal(message{Channel: "progress", Payload: []byte{1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	want := golden(t, "link.txt")
	for name, got := range map[string]string{
		"identity":         hex.EncodeToString(kept),
		"public":           hex.EncodeToString(public[:]),
		"static":           hex.EncodeToString(static[:]),
		"static-signature": hex.EncodeToString(sig[:]),
		"peer-id":          hex.EncodeToString(peer[:]),
		"peer-id-text":     peer.String(),
		"knock-key":        hex.EncodeToString(knockKey(peer)),
		"knock":            hex.EncodeToString(k[:]),
		"server-name":      k.serverName(),
		"hello-frame":      hex.EncodeToString(helloFrame.Bytes()),
		"header-frame":     hex.EncodeToString(header.Bytes()),
		"ping-frame":       hex.EncodeToString(ping.Bytes()),
		"pong-frame":       hex.EncodeToString(pong.Bytes()),
		"network-frame":    hex.EncodeToString(network.Bytes()),
		"mapped-frame":     hex.EncodeToString(mapped.Bytes()),
		"bulk-frame":       hex.EncodeToString(bulkFrame.Bytes()),
		"message-frame":    hex.EncodeToString(messaged.Bytes()),
		"datagram":         hex.EncodeToString(datagram),
		"primary-frame":    hex.EncodeToString(primary.Bytes()),
	} {
		if got != want[name] {
			t.Errorf("%s %s\nwant %s", name, got, want[name])
		}
	}
	got, err := readHello(&helloFrame, peer, false)
	if err != nil || got.Number != 3 || got.Name != "laptop" || got.observed().Port() != 4001 || got.metadata().Features[0] != "x" {
		t.Errorf("readHello = %+v, %v", got, err)
	}
}

func FuzzHello(f *testing.F) {
	var b bytes.Buffer
	if err := writeHello(&b, goldenHello()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(fourGiB)
	f.Add(bomb)
	f.Add(notMap)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := readHello(bytes.NewReader(b), testIdentity(1).ID(), false)
		if err == nil && (h.V != linkVersion || len(h.Features) > 64 || h.Number == 0) {
			t.Errorf("readHello(%x) = %+v", b, h)
		}
		_ = h.observed()
	})
}

func FuzzStreamHeader(f *testing.F) {
	var b bytes.Buffer
	if err := writeHeader(&b, "echo"); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(fourGiB)
	f.Add(bomb)
	f.Fuzz(func(t *testing.T, b []byte) {
		name, err := readHeader(bytes.NewReader(b))
		if err == nil && (name == "" || len(name) > maxStreamHeader) {
			t.Errorf("readHeader(%x) = %q", b, name)
		}
	})
}
