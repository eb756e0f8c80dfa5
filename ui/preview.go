package ui

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A preview shows the mail of an invitation before it is sent, and asks how it
// shall go. What is sent is seen before: that lets people trust a program with
// their mail.
type preview struct {
	w      *Window
	sh     *sheet
	to     string
	folder bool

	// make makes the invitation; back shows the page before.
	make func(ctx context.Context, note string, byHand bool) (app.Invitation, error)
	back func()

	note    *entry
	mail    *widget.Label
	subject *widget.Label
	from    *widget.Label
	how     *choice
	send    *button
	busy    bool
}

func byProgram(m *app.MailboxState) string {
	if m == nil {
		return tr("Foldpost sends it from my e-mail account")
	}
	return tr("Foldpost sends it from {{.Address}}", "Address", shown(m.Address))
}

func byMyself() string { return tr("I send it with my own mail program") }

// open shows the page.
func (p *preview) open() {
	w := p.w
	p.sh.retitle(tr("Invite {{.Who}}", "Who", shown(p.to)))
	p.note = newText(w, tr("your own first line"), 2)
	p.note.SetText(tr("Hi, I would like to share some files with you. I will tell you the six words by phone."))
	if !p.folder {
		p.note.SetText(tr("Hi, let us link our computers. I will tell you the six words by phone."))
	}
	p.note.keyed = func(e *fyne.KeyEvent) bool { // a line: Enter goes on
		if e.Name != fyne.KeyReturn && e.Name != fyne.KeyEnter {
			return false
		}
		w.key(e)
		return true
	}
	p.mail, p.subject, p.from = para(""), strong(""), mutedLine("")
	program := byProgram(w.state.Mailbox)
	p.send = newButton(w, "", p.press)
	p.how = newChoice([]string{program, byMyself()}, func(string) { p.changed() })
	text := container.NewVScroll(p.mail)
	text.SetMinSize(fyne.NewSize(0, min(150, max(40, w.win.Canvas().Size().Height-540))))
	letter := card(container.NewVBox(column(p.from, p.subject), p.note, text))
	p.how.Selected = program
	p.sh.draw, p.sh.dropped = func(app.State) { p.mailbox() }, nil
	p.changed()
	intro := tr("This is the mail {{.Who}} will get. The first line is yours. Mail providers can read it; what the folder is called stands only in the sealed attachment.", "Who", shown(p.to))
	if !p.folder {
		intro = tr("This is the mail {{.Who}} will get. The first line is yours.", "Who", shown(p.to))
	}
	p.sh.page(container.NewVBox(
		para(intro), letter, p.how,
	), newButton(w, tr("Back"), p.back), p.send)
	p.note.TypedShortcut(&fyne.ShortcutSelectAll{}) // typing replaces it
	p.load()
}

// load fetches the text of the mail.
func (p *preview) load() {
	var d app.Draft
	p.w.do(func(ctx context.Context) (err error) {
		d, err = p.w.svc.Draft(ctx, app.DraftRequest{To: p.to, Folder: p.folder})
		return err
	}, func(err error) {
		if err != nil {
			p.sh.say(errorText(err))
			return
		}
		setText(p.subject, shown(d.Subject))
		setText(p.mail, strings.TrimSpace(d.Text))
		p.mailbox()
	})
}

// mailbox follows a mailbox that was set up meanwhile.
func (p *preview) mailbox() {
	from := tr("To {{.To}}", "To", shown(p.to))
	if m := p.w.state.Mailbox; m != nil {
		from = tr("From {{.From}} to {{.To}}", "From", shown(m.Address), "To", shown(p.to))
	}
	setText(p.from, from)
	if program := byProgram(p.w.state.Mailbox); p.how.Options[0] != program {
		byHand := p.byHand()
		p.how.Options = []string{program, byMyself()}
		p.how.Selected = program
		if byHand {
			p.how.Selected = byMyself()
		}
		p.how.Refresh()
		p.changed()
	}
}

func (p *preview) byHand() bool { return p.how.Selected == byMyself() }

// changed follows the choice of how the mail goes.
func (p *preview) changed() {
	text := tr("Send")
	if p.byHand() || p.w.state.Mailbox == nil {
		text = tr("Next")
	}
	if p.send.Text != text {
		p.send.SetText(text)
	}
	p.sh.say("")
}

// press goes on: first to the mailbox, if the program shall send and has none.
func (p *preview) press() {
	if p.busy {
		return
	}
	if p.byHand() || p.w.state.Mailbox != nil {
		p.finish()
		return
	}
	p.w.askMailboxOr("", p.finish, func() {
		p.how.SetSelected(byMyself())
		p.finish()
	})
}

// finish makes the invitation and shows its words.
func (p *preview) finish() {
	byHand, note := p.byHand(), strings.TrimSpace(p.note.Text)
	p.work(tr("One moment…"))
	var inv app.Invitation
	p.w.do(func(ctx context.Context) (err error) {
		inv, err = p.make(ctx, note, byHand)
		return err
	}, func(err error) {
		if !p.sh.isOpen() {
			p.w.fail(err)
			if err == nil {
				p.w.say(tr("The invitation is made. Its six words are on the home screen."))
			}
			return
		}
		p.rest()
		switch {
		case err != nil:
			p.sh.say(errorText(err))
		case inv.ID == "":
			p.sh.close() // everybody is linked already
		case byHand:
			p.sh.draw = nil
			p.w.handPage(p.sh, inv)
		default:
			p.w.showOpen(p.sh, inv)
		}
	})
}

func (p *preview) work(text string) {
	p.busy = true
	p.sh.say("")
	p.send.SetText(text)
	setEnabled(p.send, false)
}

func (p *preview) rest() {
	p.busy = false
	setEnabled(p.send, true)
	p.changed()
}
