package mail

import (
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

func TestExpandIsBounded(t *testing.T) {
	for _, c := range []struct {
		name string
		set  imap.UIDSet
		q    query
		want []imap.UID
	}{
		{"nothing", nil, query{from: 1}, nil},
		{"in order, once", imap.UIDSet{{Start: 9, Stop: 9}, {Start: 3, Stop: 5}, {Start: 4, Stop: 4}}, query{from: 1}, []imap.UID{3, 4, 5, 9}},
		{"newest but old", imap.UIDSet{{Start: 5, Stop: 5}}, query{from: 6}, nil},
		{"backwards", imap.UIDSet{{Start: 8, Stop: 6}}, query{from: 7}, []imap.UID{7, 8}},
		{"star", imap.UIDSet{{Start: 3, Stop: 0}, {Start: 0, Stop: 0}}, query{from: 1}, nil},
		{"beyond what was asked", imap.UIDSet{{Start: 1, Stop: 9}}, query{from: 4, to: 5}, []imap.UID{4, 5}},
		{"at the end", imap.UIDSet{{Start: 4294967294, Stop: 4294967295}}, query{from: 1}, []imap.UID{4294967294, 4294967295}},
	} {
		if got := expand(c.set, c.q); !slices.Equal(got, c.want) {
			t.Errorf("%s: expand(%v, %+v) = %v, want %v", c.name, c.set, c.q, got, c.want)
		}
	}
	began := time.Now()
	got := expand(imap.UIDSet{{Start: 1, Stop: 4294967295}, {Start: 1, Stop: 4294967295}}, query{from: 1})
	if len(got) != maxHits || time.Since(began) > time.Second {
		t.Errorf("expand of all UIDs gives %d in %v, want %d at once", len(got), time.Since(began), maxHits)
	}
}

func TestRememberedIsBounded(t *testing.T) {
	var r remembered
	for i := range maxRemembered + 10 {
		if h := [32]byte{byte(i), byte(i >> 8)}; !r.add(h) || r.add(h) {
			t.Fatalf("add(%d) does not tell new from known", i)
		}
	}
	if len(r.has) != maxRemembered || len(r.order) != maxRemembered {
		t.Errorf("%d and %d remembered, want %d", len(r.has), len(r.order), maxRemembered)
	}
	if !r.add([32]byte{0, 0}) || r.add([32]byte{20, 0}) {
		t.Error("the oldest is not forgotten, or another is")
	}
}

func TestClassify(t *testing.T) {
	for header, want := range map[string]kind{
		"":                                     foreign,
		"From: a@b.test\r\n\r\n":               foreign,
		"foldpost-version: 1\r\n\r\n":          ours,
		"From: a\r\nFoldpost-Version:1\r\n":    ours,
		"Subject: x\r\n Foldpost-Version: 1":   foreign,
		"From: <MAILER-DAEMON@x.test>\r\n\r\n": report,
		"From: a\r\nContent-Type:\r\n\tMultipart/Report; x=y\r\n": report,
		"From: MAILER-DAEMON\r\nFoldpost-Version: 1\r\n":          ours,
		"Content-Type: text/plain; x=\"multipart":                 foreign,
	} {
		if got := classify([]byte(header)); got != want {
			t.Errorf("classify(%q) = %v, want %v", header, got, want)
		}
	}
}

func TestJunkNames(t *testing.T) {
	for _, name := range []string{"Junk", "SPAM", "INBOX.Junk", "[Gmail].Spam", "Junk E-mail"} {
		if !isJunkName(name, '.') {
			t.Errorf("isJunkName(%q) = false", name)
		}
	}
	for _, name := range []string{"INBOX", "Spam.old", "No spam", "", ".", "Junkyard"} {
		if isJunkName(name, '.') {
			t.Errorf("isJunkName(%q) = true", name)
		}
	}
	if !isJunkName("Junk", 0) || isJunkName("INBOX.Junk", 0) {
		t.Error("isJunkName sees folders where the server has none")
	}
}
