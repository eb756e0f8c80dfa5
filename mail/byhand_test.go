package mail

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"mime/quotedprintable"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const handText = `Ada Lovelace invites you to share a folder, from her computer to yours.
1. At a Windows or Linux computer get https://foldpost.example/get
2. Copy this whole message, choose "Paste invitation" there.
3. Type the six words Ada tells you by phone or chat.
Good until Mon 30 Nov 10:41. Not expected? Delete this.
`

// handled is what happens to a text between two people.
var handled = []struct {
	name   string
	change func(string) string
}{
	{"nothing", func(s string) string { return s }},
	{"CRLF", func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }},
	{"wrapped at 76", wrapAt(76)},
	{"wrapped at 20", wrapAt(20)},
	{"wrapped at 257", wrapAt(257)}, // three lines of it are as long as a letter of the smallest size
	{"quoted", quoteWith("> ")},
	{"quoted twice without spaces", quoteWith(">>")},
	{"wrapped, then quoted", func(s string) string { return quoteWith("> ")(wrapAt(72)(s)) }},
	{"quoted, then wrapped", func(s string) string { return wrapAt(72)(quoteWith("> ")(s)) }},
	{"bars", quoteWith("| ")},
	{"line ends lost", func(s string) string { return strings.ReplaceAll(s, "\n", " ") }},
	{"line ends lost without spaces", func(s string) string { return strings.ReplaceAll(s, "\n", "") }},
	{"indented by no-break spaces", quoteWith("\u00a0\u00a0")},
	{"zero-width spaces", func(s string) string { return strings.ReplaceAll(wrapAt(40)(s), "\n", "\n\u200b") }},
	{"typographic dashes", func(s string) string { return strings.ReplaceAll(s, "--", "—") }},
	{"typographic quotes", func(s string) string { return "“" + strings.ReplaceAll(s, `"`, "“") + "”" }},
	{"quoted-printable", func(s string) string {
		var b bytes.Buffer
		w := quotedprintable.NewWriter(&b)
		w.Write([]byte(s))
		w.Close()
		return b.String()
	}},
	{"reply above and signature below", func(s string) string {
		return "Thanks! I try it tonight\n\nOn Monday Ada wrote:\n" + quoteWith("> ")(s) + "-- \nBob\nRegards and so on\n"
	}},
	{"list footer", func(s string) string {
		return s + "_______________________________________________\nannounce mailing list\n"
	}},
}

func wrapAt(n int) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for line := range strings.Lines(s) {
			for len(line) > n {
				b.WriteString(line[:n] + "\n")
				line = line[n:]
			}
			b.WriteString(line)
		}
		return b.String()
	}
}

func quoteWith(mark string) func(string) string {
	return func(s string) string {
		return mark + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n"+mark) + "\n"
	}
}

func TestFindLetterInCopiedText(t *testing.T) {
	big := testInvitation()
	big.Folders = slices.Repeat(big.Folders, 12)
	for _, letter := range [][]byte{
		mustSeal(t, PatternInvitation, testInvitation().ByHand()),
		mustSeal(t, PatternAnswer, testAnswer()),
		mustSeal(t, PatternInvitation, big),
	} {
		for _, tt := range handled {
			in := tt.change(CopyText(handText, letter))
			if got, err := Find([]byte(in)); err != nil || !bytes.Equal(got.Letter, letter) {
				t.Errorf("%s, %d bytes: Find = %d bytes, %v\n%s", tt.name, len(letter), len(got.Letter), err, in)
			}
		}
	}
}

func TestFindAnswerThatQuotesItsInvitation(t *testing.T) {
	invitation, answer := mustSeal(t, PatternInvitation, testInvitation()), mustSeal(t, PatternAnswer, testAnswer())
	quoted := quoteWith("> ")(wrapAt(72)(CopyText(handText, invitation)))
	for name, in := range map[string]string{
		"below": quoted + CopyText("Bob accepted.", answer),
		"above": CopyText("Bob accepted.", answer) + quoted,
	} {
		if got, err := Find([]byte(in)); err != nil || !bytes.Equal(got.Letter, answer) {
			t.Errorf("answer %s its invitation: Find = pattern %d, %v", name, got.Head.Pattern, err)
		}
	}
}

func TestFindLinkInCopiedText(t *testing.T) {
	link := mustReveal(t, testLink())
	for _, around := range []string{"%s", "Hi Bob, here it is: %s\n", "<%s>", "see “%s”.", "(%s)\nGreetings from Ada", "%s,\nAda", "İİİİ:%s", "FOLDPOST: %s"} {
		for _, tt := range handled {
			in := tt.change(fmt.Sprintf(around, link) + "\n")
			if tt.name == "quoted-printable" && strings.Contains(around, "“") {
				continue // the typographic quotes become code themselves; mail programs undo that before copying
			}
			got, err := Find([]byte(in))
			if err != nil || got.Link == nil || !reflect.DeepEqual(*got.Link, testLink()) {
				t.Errorf("%s: Find = %v\n%s", tt.name, err, in)
			}
		}
	}
}

func TestFindInFiles(t *testing.T) {
	letter := mustSeal(t, PatternInvitation, testInvitation())
	linkFile, err := LinkFile(testLink())
	if err != nil {
		t.Fatal(err)
	}
	eml := "Content-Type: application/vnd.foldpost.letter\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		wrapAt(76)(base64.StdEncoding.EncodeToString(letter)) + "\r\n--boundary--\r\n"
	for name, in := range map[string][]byte{
		"raw letter": letter, "raw letter as text": []byte(base64.StdEncoding.EncodeToString(letter)), "letter file": LetterFile(letter), "saved message": []byte(eml),
		"letter file of Windows": bytes.ReplaceAll(LetterFile(letter), []byte("\n"), []byte("\r\n")),
		"with byte order mark":   append([]byte("\ufeff"), LetterFile(letter)...),
	} {
		if got, err := Find(in); err != nil || !bytes.Equal(got.Letter, letter) || got.Head.Salt != testSalt {
			t.Errorf("%s: Find = %d bytes, %v", name, len(got.Letter), err)
		}
	}
	if got, err := Find(linkFile); err != nil || got.Link == nil || !reflect.DeepEqual(*got.Link, testLink()) {
		t.Errorf("link file: Find = %v", err)
	}
	for _, f := range [][]byte{LetterFile(letter), linkFile} {
		first, _, _ := strings.Cut(string(f), "\n")
		if first != "foldpost letter 1" && first != "foldpost invite 1" {
			t.Errorf("file begins with %q", first)
		}
	}
}

func TestFindRefuses(t *testing.T) {
	letter := mustSeal(t, PatternInvitation, testInvitation())
	code := Code(letter)
	peer := mustSealPeer(t, testSeek())
	for _, tt := range []struct {
		name, in string
		want     error
	}{
		{"nothing", "", ErrNothingFound},
		{"a mail without it", handText, ErrNothingFound},
		{"a picture", "\x89PNG\r\n\x1a\n\x00\x00", ErrNothingFound},
		{"cut short", CopyText(handText, letter)[:len(handText)+400], ErrDamaged},
		{"a line is missing", code[:80] + "\n" + code[160:], ErrDamaged},
		{"of two devices", Code(peer), ErrNotByHand},
		{"raw, of two devices", string(peer), ErrNotByHand},
		{"a link with options", mustReveal(t, testLink()) + "?x=1", ErrLink},
		{"a link of version 7", "foldpost:7/abc", ErrLink},
		{"too much", strings.Repeat("x", MaxPaste+1), ErrNothingFound},
		{"many beginnings", strings.Repeat("AQEAA ", MaxPaste/6), ErrDamaged},
		{"many links", strings.Repeat("foldpost:1/ ", MaxPaste/12), ErrLink},
	} {
		if got, err := Find([]byte(tt.in)); !errors.Is(err, tt.want) {
			t.Errorf("%s: Find = %d bytes, %v, want %v", tt.name, len(got.Letter), err, tt.want)
		}
	}
}

func TestMailtoURL(t *testing.T) {
	p := testInvitation()
	for i := range 12 {
		p.Addrs = append(p.Addrs, netip.AddrPortFrom(netip.MustParseAddr("2001:db8:1234:5678:9abc:def0:1234:5678"), uint16(50000+i)))
	}
	p.Folders = append(p.Folders, p.Folders...)
	letter := mustSeal(t, PatternInvitation, p.ByHand())
	u, err := MailtoURL("bob+x@example.org", "Ada Lovelace would like to share a folder with you", "Hi Bob & co!\n\n"+handText, letter)
	if err != nil {
		t.Fatal(err)
	}
	if len(u) >= MaxMailto || !strings.HasPrefix(u, "mailto:bob%2Bx@example.org?subject=Ada%20Lovelace") {
		t.Errorf("MailtoURL = %d characters: %s", len(u), u)
	}
	parsed, err := url.Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	body := parsed.Query().Get("body")
	if !strings.HasPrefix(body, "Hi Bob & co!\r\n\r\nAda Lovelace invites") {
		t.Errorf("body = %q", body)
	}
	if got, err := Find([]byte(body)); err != nil || !bytes.Equal(got.Letter, letter) {
		t.Errorf("Find(body) = %v", err)
	}
	if _, err := MailtoURL("b@x", "s", strings.Repeat("long ", 200), letter); !errors.Is(err, ErrTooLong) {
		t.Errorf("MailtoURL of a long text = %v, want ErrTooLong", err)
	}
	if _, err := MailtoURL("b@x\r\nBcc: e@x", "s", "", letter); err == nil {
		t.Error("MailtoURL took a line end in the address")
	}
}

func TestByHandIsAlwaysSmall(t *testing.T) {
	p := testInvitation()
	p.Person, p.Device, p.Program = strings.Repeat("a", 64), strings.Repeat("d", 64), strings.Repeat("p", 64)
	p.From, p.To = strings.Repeat("f", 40)+"@example.org", strings.Repeat("t", 40)+"@example.org"
	for range 14 {
		p.Addrs = append(p.Addrs, netip.MustParseAddrPort("[2001:db8:1234:5678:9abc:def0:1234:5678]:50000"))
	}
	got := p.ByHand()
	if letter := mustSeal(t, PatternInvitation, got); len(letter) != headSize+noiseOverhead+512 || len(got.Addrs) == 0 || len(got.Addrs) > MaxAddrsByHand {
		t.Errorf("letter by hand: %d bytes, %d addresses", len(letter), len(got.Addrs))
	}
	if small := testAnswer(); !reflect.DeepEqual(small.ByHand(), small) {
		t.Errorf("ByHand changed a small payload: %+v", small.ByHand())
	}
}

func TestFileName(t *testing.T) {
	for _, tt := range []struct {
		kind       Kind
		name, want string
	}{
		{KindInvitation, "Ada", "Invitation from Ada.foldpost"},
		{KindAnswer, "Bob", "Answer from Bob.foldpost"},
		{KindInvitation, "", "Invitation.foldpost"},
		{KindInvitation, "../../etc/passwd", "Invitation from .._.._etc_passwd.foldpost"},
		{KindInvitation, "a\r\nb:c\x00", "Invitation from a__b_c_.foldpost"},
	} {
		if got := (Payload{Kind: tt.kind, Person: tt.name}).FileName(); got != tt.want {
			t.Errorf("FileName of %q = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzFind(f *testing.F) {
	letter := mustSeal(f, PatternInvitation, testInvitation())
	f.Add([]byte(CopyText(handText, letter)))
	f.Add(LetterFile(letter))
	f.Add([]byte("see <" + mustReveal(f, testLink()) + ">"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Find(b)
		if err != nil {
			return
		}
		if (got.Link == nil) == (got.Letter == nil) {
			t.Fatalf("Find = %+v, want one of letter and link", got)
		}
		if got.Letter != nil {
			if head, err := ReadHead(got.Letter); err != nil || head != got.Head {
				t.Errorf("Find gave a letter that ReadHead refuses: %v", err)
			}
		}
	})
}
