package assets

import (
	"embed"
	"fmt"
	"strings"
	"text/template"
	"time"
	"unicode"
)

// A Text is a letter as a person reads it, in UTF-8 with "\n" at line ends.
// The subject is one line.
type Text struct {
	Subject string
	Body    string
}

// An Invitation says what a person should read in an invitation. There is no
// place for a folder's name or size: mail providers read this.
type Invitation struct {
	Person  string    // who invites, a name or mail address
	Note    string    // the sender's own first lines, or ""
	Folder  bool      // a folder comes with it
	Expires time.Time // in the sender's time zone
}

// An Answer says what a person should read in the answer to an invitation.
type Answer struct {
	Person  string // who accepted
	Device  string // where
	Subject string // of the invitation, so that the answer threads under it
}

// InvitationMail is the text of an invitation that the program mails, with the
// letter attached.
func InvitationMail(i Invitation) Text {
	return Text{Subject: i.subject(), Body: render("invitation.txt", i.fields())}
}

// InvitationByHand is the short text of an invitation that the user sends,
// with the letter as a code below it. It is short, because text and code have
// to fit into a mailto: URL.
func InvitationByHand(i Invitation) Text {
	return Text{Subject: line(i.Person) + " invites you", Body: render("invitation-by-hand.txt", i.fields())}
}

// AnswerMail is the text of an answer that the program mails.
func AnswerMail(a Answer) Text {
	return Text{Subject: a.subject(), Body: render("answer.txt", a.fields())}
}

// AnswerByHand is the short text of an answer that the user sends, with the
// letter as a code below it.
func AnswerByHand(a Answer) Text {
	return Text{Subject: a.subject(), Body: render("answer-by-hand.txt", a.fields())}
}

// SeekMail is the text around a letter by which a computer asks another one
// where it is. Only programs read the letter; the text keeps a person who sees
// the mail from wondering.
func SeekMail(device string) Text {
	return between("Foldpost is looking for your computer", "seek.txt", device)
}

// HereMail is the text around the answer to a letter that asked.
func HereMail(device string) Text {
	return between("Foldpost says where a computer is", "here.txt", device)
}

// ReservedMail is the text around the letter that tells a person's computer
// that its answer to an invitation has arrived.
func ReservedMail(device string) Text {
	return between("Your answer has arrived", "reserved.txt", device)
}

// between is a text that a computer sends to another.
func between(subject, name, device string) Text {
	return Text{Subject: subject, Body: render(name, Answer{Device: line(device)})}
}

func (i Invitation) subject() string {
	if i.Folder {
		return line(i.Person) + " would like to share a folder with you"
	}
	return line(i.Person) + " would like to link computers with you"
}

type invitationFields struct {
	Note, Person, First, Download, Until, UntilShort string

	Folder bool
}

func (i Invitation) fields() invitationFields {
	return invitationFields{
		Note:       paragraph(i.Note),
		Person:     line(i.Person),
		First:      firstName(line(i.Person)),
		Download:   Download,
		Until:      i.Expires.Format("Monday 2 January 2006, 15:04") + " (" + zone(i.Expires) + ")",
		UntilShort: i.Expires.Format("Mon 2 Jan 15:04"),
		Folder:     i.Folder,
	}
}

func (a Answer) subject() string {
	s := line(a.Subject)
	if s == "" {
		return line(a.Person) + " accepted your invitation"
	}
	if strings.HasPrefix(strings.ToLower(s), "re:") {
		return s
	}
	return "Re: " + s
}

func (a Answer) fields() Answer {
	return Answer{Person: line(a.Person), Device: line(a.Device)}
}

//go:embed letters/*.txt
var letterFiles embed.FS

var letters = template.Must(template.ParseFS(letterFiles, "letters/*.txt"))

func render(name string, fields any) string {
	var b strings.Builder
	if err := letters.ExecuteTemplate(&b, name, fields); err != nil {
		panic(err) // our own template and fields, run by the tests
	}
	return b.String()
}

// line returns s as one line without control characters.
func line(s string) string { return strings.Join(strings.Fields(printable(s)), " ") }

// paragraph returns s as lines without control characters.
func paragraph(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRightFunc(printable(lines[i]), unicode.IsSpace)
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// firstName is what friends are called by: the first word of a name of several
// words, else the whole.
func firstName(name string) string {
	first, _, _ := strings.Cut(name, " ")
	return first
}

// zone names a time's zone so that people elsewhere understand it.
func zone(t time.Time) string {
	_, seconds := t.Zone()
	if seconds == 0 {
		return "UTC"
	}
	sign, minutes := '+', seconds/60
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	if minutes%60 == 0 {
		return fmt.Sprintf("UTC%c%d", sign, minutes/60)
	}
	return fmt.Sprintf("UTC%c%d:%02d", sign, minutes/60, minutes%60)
}
