package mail

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func sample() Message {
	return Message{
		ID: "42@a.test", From: "alice@a.test", To: "bob@b.test", FromName: "Älice \"A\" Ångström", Subject: "Fünf Fotos für Bob",
		InReplyTo: "41@b.test", Date: time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC), Auto: "auto-replied",
		Text:   "Höre, Bob:\n\nein = Zeichen, eine lange Zeile " + strings.Repeat("lang ", 40) + "\n.\nEnde\n",
		Letter: bytes.Repeat([]byte{1, 1, 0xfe, '\n'}, 256), FileName: "Invitation from Älice.foldpost",
	}
}

func composed(t testing.TB, m Message) []byte {
	t.Helper()
	raw, err := compose(m)
	if err != nil {
		t.Fatalf("compose: %v", err)
	}
	return raw
}

func parsed(t *testing.T, raw []byte) Message {
	t.Helper()
	m, err := Parse(raw)
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, raw)
	}
	return m
}

func TestComposedMailIsRead(t *testing.T) {
	want := sample()
	raw := composed(t, want)
	got := parsed(t, raw)
	got.Date = got.Date.UTC()
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("Parse(compose(m)) =\n%+v, want\n%+v", got, want)
	}
	if len(raw) > 8<<10 {
		t.Errorf("a letter of 1 KiB makes a mail of %d bytes, want less than 8 KiB", len(raw))
	}
	for line := range bytes.Lines(raw) {
		if len(line) > 1000 || !bytes.HasSuffix(line, []byte("\r\n")) {
			t.Errorf("line %.80q of %d bytes: want CRLF and at most 998", line, len(line))
		}
		for _, b := range line {
			if b > 126 {
				t.Errorf("line %q is not ASCII", line)
				break
			}
		}
	}
	for _, want := range []string{
		"Foldpost-Version: 1\r\n", "Auto-Submitted: auto-replied\r\n", "X-Auto-Response-Suppress: All\r\n", "References: <41@b.test>\r\n",
		"Content-Type: application/vnd.foldpost.letter", "Content-Type: multipart/mixed", "Message-Id: <42@a.test>\r\n",
	} {
		if !bytes.Contains(raw, []byte(want)) {
			t.Errorf("the mail has no %q:\n%s", want, raw)
		}
	}
	first := sample()
	first.Auto, first.InReplyTo = "", ""
	if raw := composed(t, first); bytes.Contains(raw, []byte("Auto-Submitted")) || bytes.Contains(raw, []byte("References")) {
		t.Errorf("a mail that a person wrote calls itself automatic or an answer:\n%s", raw)
	}
}

func TestHeaderInjectionIsRefused(t *testing.T) {
	for _, evil := range []string{"a\r\nBcc: x@y.z", "a\nb", "a\rb", "a\x00b", "a\u202eb", "a\u2028b", "\xff", strings.Repeat("x", 1000)} {
		for name, set := range map[string]func(*Message){
			"from": func(m *Message) { m.From = evil }, "to": func(m *Message) { m.To = evil }, "name": func(m *Message) { m.FromName = evil },
			"to with address": func(m *Message) { m.To = "bob@b.test" + evil },
			"subject":         func(m *Message) { m.Subject = evil }, "file": func(m *Message) { m.FileName = evil }, "id": func(m *Message) { m.ID = evil },
			"reply": func(m *Message) { m.InReplyTo = evil }, "auto": func(m *Message) { m.Auto = evil },
		} {
			m := sample()
			set(&m)
			if raw, err := compose(m); err == nil {
				t.Errorf("compose with %s = %.40q gave %.200q, want an error", name, evil, raw)
			}
		}
	}
	for _, id := range []string{"", "a> <b", "<a@b>"} {
		m := sample()
		m.ID = id
		if _, err := compose(m); err == nil {
			t.Errorf("compose with ID %q: no error", id)
		}
	}
}

// part writes one MIME part.
func part(header, body string) string { return "--b\r\n" + header + "\r\n\r\n" + body + "\r\n" }

// mailOf writes a mail of this program with the parts.
func mailOf(parts ...string) []byte {
	return []byte("From: alice@a.test\r\nFoldpost-Version: 1\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Join(parts, "") + "--b--\r\n")
}

func TestLetterIsFoundWhateverMailProgramsDo(t *testing.T) {
	letter := sample().Letter
	b64 := base64.StdEncoding.EncodeToString(letter)
	text := part("Content-Type: text/plain", "Hello")
	quoted := ""
	for _, b := range letter {
		quoted += fmt.Sprintf("=%02X", b)
		if len(quoted)%71 == 0 {
			quoted += "=\r\n"
		}
	}
	for name, raw := range map[string][]byte{
		"type only":        mailOf(text, part("Content-Type: application/vnd.foldpost.letter\r\nContent-Transfer-Encoding: base64", b64)),
		"name only":        mailOf(text, part("Content-Type: application/octet-stream; name=\"x.foldpost\"\r\nContent-Transfer-Encoding: base64", b64)),
		"txt appended":     mailOf(text, part("Content-Type: text/plain; name=\"x.FOLDPOST.txt\"\r\nContent-Transfer-Encoding: base64", b64)),
		"encoded name":     mailOf(text, part("Content-Disposition: attachment; filename=\"=?utf-8?q?x=2Efoldpost?=\"\r\nContent-Transfer-Encoding: base64", b64)),
		"bytes only":       mailOf(text, part("Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64", b64)),
		"quoted-printable": mailOf(text, part("Content-Type: application/vnd.foldpost.letter\r\nContent-Transfer-Encoding: quoted-printable", quoted)),
		"binary":           mailOf(text, part("Content-Type: application/vnd.foldpost.letter\r\nContent-Transfer-Encoding: binary", string(letter))),
		"decoy before":     mailOf(part("Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1, 2}, 99))), text, part("Content-Type: application/vnd.foldpost.letter\r\nContent-Transfer-Encoding: base64", b64)),
		"footer added":     mailOf("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"+strings.ReplaceAll(text+part("Content-Type: application/vnd.foldpost.letter\r\nContent-Transfer-Encoding: base64", b64), "--b", "--c")+"--c--\r\n", part("Content-Type: text/plain", "_______ the list")),
		"unknown charset":  mailOf(part("Content-Type: text/plain; charset=x-none", "Hello"), part("Content-Type: application/vnd.foldpost.letter\r\nContent-Transfer-Encoding: base64", b64)),
		"no final line":    bytes.TrimSuffix(mailOf(text, part("Content-Type: application/vnd.foldpost.letter\r\nContent-Transfer-Encoding: base64", b64)), []byte("--b--\r\n")),
	} {
		m := parsed(t, raw)
		if !bytes.Equal(m.Letter, letter) && !bytes.Equal(bytes.TrimSuffix(m.Letter, []byte("\r\n")), letter) {
			t.Errorf("%s: letter %x of %d bytes, want %x", name, m.Letter[:min(8, len(m.Letter))], len(m.Letter), letter[:8])
		}
		if m.Text != "Hello" {
			t.Errorf("%s: text %q, want Hello", name, m.Text)
		}
	}
	for name, raw := range map[string][]byte{
		"removed":       mailOf(text, part("Content-Type: text/plain", "attachment removed")),
		"too large":     mailOf(text, part("Content-Type: application/vnd.foldpost.letter\r\nContent-Transfer-Encoding: base64", base64.StdEncoding.EncodeToString(make([]byte, maxLetter+1)))),
		"not multipart": []byte("From: a@b.c\r\nFoldpost-Version: 1\r\n\r\nHello"),
	} {
		if m := parsed(t, raw); m.Letter != nil {
			t.Errorf("%s: letter %.20x, want none", name, m.Letter)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	nested := func(depth int) []byte {
		var b strings.Builder
		b.WriteString("Foldpost-Version: 1\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n")
		for i := range depth {
			fmt.Fprintf(&b, "--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i, i+1)
		}
		return []byte(b.String())
	}
	good := string(composed(t, sample()))
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"empty":            {nil, ErrForeign},
		"no version":       {[]byte(strings.Replace(good, "Foldpost-Version", "X-Version", 1)), ErrForeign},
		"two From":         {[]byte("From: eve@e.test\r\n" + good), ErrMalformed},
		"two Content-Type": {[]byte("Content-Type: text/plain\r\n" + good), ErrMalformed},
		"two Message-ID":   {[]byte("message-id: <x@y>\r\n" + good), ErrMalformed},
		"inner types":      {mailOf(part("Content-Type: text/plain\r\nContent-Type: application/vnd.foldpost.letter", "x")), ErrMalformed},
		"deep":             {nested(maxNesting + 1), ErrMalformed},
		"very deep":        {nested(900), ErrMalformed},
		"many parts":       {mailOf(strings.Repeat("--b\r\n\r\n\r\n", maxParts)), ErrMalformed},
		"very many parts":  {mailOf(strings.Repeat("--b\r\n\r\n\r\n", 6000)), ErrMalformed},
		"large":            {bytes.Repeat([]byte("Foldpost-Version: 1\r\n"), 4000), ErrMalformed},
		"no header":        {[]byte("hello\r\n\r\n"), ErrMalformed},
	} {
		began := time.Now()
		_, err := Parse(c.raw)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: Parse: %v, want %v", name, err, c.want)
		}
		if d := time.Since(began); d > time.Second {
			t.Errorf("%s: Parse took %v", name, d)
		}
	}
}

func TestForeignHeaderIsNotTrusted(t *testing.T) {
	for name, c := range map[string]struct{ header, from string }{
		"two addresses": {"From: a@a.test, b@b.test\r\n", ""},
		"bad utf-8":     {"From: \xff\xfe <a@a.test>\r\n", ""},
		"comment":       {"From: eve@e.test (alice@a.test)\r\n", "eve@e.test"},
		"name":          {"From: \"alice@a.test\" <eve@e.test>\r\n", "eve@e.test"},
		"none":          {"", ""},
	} {
		m := parsed(t, []byte(c.header+"Foldpost-Version: 1\r\n\r\nx"))
		if m.From != c.from && name != "bad utf-8" {
			t.Errorf("%s: From %q, want %q", name, m.From, c.from)
		}
	}
}

func TestNewMessageID(t *testing.T) {
	a, b := NewMessageID("alice@a.test"), NewMessageID("alice@a.test")
	if a == b || !strings.HasSuffix(a, "@a.test") || strings.Count(a, "-") != 4 {
		t.Errorf("NewMessageID gave %q, %q", a, b)
	}
	m := sample()
	m.ID = a
	if got := parsed(t, composed(t, m)).ID; got != a {
		t.Errorf("the ID %q came back as %q", a, got)
	}
}

const bounceOf = "From: MAILER-DAEMON@mail.test\r\nSubject: Undelivered\r\nContent-Type: %s\r\n\r\n%s"

const quotedHeader = "Return-Path: <alice@a.test>\r\nMessage-ID: <42@a.test>\r\nSubject: x\r\nFoldpost-Version: 1\r\n"

func TestBounce(t *testing.T) {
	status := part("Content-Type: message/delivery-status", "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; bob@b.test\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 no\r\n such\x07 mailbox")
	delayed := strings.Replace(status, "failed", "delayed", 1)
	const reported = "multipart/report; report-type=delivery-status; boundary=b"
	for name, c := range map[string]struct {
		raw  string
		want Bounce
	}{
		"postfix": {fmt.Sprintf(bounceOf, reported, part("Content-Type: text/plain", "sorry")+status+part("Content-Type: message/rfc822", quotedHeader+"\r\nbody")+"--b--"), Bounce{"42@a.test", "bob@b.test", "550 no such mailbox", false}},
		"headers": {fmt.Sprintf(bounceOf, reported, status+part("Content-Type: text/rfc822-headers", quotedHeader)+"--b--"), Bounce{"42@a.test", "bob@b.test", "550 no such mailbox", false}},
		"delayed": {fmt.Sprintf(bounceOf, reported, delayed+part("Content-Type: text/rfc822-headers", quotedHeader)+"--b--"), Bounce{"42@a.test", "bob@b.test", "550 no such mailbox", true}},
		"qmail":   {fmt.Sprintf(bounceOf, "text/plain", "Hi. I was not able to deliver.\r\n\r\n--- Below this line is a copy.\r\n\r\n"+quotedHeader+"\r\nbody"), Bounce{ID: "42@a.test"}},
		"quoted":  {fmt.Sprintf(bounceOf, "text/plain", "Sorry:\r\n> "+strings.ReplaceAll(quotedHeader, "\r\n", "\r\n> ")), Bounce{ID: "42@a.test"}},
	} {
		m := parsed(t, []byte(c.raw))
		if m.Bounce == nil || *m.Bounce != c.want {
			t.Errorf("%s: bounce %+v, want %+v", name, m.Bounce, c.want)
		}
		if m.Letter != nil {
			t.Errorf("%s: a bounce has a letter", name)
		}
	}
	foreign := fmt.Sprintf(bounceOf, reported, status+part("Content-Type: text/rfc822-headers", "Message-ID: <1@x>\r\n")+"--b--")
	if _, err := Parse([]byte(foreign)); !errors.Is(err, ErrForeign) {
		t.Errorf("Parse of a bounce of another mail: %v, want ErrForeign", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(composed(f, sample()))
	f.Add(mailOf(part("Content-Type: application/octet-stream; name=x.foldpost", "x")))
	f.Add([]byte(fmt.Sprintf(bounceOf, "multipart/report; boundary=b", part("Content-Type: message/delivery-status", "Action: failed")+part("Content-Type: text/rfc822-headers", quotedHeader)+"--b--")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := Parse(raw)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrForeign) {
				t.Errorf("Parse: %v, want one of our errors", err)
			}
			return
		}
		if len(m.Letter) > maxLetter || len(m.Text) > 3*maxPlain || m.Bounce != nil && len(m.Bounce.Reason) > 200 {
			t.Errorf("Parse let pass %d bytes of letter, %d of text, bounce %v", len(m.Letter), len(m.Text), m.Bounce)
		}
	})
}
