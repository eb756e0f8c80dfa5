package mail

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"foldpost/p2p/wire"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // mail programs rewrite text into older charsets
	gomail "github.com/emersion/go-message/mail"
)

// LetterType is the content type of a letter.
const LetterType = "application/vnd." + wire.Name + ".letter"

const letterSuffix = "." + wire.Name

// Limits of what is read as an e-mail.
const (
	maxNesting   = 4        // multiparts in multiparts
	maxParts     = 32       // of all levels
	maxLetter    = 32 << 10 // bytes of an attachment that is taken for a letter
	minLetter    = 64       // the same, where only its first bytes speak for it
	maxPlain     = 32 << 10 // bytes of text for a person
	maxFieldSize = 998      // RFC 5322, section 2.1.1
)

var (
	// ErrMalformed reports an e-mail that breaks a limit or a rule whose breach
	// makes readers disagree.
	ErrMalformed = errors.New("malformed mail")
	// ErrForeign reports an e-mail that is not of this program.
	ErrForeign = errors.New("not a mail of this program")
)

// NewMessageID makes a Message-ID for a message from an address: random, with
// hyphens (a spam filter dislikes ids without), without angle brackets.
func NewMessageID(from string) string {
	_, domain, ok := strings.Cut(from, "@")
	if !ok || domain == "" {
		domain = wire.Name + ".invalid"
	}
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // the form of a random UUID
	return fmt.Sprintf("%x-%x-%x-%x-%x@%s", b[:4], b[4:6], b[6:8], b[8:10], b[10:], domain)
}

// compose writes m as an e-mail. Fields that would break out of their line are
// refused, not cleaned.
func compose(m Message) ([]byte, error) {
	h, err := header(m)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := gomail.CreateWriter(&out, h)
	if err != nil {
		return nil, fmt.Errorf("write mail %s: %w", m.ID, err)
	}
	var text gomail.InlineHeader
	text.SetContentType("text/plain", map[string]string{"charset": "utf-8"})
	text.Set("Content-Transfer-Encoding", "quoted-printable")
	part, err := w.CreateSingleInline(text)
	if err == nil {
		err = writeAll(part, []byte(m.Text))
	}
	if err == nil && len(m.Letter) > 0 {
		var a gomail.AttachmentHeader
		a.SetContentType(LetterType, map[string]string{"name": m.FileName})
		a.SetFilename(m.FileName)
		a.Set("Content-Transfer-Encoding", "base64")
		if part, err = w.CreateAttachment(a); err == nil {
			err = writeAll(part, m.Letter)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("write mail %s: %w", m.ID, err)
	}
	return out.Bytes(), nil
}

func writeAll(w io.WriteCloser, b []byte) error {
	_, err := w.Write(b)
	return errors.Join(err, w.Close())
}

func header(m Message) (gomail.Header, error) {
	var h gomail.Header
	from, err := ParseAddress(m.From)
	if err != nil {
		return h, err
	}
	to, err := ParseAddress(m.To)
	if err != nil {
		return h, err
	}
	for _, f := range []struct{ name, value string }{
		{"name", m.FromName}, {"subject", m.Subject}, {"file name", m.FileName}, {"message id", m.ID}, {"message id", m.InReplyTo}, {"kind", m.Auto},
	} {
		if err := oneLine(f.value); err != nil {
			return h, fmt.Errorf("write %s %.60q: %w", f.name, f.value, err)
		}
	}
	if m.ID == "" || strings.ContainsAny(m.ID+m.InReplyTo, "<> ") {
		return h, fmt.Errorf("write message id %.60q, %.60q: not one", m.ID, m.InReplyTo)
	}
	date := m.Date
	if date.IsZero() {
		date = time.Now()
	}
	h.SetAddressList("From", []*gomail.Address{{Name: m.FromName, Address: from}})
	h.SetAddressList("To", []*gomail.Address{{Address: to}})
	h.SetSubject(m.Subject)
	h.SetDate(date)
	h.SetMessageID(m.ID)
	if m.InReplyTo != "" {
		h.SetMsgIDList("In-Reply-To", []string{m.InReplyTo})
		h.SetMsgIDList("References", []string{m.InReplyTo})
	}
	if m.Auto != "" {
		h.Set("Auto-Submitted", m.Auto)
	}
	h.Set("X-Auto-Response-Suppress", "All") // else Exchange answers with vacation notes
	h.Set(versionField, "1")
	return h, nil
}

// oneLine refuses what could end a header line or turn its text around.
func oneLine(s string) error {
	if len(s) > maxFieldSize || !utf8.ValidString(s) {
		return errors.New("too long, or not UTF-8")
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return fmt.Errorf("contains %U", r)
		}
	}
	return nil
}

// Parse reads an e-mail of this program, or a mail server's report about one.
// It is bounded in everything before it goes deeper. Errors wrap ErrMalformed
// or ErrForeign.
func Parse(raw []byte) (Message, error) {
	if len(raw) > maxMail {
		return Message{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(raw))
	}
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil && (e == nil || !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err)) {
		return Message{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	for _, name := range []string{"From", "Content-Type", "Message-Id", "Subject", versionField} {
		if n := e.Header.FieldsByKey(name).Len(); n > 1 {
			return Message{}, fmt.Errorf("%w: %d fields %s", ErrMalformed, n, name)
		}
	}
	var w walker
	if err := w.walk(e, 0); err != nil {
		return Message{}, err
	}
	m := fields(gomail.Header{Header: e.Header})
	m.Text = w.text
	if e.Header.Has(versionField) {
		m.Letter, m.FileName = w.letter, w.fileName
		return m, nil
	}
	b, ok := readBounce(w.reports, raw)
	if !ok {
		return Message{}, ErrForeign
	}
	m.Bounce = &b
	return m, nil
}

// fields reads the header as far as it is good; the rest stays empty.
func fields(h gomail.Header) Message {
	m := Message{Auto: strings.ToLower(strings.TrimSpace(h.Get("Auto-Submitted")))}
	if m.Auto == "no" {
		m.Auto = ""
	}
	m.ID, _ = h.MessageID()
	if ids, err := h.MsgIDList("In-Reply-To"); err == nil && len(ids) > 0 {
		m.InReplyTo = ids[0]
	}
	if from, err := h.AddressList("From"); err == nil && len(from) == 1 {
		m.From, m.FromName = from[0].Address, from[0].Name
	}
	if to, err := h.AddressList("To"); err == nil && len(to) > 0 {
		m.To = to[0].Address
	}
	m.Subject, _ = h.Subject()
	m.Date, _ = netmail.ParseDate(h.Get("Date"))
	if all := h.FieldsByKey("Received"); all.Next() {
		m.Received = all.Value()
	}
	return m
}

// walker takes an e-mail's parts one after another.
type walker struct {
	parts    int
	text     string
	letter   []byte
	fileName string
	fit      fit // of letter
	reports  []reportPart
}

// fit is how sure an attachment is the letter.
type fit int

const (
	unfit fit = iota
	byBytes
	byName
	byType
)

func (w *walker) walk(e *message.Entity, depth int) error {
	if w.parts++; w.parts > maxParts {
		return fmt.Errorf("%w: more than %d parts", ErrMalformed, maxParts)
	}
	if n := e.Header.FieldsByKey("Content-Type").Len(); n > 1 {
		return fmt.Errorf("%w: %d fields Content-Type", ErrMalformed, n)
	}
	parts := e.MultipartReader()
	if parts == nil {
		return w.leaf(e)
	}
	if depth == maxNesting {
		return fmt.Errorf("%w: nested deeper than %d", ErrMalformed, maxNesting)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if part == nil { // cut short or torn: what came before may still be whole
			return nil
		}
		if err := w.walk(part, depth+1); err != nil {
			return err
		}
	}
}

func (w *walker) leaf(e *message.Entity) error {
	body, err := io.ReadAll(io.LimitReader(e.Body, maxMail))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // the last boundary is missing; what a letter lacks shows when it is opened
	}
	if err != nil && len(body) == 0 {
		return nil
	}
	kind, params, _ := e.Header.ContentType()
	_, disposition, _ := e.Header.ContentDisposition()
	name := disposition["filename"]
	if name == "" {
		name = params["name"]
	}
	name = decodeWords(name)
	if isReportPart(kind) {
		w.reports = append(w.reports, reportPart{kind: kind, body: body})
	}
	if f := judge(kind, name, body); err == nil && f > w.fit {
		w.fit, w.letter, w.fileName = f, body, name
		return nil
	}
	if w.text == "" && (kind == "text/plain" || kind == "") && name == "" {
		w.text = strings.ToValidUTF8(string(body[:min(len(body), maxPlain)]), "\uFFFD")
		w.text = strings.ReplaceAll(w.text, "\r\n", "\n")
	}
	return nil
}

// judge tells how sure a part is the letter. Providers and virus scanners
// change types and names; the bytes stay.
func judge(kind, name string, body []byte) fit {
	switch {
	case len(body) == 0 || len(body) > maxLetter:
		return unfit
	case kind == LetterType:
		return byType
	case strings.Contains(strings.ToLower(name), letterSuffix):
		return byName
	case len(body) >= minLetter && body[0] == 1 && body[1] >= 1 && body[1] <= 3 && kind != "text/plain" && kind != "text/html":
		return byBytes
	}
	return unfit
}

func decodeWords(s string) string {
	d, err := new(mime.WordDecoder).DecodeHeader(s)
	if err != nil {
		return s
	}
	return d
}
