package mail

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"foldpost/p2p/wire"
)

// Limits of letters that go by hand.
const (
	MaxMailto = 1500    // of a mailto: URL, in bytes: what mail programs take
	MaxPaste  = 1 << 20 // of a file or pasted text that is looked at, in bytes
)

// Why nothing was found in what a person pasted or opened.
var (
	ErrNothingFound = errors.New("there is no invitation in it: copy the whole message, or open the attached file")
	ErrDamaged      = errors.New("the invitation in it is cut short or was changed on its way: copy the whole message, or ask for it again")
	ErrTooLong      = errors.New("too long for a mail program: shorten the text, or send it as a file")
)

// Found is what [Find] found: a letter or an invite link.
type Found struct {
	Letter []byte      // nil if it is a link
	Head   Head        // of the letter
	Link   *InviteLink // nil if it is a letter
}

// Find looks for a letter or an invite link in what a person pasted, dropped
// or opened: a .foldpost file, the saved attachment, a whole message with
// quote marks and broken lines, or just the code. Where an invitation is quoted
// in its answer it finds the answer. Errors wrap [ErrNothingFound],
// [ErrDamaged], [ErrNotByHand] or [ErrLink].
func Find(b []byte) (Found, error) {
	if len(b) > MaxPaste {
		return Found{}, fmt.Errorf("%w (%d bytes, at most %d are looked at)", ErrNothingFound, len(b), MaxPaste)
	}
	if f, err := foundLetter(b); err == nil || errors.Is(err, ErrNotByHand) {
		return f, err
	}
	tokens := tokenize(string(b))
	var invitation Found
	first := error(ErrNothingFound)
	starts := 0
	for i := range tokens {
		f, err := findAt(tokens[i:])
		switch {
		case errors.Is(err, ErrNothingFound):
			continue
		case err == nil && (f.Link != nil || f.Head.Pattern == PatternAnswer):
			return f, nil
		case err == nil && invitation.Letter == nil:
			invitation = f
		case err != nil && errors.Is(first, ErrNothingFound):
			first = err
		}
		if starts++; starts == maxStarts {
			break
		}
	}
	if invitation.Letter != nil {
		return invitation, nil
	}
	return Found{}, first
}

// Bounds of the search, so that hostile text costs milliseconds: how many
// beginnings of a code are followed, and over how many pieces each.
const (
	maxStarts = 64
	maxPieces = 400
)

// findAt reads the letter or link that begins in the first token.
func findAt(tokens []string) (Found, error) {
	t := tokens[0]
	if i := strings.Index(lowerASCII(t), wire.Name+":"); i >= 0 && i+len(wire.Name)+1 < len(t) {
		return joinLink(cutLink(t[i:]), tokens[1:])
	}
	if t == wire.Name && len(tokens) > 3 && tokens[1] == "invite" && tokens[2] == "1" {
		code := slices.Clone(tokens[3:min(3+maxPieces, len(tokens))])
		for i := range code {
			code[i] = urlAlphabet(code[i])
		}
		return joinLink(linkPrefix, code)
	}
	if i := letterStart(t); i >= 0 {
		return joinLetter(t[i:], tokens[1:])
	}
	return Found{}, ErrNothingFound
}

// lowerASCII leaves every other letter, and so each position, as it is.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// cutLink cuts off what is glued to a link. Options stay, to be refused.
func cutLink(t string) string {
	head := len(wire.Name) + 1
	if i := strings.IndexFunc(t[head:], func(r rune) bool { return !codeRune(r) && !strings.ContainsRune("?&#=%", r) }); i >= 0 {
		return t[:head+i]
	}
	return t
}

// joinLink puts a link together that was broken into tokens. A link's content
// says where it ends, so only the whole link parses.
func joinLink(link string, more []string) (Found, error) {
	l, first := ParseLink(link)
	if first == nil {
		return Found{Link: &l}, nil
	}
	for _, t := range more[:min(maxPieces, len(more))] {
		if !isCode(t) || len(link)+len(t) > MaxLink {
			break
		}
		link += t
		if l, err := ParseLink(link); err == nil {
			return Found{Link: &l}, nil
		}
	}
	return Found{}, first
}

// letterStart returns where a letter's code begins in a token, or -1.
func letterStart(t string) int {
	if i := strings.LastIndex(t, separator+"AQ"); i >= 0 {
		t, i = t[i+len(separator):], i+len(separator)
		if hasLetterStart(t) {
			return i
		}
	}
	if hasLetterStart(t) {
		return 0
	}
	return -1
}

// hasLetterStart is true for 0x01 and a pattern from 1 to 3, and the salt's
// first two bits, in base64.
func hasLetterStart(t string) bool {
	return len(t) >= 3 && t[:2] == "AQ" && t[2] >= 'E' && t[2] <= 'P'
}

// joinLetter puts a letter together that was broken into tokens. There are few
// sizes that a letter may have; the largest that fits at the end of a token
// is taken.
func joinLetter(code string, more []string) (Found, error) {
	more = more[:min(maxPieces, len(more))]
	found, err := Found{}, ErrDamaged
	for {
		if f, decodeErr := decodeLetter(code); decodeErr == nil || errors.Is(decodeErr, ErrNotByHand) {
			found, err = f, decodeErr
		}
		if len(more) == 0 || !isCode(more[0]) || isSeparator(more[0]) || len(code) > base64.RawURLEncoding.EncodedLen(MaxLetter) {
			break
		}
		code, more = code+more[0], more[1:]
	}
	if errors.Is(err, ErrDamaged) && len(code) < minDamaged {
		return Found{}, ErrNothingFound // a word, or another attachment
	}
	return found, err
}

// minDamaged is how much of a code has to be there before we speak of a
// damaged one, in characters.
const minDamaged = 64

// decodeLetter decodes a code that ends where a letter may end, or has a line
// of hyphens glued to it.
func decodeLetter(code string) (Found, error) {
	code = urlAlphabet(code)
	if i := strings.LastIndex(code, separator); i >= 0 && strings.Trim(code[i:], "-") == "" {
		if f, err := decodeExactLetter(strings.TrimRight(code, "-")); err == nil {
			return f, nil
		}
	}
	return decodeExactLetter(code)
}

func decodeExactLetter(code string) (Found, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if err != nil {
		return Found{}, ErrDamaged
	}
	return foundLetter(b)
}

// foundLetter is what a person can do something with.
func foundLetter(letter []byte) (Found, error) {
	head, err := ReadHead(letter)
	if err == nil && head.Pattern == PatternPeer {
		err = ErrNotByHand
	}
	if err != nil {
		return Found{}, err
	}
	return Found{Letter: letter, Head: head}, nil
}

// separator stands around a code in a text, in a line of its own.
const separator = "----"

func isSeparator(t string) bool { return len(t) >= len(separator) && strings.Trim(t, "-") == "" }

// isCode tells whether a token could be part of a code.
func isCode(t string) bool {
	return strings.IndexFunc(t, func(r rune) bool { return !codeRune(r) }) < 0
}

// codeRune is true for both alphabets of base64.
func codeRune(r rune) bool {
	return (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9') || strings.ContainsRune("-_+/", r)
}

func urlAlphabet(code string) string { return strings.NewReplacer("+", "-", "/", "_").Replace(code) }

// tokenize splits text at white space and takes off what mail programs, chats
// and editors put around the parts: quote marks of replies, brackets,
// typographic quotes, the "=" at the end of a line in quoted-printable and of
// base64.
func tokenize(text string) []string {
	tokens := strings.Fields(typography.Replace(text))
	kept := tokens[:0]
	for _, t := range tokens {
		if t = strings.TrimFunc(t, func(r rune) bool { return !codeRune(r) }); t != "" {
			kept = append(kept, t)
		}
	}
	return kept
}

// typography undoes what editors make of hyphens, and removes what nobody sees.
var typography = strings.NewReplacer(
	"–", "--", "—", "--",
	"\u00ad", "", "\u200b", "", "\u200c", "", "\u200d", "", "\u2060", "", "\ufeff", "",
	"\x00", "", // UTF-16 read as bytes
	"&gt;", " ", "&lt;", " ",
)

// Code returns a letter as text, in one line.
func Code(letter []byte) string { return base64.RawURLEncoding.EncodeToString(letter) }

// CopyText returns a text for a person with the letter's code below it, to be
// pasted into any mail or chat.
func CopyText(text string, letter []byte) string {
	return strings.TrimRight(text, "\n") + "\n\n" + separator + "\n" + Code(letter) + "\n" + separator + "\n"
}

// MailtoURL returns the URL that opens the user's mail program with the text
// and the letter's code in it. Errors wrap [ErrTooLong] where the URL would
// exceed [MaxMailto].
func MailtoURL(to, subject, text string, letter []byte) (string, error) {
	if strings.ContainsAny(to+subject, "\r\n") {
		return "", errors.New("write mail: a line end in address or subject")
	}
	body := strings.ReplaceAll(CopyText(text, letter), "\n", "\r\n") // RFC 6068 §5
	u := "mailto:" + strings.ReplaceAll(escape(to), "%40", "@") + "?subject=" + escape(subject) + "&body=" + escape(strings.TrimRight(body, "\r\n"))
	if len(u) >= MaxMailto {
		return "", fmt.Errorf("write mail: %w (%d characters, fewer than %d fit)", ErrTooLong, len(u), MaxMailto)
	}
	return u, nil
}

// escape leaves only unreserved characters of RFC 3986 as they are.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// LetterFile returns the content of a .foldpost file that holds a letter.
func LetterFile(letter []byte) []byte { return file("letter", letter) }

// LinkFile returns the content of a .foldpost file that holds an invite link:
// like the link, whoever has it may use it.
func LinkFile(l InviteLink) ([]byte, error) {
	b, err := l.encode()
	if err != nil {
		return nil, err
	}
	return file("invite", b), nil
}

// lineLength of the base64 in files, in characters.
const lineLength = 76

func file(what string, content []byte) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s 1\n", wire.Name, what)
	code := base64.StdEncoding.EncodeToString(content)
	for len(code) > 0 {
		n := min(lineLength, len(code))
		b.WriteString(code[:n] + "\n")
		code = code[n:]
	}
	return []byte(b.String())
}

// FileName returns the name of a letter's file, such as "Invitation from
// Ada.foldpost", which is a valid file name everywhere.
func (p Payload) FileName() string {
	what := "Invitation"
	if p.Kind == KindAnswer {
		what = "Answer"
	}
	name := strings.Map(func(r rune) rune {
		if r == '\ufffd' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, wire.SafeName(p.Person))
	if name == "" {
		return what + "." + wire.Name
	}
	return what + " from " + name + "." + wire.Name
}

// ByHand returns the payload with so much left out that its letter is of the
// smallest size, whose code fits into a mailto: URL: at most [MaxAddrsByHand]
// addresses, then what only describes the sender. A payload that is still too
// large is returned as small as it gets.
func (p Payload) ByHand() Payload {
	p.Mapped = p.Mapped[:min(1, len(p.Mapped))]
	p.Reflexive = p.Reflexive[:min(1, len(p.Reflexive))] // from another network only these three help
	p.Relayed = p.Relayed[:min(1, len(p.Relayed))]
	p.Addrs = p.Addrs[:min(MaxAddrsByHand-len(p.Mapped)-len(p.Reflexive)-len(p.Relayed), len(p.Addrs))]
	for _, less := range []func(){
		func() {},
		func() { p.Network = "" },
		func() { p.Program = "" },
		func() { p.Addrs = p.Addrs[:min(2, len(p.Addrs))] },
		func() { p.Folders = p.Folders[:min(1, len(p.Folders))] },
		func() { p.Folders = nil },
		func() { p.Addrs = p.Addrs[:min(1, len(p.Addrs))] },
		func() { p.Device = "" },
	} {
		less()
		b, err := p.encode(func(w *payload) { w.DiscoveryKey[0] = 1 }) // of its full size
		if err != nil || len(b) <= paddedSizes[0] {
			break
		}
	}
	return p
}
