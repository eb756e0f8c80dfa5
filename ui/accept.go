package ui

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// An accepting is the way of an invitation from the mail to the device that it
// leads to, in one sheet: what came, its words, and the looking for each other.
// It ends with what that device shares (join.go).
type accepting struct {
	w    *Window
	sh   *sheet
	busy *widget.Label // what the sheet is doing; hidden if nothing

	input    string
	file     string // the name of the file that it is from; "" if from none
	proposal app.Proposal
	gone     bool // the sheet was closed
}

// askAccept opens the sheet that takes an invitation: a link, the path or the
// content of a file, a pasted message, the id of one that came by mail, or "" to
// be asked for it. It never accepts by itself.
func (w *Window) askAccept(input string) {
	a := newAccepting(w)
	a.take()
	switch {
	case filepath.IsAbs(input) && !strings.Contains(input, "\n"):
		a.read(input)
	case strings.TrimSpace(input) != "":
		a.look(input)
	}
}

// openFile opens a file that may be an invitation.
func (w *Window) openFile(path string) {
	a := newAccepting(w)
	a.take()
	a.read(path)
}

func newAccepting(w *Window) *accepting {
	a := &accepting{w: w, sh: w.open(tr("I have an invitation")), busy: muted("")}
	a.busy.Hide()
	a.sh.closed = func() { a.gone = true }
	return a
}

// take asks for the invitation.
func (a *accepting) take() {
	text := newText(a.w, tr("Paste the whole message here"), 4)
	choose := newIconButton(a.w, tr("Choose a file…"), glyph("letter"), func() {
		a.w.opts.PickFile(a.w.win, tr("Choose the file from the mail"), a.read)
	})
	show(choose, a.w.opts.PickFile != nil)
	next := newButton(a.w, tr("Next"), func() { a.look(text.Text) })
	next.Disable()
	text.OnChanged = func(s string) { setEnabled(next, strings.TrimSpace(s) != "") }
	text.pastes = func(s string) bool {
		if text.Text != "" {
			return false
		}
		a.look(s)
		return true
	}
	came := newRows(func(q app.Question) app.QuestionID { return q.ID }, func(app.Question) row[app.Question] { return newCameRow(a) })
	mailed := container.NewVBox(subheading(tr("Came by mail")), came.box)
	a.sh.page(container.NewVBox(
		para(tr("Drop the file from the mail here, or paste the whole message.")),
		text,
		container.NewHBox(choose, layout.NewSpacer()),
		a.busy, mailed,
	), newButton(a.w, tr("Cancel"), a.sh.close), next)
	a.sh.dropped = a.read
	a.sh.pasted = a.look
	a.sh.draw = func(s app.State) {
		list := invitationsByMail(s)
		came.draw(list)
		show(mailed, len(list) > 0)
	}
	a.sh.draw(a.w.state)
	a.sh.fit()
}

// invitationsByMail are those that came and nobody has opened yet.
func invitationsByMail(s app.State) []app.Question {
	return slices.DeleteFunc(slices.Clone(s.Questions), func(q app.Question) bool { return q.Kind != app.AskInvitation })
}

// A cameRow is an invitation that came by mail.
type cameRow struct {
	a    *accepting
	q    app.Question
	box  *fyne.Container
	text *widget.Label
}

func newCameRow(a *accepting) *cameRow {
	r := &cameRow{a: a, text: para("")}
	r.box = card(spread(r.text, newButton(a.w, tr("Open"), func() { a.look(string(r.q.Invitation)) })))
	return r
}

func (r *cameRow) object() fyne.CanvasObject { return r.box }

func (r *cameRow) draw(q app.Question) {
	r.q = q
	setText(r.text, textOf(q, r.a.w.state, 0).text)
}

// call runs a call of the service while the sheet says what happens, and then,
// if the sheet is still there, what follows.
func (a *accepting) call(doing string, call func(ctx context.Context) error, then func(error)) {
	if a.busy.Visible() {
		return
	}
	a.sh.wrong.say("")
	setText(a.busy, doing)
	a.busy.Show()
	primary := a.sh.primary
	enabled := !primary.Disabled()
	primary.Disable()
	a.sh.fit()
	a.w.do(call, func(err error) {
		if a.gone {
			return
		}
		a.busy.Hide()
		setEnabled(primary, enabled)
		then(err)
		if !a.gone {
			a.sh.fit()
		}
	})
}

// read takes an invitation from a file.
func (a *accepting) read(path string) {
	var text string
	a.call(tr("Reading the file…"), func(context.Context) (err error) {
		text, err = readInvitation(path)
		return err
	}, func(err error) {
		if err != nil {
			a.sh.wrong.say(errorText(err))
			return
		}
		a.file = filepath.Base(path)
		a.look(text)
	})
}

// look reads what the invitation says of itself. Nothing is sent for it.
func (a *accepting) look(input string) {
	if len(input) > maxInvitation {
		a.sh.wrong.say(tr("This is too long for an invitation. Copy only the message, or open the file from the mail."))
		a.sh.fit()
		return
	}
	var p app.Proposal
	a.call(tr("Reading the invitation…"), func(ctx context.Context) (err error) {
		p, err = a.w.svc.Look(ctx, input)
		return err
	}, func(err error) {
		if err != nil {
			a.sh.wrong.say(errorText(err))
			return
		}
		a.input, a.proposal = input, p
		a.choose()
	})
}

// choose goes on with what the invitation turned out to be.
func (a *accepting) choose() {
	a.sh.dropped, a.sh.pasted, a.sh.draw = nil, nil, nil
	p := a.proposal
	switch i, open := findInvitation(a.w.state, p.ID); {
	case open && i.Direction == app.Sent:
		a.askAnswer(i)
	case open && i.Step != app.StepFailed:
		a.follow(p.ID, "")
	case p.Accepted && !open:
		a.sayAccepted()
	case p.NeedsWords:
		a.askWords()
	default:
		a.askLink()
	}
}

// askWords asks for the six words.
func (a *accepting) askWords() {
	fields := newWordFields(a.w)
	ok := newButton(a.w, tr("Accept"), nil)
	ok.OnTapped = func() {
		fields.finishAll()
		if words, complete := fields.words(); complete {
			a.accept(words)
		}
	}
	fields.changed = func() {
		_, complete := fields.words()
		setEnabled(ok, complete && !a.busy.Visible())
	}
	fields.changed()
	a.sh.retitle(tr("The six words"))
	a.sh.page(container.NewVBox(
		a.claim(),
		para(a.askForWords()),
		fields.box, a.busy,
		muted(tr("The words are told by phone, in person or in a chat. They never come by e-mail: if they do, it is somebody else.")),
	), newButton(a.w, tr("Not now"), a.sh.close), ok)
	a.sh.pasted = func(text string) { fields.paste(0, text) }
	fields.focus()
}

// claim says who the invitation says it is from.
func (a *accepting) claim() fyne.CanvasObject {
	p := a.proposal
	from := shown(p.From)
	if p.Name != "" && from != "" {
		from = tr("{{.Name}}, {{.Address}}", "Name", shown(p.Name), "Address", from)
	} else if p.Name != "" {
		from = shown(p.Name)
	}
	switch {
	case from != "":
		return column(para(tr("An invitation that says it is from")), strong(from))
	case a.file != "":
		return column(para(tr("An invitation, in the file")), strong(shown(a.file)))
	}
	return para(tr("This invitation does not say whom it is from."))
}

func (a *accepting) askForWords() string {
	switch p := a.proposal; {
	case p.Name != "":
		return tr("The six words will prove it. Ask {{.Name}} for them:", "Name", shown(p.Name))
	case p.From != "":
		return tr("The six words will prove it. Ask for them:")
	case a.file != "":
		return tr("The six words will prove it. Ask the person who sent it for them:")
	}
	return tr("The six words will prove who sent it. Ask that person for them:")
}

// askLink asks whether a link shall be accepted: no words prove who made it.
func (a *accepting) askLink() {
	p := a.proposal
	body := container.NewVBox(a.claim())
	for _, o := range p.Folders {
		body.Add(card(column(strong(shown(o.Name)), mutedLine(sizeText(o)))))
	}
	if !p.Expires.IsZero() {
		body.Add(para(tr("Good until {{.When}}.", "When", when(p.Expires, a.w.now()))))
	}
	body.Add(para(tr("A link is as safe as the way it came to you. Accept it only if you know who sent it.")))
	body.Add(a.busy)
	a.sh.retitle(tr("Accept this invitation?"))
	a.sh.page(body, newButton(a.w, tr("Not now"), a.sh.close), newButton(a.w, tr("Accept"), func() { a.accept("") }))
}

// sayAccepted is for an invitation of which nothing is left to do.
func (a *accepting) sayAccepted() {
	a.sh.retitle(tr("Accepted already"))
	a.sh.page(container.NewVBox(
		para(tr("You have accepted this invitation already. What is shared with you stands on the home screen.")),
	), newButton(a.w, tr("Done"), a.sh.close))
}

// askAnswer takes the answer to an invitation that was made here: it tells
// where the other computer is.
func (a *accepting) askAnswer(i app.OpenInvitation) {
	who := whoIs(i)
	a.sh.retitle(tr("An answer"))
	a.sh.page(container.NewVBox(
		para(tr("This is the answer of {{.Name}} to your invitation. It tells where the other computer is.", "Name", who)),
		a.busy,
	), newButton(a.w, tr("Not now"), a.sh.close), newButton(a.w, tr("Use it"), func() {
		a.call(tr("Reading the answer…"), func(ctx context.Context) error {
			_, err := a.w.svc.Accept(ctx, app.AcceptRequest{Input: a.input})
			return err
		}, func(err error) {
			if err != nil {
				a.sh.wrong.say(errorText(err))
				return
			}
			a.sh.close()
			a.w.showInvitation(i.ID)
		})
	}))
}

// accept is the user's yes.
func (a *accepting) accept(words string) {
	doing := tr("Reading the invitation…")
	if words != "" {
		doing = tr("Trying the words…")
	}
	var taken app.Accepted
	a.call(doing, func(ctx context.Context) (err error) {
		taken, err = a.w.svc.Accept(ctx, app.AcceptRequest{Input: a.input, Words: words})
		return err
	}, func(err error) {
		switch {
		case err == nil:
			repair := ""
			if taken.Heard != "" {
				repair = tr("Heard “{{.Heard}}”, but “{{.Fits}}” fits.", "Heard", taken.Heard, "Fits", taken.Fits)
			}
			a.follow(taken.ID, repair)
		case app.CodeOf(err) == app.CodeWords:
			a.sh.wrong.say(wrongWords(a.proposal))
		default:
			a.sh.wrong.say(errorText(err))
		}
	})
}

func wrongWords(p app.Proposal) string {
	if p.Name == "" {
		return tr("These words do not open this invitation. Compare them one by one with the person who told you; you can try as often as you like.")
	}
	return tr("These words do not open this invitation. Compare them with {{.Name}} one by one; you can try as often as you like.", "Name", shown(p.Name))
}

// maxInvitation is the largest file or text that is looked at, in bytes: no
// invitation is larger.
const maxInvitation = 64 << 10

// readInvitation reads a file that may be an invitation.
func readInvitation(path string) (string, error) {
	name := shownPath(filepath.Base(path))
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", errors.New(tr("“{{.File}}” is not there any more.", "File", name))
	case err != nil:
		return "", errors.New(tr("“{{.File}}” cannot be read: {{.Why}}", "File", name, "Why", err))
	case st.IsDir():
		return "", errors.New(tr("“{{.File}}” is a folder. Choose the file from the mail.", "File", name))
	case !st.Mode().IsRegular() || st.Size() > maxInvitation:
		return "", errors.New(tr("“{{.File}}” is no invitation. Choose the file from the mail; its name ends in .foldpost.", "File", name))
	}
	f, err := os.Open(path)
	if err != nil {
		return "", errors.New(tr("“{{.File}}” cannot be read: {{.Why}}", "File", name, "Why", err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxInvitation))
	if err != nil {
		return "", errors.New(tr("“{{.File}}” cannot be read: {{.Why}}", "File", name, "Why", err))
	}
	return asText(b), nil
}

// asText makes text of a file: an attachment that a mail program has saved may
// be the letter itself, which a message has as base64.
func asText(b []byte) string {
	switch {
	case utf8.Valid(b):
		return string(b)
	case len(b) > 1 && b[0] == 1: // the version of letters
		return base64.StdEncoding.EncodeToString(b)
	}
	return strings.ToValidUTF8(string(b), "?")
}
