package mail

import (
	"bytes"
	"strings"
	"unicode"
)

// reportPart is a part of a mail server's report.
type reportPart struct {
	kind string
	body []byte
}

func isReportPart(kind string) bool {
	switch kind {
	case "message/delivery-status", "message/global-delivery-status",
		"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers":
		return true
	}
	return false
}

// readBounce finds out which message of ours a report is about: one in the
// form of RFC 3464, or any that quotes the header of what was sent.
func readBounce(parts []reportPart, raw []byte) (Bounce, bool) {
	var b Bounce
	quoted := raw
	for _, p := range parts {
		if strings.HasSuffix(p.kind, "delivery-status") {
			b.Recipient = afterType(field(p.body, "Final-Recipient"))
			b.Reason = oneLineOf(afterType(field(p.body, "Diagnostic-Code")))
			b.Delayed = strings.EqualFold(field(p.body, "Action"), "delayed")
			continue
		}
		quoted = p.body
	}
	if field(quoted, versionField) == "" {
		return Bounce{}, false
	}
	if len(parts) == 0 { // the report's own header comes first: take the quoted one
		_, quoted, _ = bytes.Cut(raw, []byte("\n\r\n"))
		if len(quoted) == 0 {
			_, quoted, _ = bytes.Cut(raw, []byte("\n\n"))
		}
	}
	id := field(quoted, "Message-Id")
	id = strings.Trim(id, "<>")
	if id == "" || len(id) > 250 || strings.ContainsAny(id, "<> \t") || strings.ContainsFunc(id, unicode.IsControl) {
		return Bounce{}, false
	}
	b.ID = id
	if len(b.Recipient) > 254 || strings.ContainsFunc(b.Recipient, unicode.IsControl) {
		b.Recipient = ""
	}
	return b, true
}

// field gives the value of the first line "name: value" anywhere in text,
// unfolded.
func field(text []byte, name string) string {
	value, found := "", false
	for line := range bytes.Lines(text) {
		l := strings.TrimRight(string(line), "\r\n")
		if found {
			if l == "" || l[0] != ' ' && l[0] != '\t' {
				return value
			}
			value = strings.TrimSpace(value + " " + strings.TrimSpace(l))
			continue
		}
		n, v, ok := strings.Cut(l, ":")
		if ok && strings.EqualFold(strings.TrimSpace(strings.TrimLeft(n, "> ")), name) {
			value, found = strings.TrimSpace(v), true
		}
	}
	return value
}

// afterType takes the type off "rfc822; bob@example.org".
func afterType(s string) string {
	if _, v, ok := strings.Cut(s, ";"); ok {
		return strings.TrimSpace(v)
	}
	return s
}

// oneLineOf makes foreign text fit for one line of at most 200 bytes.
func oneLineOf(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "")
	}
	return s
}
