package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// shownMails is how many of the messages read and sent are listed.
const shownMails = 50

// mailboxPart is the part of the settings about the e-mail account: how it
// does, where its password is, and what was read and sent.
type mailboxPart struct {
	w   *Window
	box *fyne.Container

	without *fyne.Container
	with    *fyne.Container
	address *widget.Label
	state   *widget.Label
	trouble *trouble
	kept    *widget.Label
	test    *button

	none   *widget.Label
	mails  *rows[int, numbered]
	loaded mailsKey
	known  bool // loaded is set
}

// numbered is a message and its place in the list.
type numbered struct {
	at   int
	mail app.Mail
}

// mailsKey changes when the list of messages may have.
type mailsKey struct {
	address     string
	invitations int
	questions   int
	sent        int64 // when the last mail left, in Unix seconds
}

func newMailboxPart(w *Window) *mailboxPart {
	m := &mailboxPart{w: w, address: strong(""), state: para(""), trouble: newTrouble(), kept: muted(""), none: muted("")}
	set := func() { w.askMailbox("", nil) }
	m.without = container.NewVBox(
		para(tr("You need no e-mail account here: you can send invitations with your own mail program. With one, this program sends them, and sees the answers.")),
		container.NewHBox(newButton(w, tr("Set up an e-mail account"), set)),
	)
	m.test = newButton(w, tr("Test"), m.tryIt)
	m.with = container.NewVBox(
		column(m.address, m.state, m.kept), m.trouble.box,
		container.NewHBox(m.test, newButton(w, tr("Change"), m.change), newButton(w, tr("Forget"), m.forget)),
	)
	m.mails = newRows(func(n numbered) int { return n.at }, func(numbered) row[numbered] { return newMailRow(w) })
	m.box = container.NewVBox(
		subheading(tr("E-mail account")), m.without, m.with,
		subheading(tr("Read and sent")),
		muted(tr("Of your mail only this program's own messages are read. Nothing is marked, moved or deleted.")),
		m.none, m.mails.box,
	)
	return m
}

func (m *mailboxPart) object() fyne.CanvasObject { return m.box }

func (m *mailboxPart) draw(s app.State) {
	show(m.without, s.Mailbox == nil)
	show(m.with, s.Mailbox != nil)
	key := mailsKey{invitations: len(s.Invitations), questions: len(s.Questions)}
	for _, inv := range s.Invitations {
		key.sent = max(key.sent, inv.Sent.Unix())
	}
	if b := s.Mailbox; b != nil {
		key.address = b.Address
		setText(m.address, shown(b.Address))
		setText(m.state, mailboxSentence(b))
		setText(m.kept, keptText(m.w, b.Kept))
		m.trouble.say(shownText(b.Problem))
	}
	if !m.known || key != m.loaded {
		m.known, m.loaded = true, key
		m.load()
	}
}

func mailboxSentence(b *app.MailboxState) string {
	switch b.State {
	case "ok":
		return tr("It works.")
	case "problem":
		return tr("It does not work at the moment.")
	}
	return tr("Connecting …")
}

// load reads the list of messages.
func (m *mailboxPart) load() {
	var list []app.Mail
	m.w.do(func(ctx context.Context) (err error) {
		list, err = m.w.svc.Mails(ctx)
		return err
	}, func(err error) {
		switch {
		case err != nil:
			setText(m.none, errorText(err))
		case len(list) == 0:
			setText(m.none, tr("No message yet."))
		}
		show(m.none, err != nil || len(list) == 0)
		var shown []numbered
		for i, mail := range list[:min(len(list), shownMails)] {
			shown = append(shown, numbered{i, mail})
		}
		m.mails.draw(shown)
	})
}

// tryIt logs in to both servers.
func (m *mailboxPart) tryIt() {
	setEnabled(m.test, false)
	m.test.SetText(tr("Testing …"))
	m.w.do(m.w.svc.TestMailbox, func(err error) {
		m.test.SetText(tr("Test"))
		setEnabled(m.test, true)
		if err != nil {
			m.w.fail(err)
			return
		}
		m.w.say(tr("The e-mail account works, to receive and to send."))
	})
}

func (m *mailboxPart) change() {
	address := ""
	if b := m.w.state.Mailbox; b != nil {
		address = b.Address
	}
	m.w.askMailbox(address, nil)
}

func (m *mailboxPart) forget() {
	m.w.confirm(tr("Forget this e-mail account?"),
		tr("Its password is removed from this computer. Devices and folders stay as they are. Invitations that wait to be sent are not sent, and answers that come by mail are not seen."),
		tr("Forget it"), func() { m.w.do(m.w.svc.ForgetMailbox, m.w.fail) })
}

// mailRow is one message of the list.
type mailRow struct {
	w             *Window
	box           *fyne.Container
	what, subject *widget.Label
	at            *widget.Label
}

func newMailRow(w *Window) *mailRow {
	r := &mailRow{w: w, what: line(""), subject: mutedLine(""), at: muted("")}
	r.at.Wrapping = fyne.TextWrapOff
	r.box = container.NewBorder(nil, nil, nil, container.NewCenter(r.at), column(r.what, r.subject))
	return r
}

func (r *mailRow) object() fyne.CanvasObject { return r.box }

func (r *mailRow) draw(n numbered) {
	with := shown(n.mail.With)
	what := tr("Read: from {{.Who}}", "Who", with)
	if n.mail.Direction == app.Sent {
		what = tr("Sent: to {{.Who}}", "Who", with)
	}
	setText(r.what, what)
	setText(r.subject, ink(n.mail.Subject, 2*maxShown))
	setText(r.at, when(n.mail.At, r.w.now()))
}
