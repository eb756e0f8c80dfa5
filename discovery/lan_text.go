package discovery

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// Bounds of the text of a service (PROTOCOL.md, "Text").
const (
	maxText     = 1300 // bytes of all strings
	maxTags     = 50
	maxString   = 255 // bytes of one
	tagsPerText = 23  // in one
)

// A Peer is a paired device, as it is recognized in a local network.
type Peer struct {
	ID       p2p.PeerID
	Pairwise p2p.Secret
	Offset   time.Duration // its clock minus ours
	LastSeen time.Time
}

// A tag tells one peer who announces, and nobody else anything.
type tag [8]byte

func newTag(key p2p.Secret, instance string, hour uint32) tag {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte(instance))
	h.Write(binary.BigEndian.AppendUint32(nil, hour))
	return tag(h.Sum(nil)[:len(tag{})])
}

func hourOf(t time.Time) uint32 { return uint32(t.Unix() / 3600) }

// tagsFor returns what self announces to its peers, those seen latest first
// where there are too many, in an order that says nothing.
func tagsFor(self p2p.PeerID, peers []Peer, instance string, now time.Time) []tag {
	peers = slices.Clone(peers)
	slices.SortStableFunc(peers, func(a, b Peer) int { return b.LastSeen.Compare(a.LastSeen) })
	var list []tag
	for _, p := range peers[:min(len(peers), maxTags)] {
		list = append(list, newTag(p.Pairwise.LANKey(self), instance, hourOf(now)))
	}
	slices.SortFunc(list, func(a, b tag) int { return bytes.Compare(a[:], b[:]) })
	return list
}

// recognize returns the peer that made one of the tags of an instance.
func recognize(peers []Peer, instance string, tags []tag, now time.Time) (p2p.PeerID, bool) {
	if len(tags) == 0 {
		return p2p.PeerID{}, false
	}
	for _, p := range peers {
		key, hour := p.Pairwise.LANKey(p.ID), hourOf(now.Add(p.Offset))
		for _, h := range []uint32{hour, hour - 1, hour + 1} {
			if slices.Contains(tags, newTag(key, instance, h)) {
				return p.ID, true
			}
		}
	}
	return p2p.PeerID{}, false
}

// text is what an instance says of itself.
type text struct {
	tags []tag
	name string // empty: it does not show it
}

func (t text) equal(o text) bool { return t.name == o.name && slices.Equal(t.tags, o.tags) }

const textVersion = "1"

// strings returns the strings of the TXT record.
func (t text) strings() []string {
	list := []string{"v=" + textVersion}
	for i := 0; i*tagsPerText < len(t.tags); i++ {
		var b []byte
		for _, tag := range t.tags[i*tagsPerText : min(len(t.tags), (i+1)*tagsPerText)] {
			b = append(b, tag[:]...)
		}
		list = append(list, fmt.Sprintf("t%d=%s", i, base64.RawURLEncoding.EncodeToString(b)))
	}
	if name := t.name; name != "" {
		for len(name) > maxString-len("n=") {
			_, last := utf8.DecodeLastRuneInString(name)
			name = name[:len(name)-last]
		}
		list = append(list, "n="+name)
	}
	return list
}

// parseText reads the strings of a TXT record; false: it is none of ours, or
// of a version that is not known.
func parseText(list []string) (text, bool) {
	var t text
	values := map[string]string{}
	size := 0
	for _, s := range list {
		if size += len(s) + 1; size > maxText {
			return text{}, false
		}
		key, value, _ := strings.Cut(s, "=")
		if key = strings.ToLower(key); key == "" {
			continue
		}
		if _, twice := values[key]; !twice { // RFC 6763 §6.4: the first one counts
			values[key] = value
		}
	}
	if values["v"] != textVersion {
		return text{}, false
	}
	for i := range (maxTags + tagsPerText - 1) / tagsPerText {
		b, err := base64.RawURLEncoding.DecodeString(values[fmt.Sprintf("t%d", i)])
		if err != nil || len(b)%len(tag{}) != 0 {
			return text{}, false
		}
		for c := range slices.Chunk(b, len(tag{})) {
			t.tags = append(t.tags, tag(c))
		}
	}
	if len(t.tags) > maxTags {
		return text{}, false
	}
	t.name = wire.SafeName(values["n"])
	return t, true
}
