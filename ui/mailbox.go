package ui

import (
	"context"
	"net/url"
	"os"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// askMailbox opens the sheet that sets up the e-mail account, and goes straight
// to its servers where an address is given. Done, which may be nil, is called
// once the account works and the user goes on.
func (w *Window) askMailbox(address string, done func()) { w.askMailboxOr(address, done, nil) }

// askMailboxOr is askMailbox where the user may also send with a mail program
// of their own, which byHand does.
func (w *Window) askMailboxOr(address string, done, byHand func()) {
	m := &mailboxSheet{w: w, sheet: w.open(tr("Your e-mail account")), done: done, byHand: byHand}
	m.sheet.closed = m.stop
	m.address = newEntry(w, tr("name@example.org"))
	m.address.SetText(address)
	m.progress = mutedLine("")
	if strings.TrimSpace(address) == "" {
		m.askAddress()
	} else {
		m.find()
	}
}

// mailboxSheet sets up an e-mail account: address, servers, password.
type mailboxSheet struct {
	w            *Window
	sheet        *sheet
	done, byHand func()
	cancel       context.CancelFunc // of the call that runs; nil if none does

	address  *entry
	progress *widget.Label

	guess    app.MailboxGuess
	password *entry
	details  *fyne.Container
	imap     *entry
	smtp     *entry
	user     *entry
	ca       *entry
	sure     *check // nil where servers need no yes
	steps    *checklist
	save     *button
}

// call runs a call of the service that ends with the sheet.
func (m *mailboxSheet) call(what func(context.Context) error, then func(error)) {
	var ctx context.Context
	ctx, m.cancel = context.WithCancel(m.w.ctx)
	m.w.do(func(context.Context) error { return what(ctx) }, func(err error) {
		if ctx.Err() != nil {
			return // the sheet is gone
		}
		m.stop()
		then(err)
	})
}

func (m *mailboxSheet) stop() {
	if m.cancel != nil {
		m.cancel()
		m.cancel = nil
	}
}

// askAddress is the first page.
func (m *mailboxSheet) askAddress() {
	m.sheet.retitle(tr("Your e-mail account"))
	setText(m.progress, "")
	m.sheet.page(container.NewVBox(
		para(tr("Invitations are sent from your own address. Of your mail only this program's own messages are read; nothing is marked, moved or deleted.")),
		m.address, m.progress,
	), newButton(m.w, tr("Cancel"), m.sheet.close), newButton(m.w, tr("Next"), m.find))
}

// find looks for the address's servers.
func (m *mailboxSheet) find() {
	if m.cancel != nil {
		return
	}
	address := strings.TrimSpace(m.address.Text)
	if name, domain, ok := strings.Cut(address, "@"); !ok || name == "" || !strings.Contains(strings.Trim(domain, "."), ".") {
		m.askAddress()
		m.sheet.say(tr("{{.Text}} is no e-mail address. It looks like name@example.org.", "Text", shown(address)))
		m.sheet.fit()
		return
	}
	m.sheet.say("")
	m.askAddress()
	setText(m.progress, tr("Looking for the mail servers of {{.Domain}} …", "Domain", shown(domainOf(address))))
	var g app.MailboxGuess
	m.call(func(ctx context.Context) (err error) {
		g, err = m.w.svc.FindMailbox(ctx, address)
		return err
	}, func(err error) {
		m.address.SetText(address)
		m.guess = g
		switch {
		case err != nil && app.CodeOf(err) == app.CodeUsage:
			setText(m.progress, "")
			m.sheet.say(errorText(err))
			m.sheet.fit()
		case err != nil:
			m.askPassword()
			m.sheet.say(errorText(err))
			m.showDetails()
		case g.Login == app.LoginNone:
			m.noPassword()
		default:
			m.askPassword()
		}
	})
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// provider is what the provider is called.
func (m *mailboxSheet) provider() string {
	if m.guess.Provider != "" {
		return shown(m.guess.Provider)
	}
	return shown(domainOf(m.address.Text))
}

// noPassword is the page for providers that let no program in.
func (m *mailboxSheet) noPassword() {
	m.sheet.retitle(m.provider())
	text := container.NewVBox(para(tr("{{.Provider}} lets no program in with a password. You need none: send the invitation with your own mail program.", "Provider", m.provider())))
	back := newButton(m.w, tr("Other address"), m.askAddress)
	if m.byHand == nil {
		m.sheet.page(text, back, newButton(m.w, tr("Close"), m.sheet.close))
		return
	}
	m.sheet.page(text, back, newButton(m.w, tr("Send it myself"), func() { m.sheet.close(); m.byHand() }))
}

// askPassword is the page with the servers and the password.
func (m *mailboxSheet) askPassword() {
	w, g := m.w, m.guess
	m.sheet.retitle(m.provider())
	m.password = newPassword(w, tr("password"))
	if g.Login == app.LoginAppPassword {
		m.password.PlaceHolder = tr("app password")
	}
	m.steps = newChecklist(tr("Servers found"), tr("Signed in, can receive"), tr("Can send"))
	show(m.steps.box, false)
	m.save = newButton(w, tr("Test and save"), m.test)
	m.makeDetails()
	body := container.NewVBox(selectable(m.address.Text))
	m.sure = nil
	if g.Confirm {
		m.sure = newCheck(w, tr("Yes, these are my provider's servers"), func(bool) { m.enable() })
		body.Add(notice(container.NewVBox(
			para(tr("{{.Domain}} names servers of somebody else for its mail. Check that they are your provider's, because they get your password:", "Domain", shown(domainOf(m.address.Text)))),
			selectable(g.IMAP), selectable(g.SMTP), m.sure,
		)))
	}
	if o := m.advice(); o != nil {
		body.Add(o)
	}
	body.Add(m.password)
	body.Add(container.NewHBox(newButton(w, tr("Details"), m.toggleDetails)))
	body.Add(m.details)
	body.Add(m.steps.box)
	m.password.OnChanged = func(string) { m.enable() }
	m.sheet.page(body, newButton(w, tr("Back"), m.back), m.save)
	w.win.Canvas().Focus(m.password)
	m.enable()
}

func (m *mailboxSheet) back() {
	m.stop()
	m.sheet.say("")
	m.askAddress()
}

// advice is what the provider wants, and where it is made; nil if nothing is
// known of that.
func (m *mailboxSheet) advice() fyne.CanvasObject {
	g := m.guess
	text := hintText(g.Hint)
	label := tr("How that is done")
	if g.Login == app.LoginAppPassword {
		text = strings.TrimSpace(tr("{{.Provider}} wants an app password, not your usual one.", "Provider", m.provider()) + " " + text)
		label = tr("Make one at {{.Provider}}", "Provider", m.provider())
	}
	if text == "" {
		return nil
	}
	page, err := url.Parse(g.Help)
	if err != nil || page.Scheme != "https" {
		return para(text)
	}
	return notice(container.NewVBox(para(text), container.NewHBox(newButton(m.w, label, func() { m.w.fail(m.w.openURL(page)) }))))
}

// makeDetails makes the servers, to be changed by who knows better.
func (m *mailboxSheet) makeDetails() {
	w := m.w
	m.imap, m.smtp = newEntry(w, tr("imap.example.org:993")), newEntry(w, tr("smtp.example.org:465"))
	m.user, m.ca = newEntry(w, tr("if it is not the address")), newEntry(w, tr("file, for a server of your own"))
	m.imap.SetText(m.guess.IMAP)
	m.smtp.SetText(m.guess.SMTP)
	m.user.SetText(m.guess.User)
	m.imap.OnChanged = func(string) { m.enable() }
	m.smtp.OnChanged = func(string) { m.enable() }
	m.details = container.NewGridWithColumns(2,
		field(tr("Server to receive (IMAP)"), m.imap), field(tr("Server to send (SMTP)"), m.smtp),
		field(tr("Login name"), m.user), field(tr("Certificate authority"), m.ca),
	)
	m.details.Hide()
}

// field is an entry below its name.
func field(name string, e *entry) fyne.CanvasObject { return column(muted(name), e) }

func (m *mailboxSheet) toggleDetails() {
	show(m.details, !m.details.Visible())
	m.sheet.fit()
}

func (m *mailboxSheet) showDetails() {
	m.details.Show()
	m.sheet.fit()
}

// changed: the servers are the user's own words, not what was found.
func (m *mailboxSheet) changed() bool {
	return m.imap.Text != m.guess.IMAP || m.smtp.Text != m.guess.SMTP
}

// enable lets the button be pressed once everything is there.
func (m *mailboxSheet) enable() {
	sure := m.sure == nil || m.sure.Checked || m.changed()
	setEnabled(m.save, sure && m.cancel == nil && m.password.Text != "" && m.imap.Text != "" && m.smtp.Text != "")
}

// test logs in, and keeps the account if that works.
func (m *mailboxSheet) test() {
	s := app.MailboxSettings{
		Address: m.address.Text, IMAP: strings.TrimSpace(m.imap.Text), SMTP: strings.TrimSpace(m.smtp.Text),
		User: strings.TrimSpace(m.user.Text), Password: m.password.Text,
	}
	if path := strings.TrimSpace(m.ca.Text); path != "" {
		b, err := readSmall(m.w.typedPath(path))
		if err != nil {
			m.sheet.say(tr("The file {{.Path}} cannot be read.", "Path", shownPath(path)))
			m.showDetails()
			return
		}
		s.CA = b
	}
	m.sheet.say("")
	show(m.steps.box, true)
	m.steps.at(1)
	m.sheet.fit()
	m.call(func(ctx context.Context) error { return m.w.svc.SetMailbox(ctx, s) }, func(err error) {
		if err == nil {
			m.works(s.Address)
			return
		}
		m.steps.failed(1)
		m.sheet.say(errorText(err))
		m.enable()
		m.sheet.fit()
	})
	m.enable()
}

// works is the last page: the account is kept.
func (m *mailboxSheet) works(address string) {
	m.sheet.retitle(tr("It works"))
	m.steps.at(3)
	kept := muted("")
	draw := func(s app.State) {
		if s.Mailbox != nil {
			setText(kept, keptText(m.w, s.Mailbox.Kept))
		}
	}
	draw(m.w.svc.State())
	m.sheet.draw = draw
	next := tr("Go on")
	if m.done == nil {
		next = tr("Close")
	}
	m.sheet.page(container.NewVBox(
		para(tr("Invitations are sent from {{.Address}} from now on. Nothing was sent yet.", "Address", shown(address))), m.steps.box, kept,
	), newButton(m.w, next, func() {
		m.sheet.close()
		if m.done != nil {
			m.done()
		}
	}))
}

// keptText says where the password is.
func keptText(w *Window, kept string) string {
	switch kept {
	case "":
		return ""
	case "keyring":
		return tr("The password is in this desktop's keyring.")
	}
	return tr("The password is in the file {{.Path}}, which only you can read: this desktop has no keyring that opens.", "Path", shownPath(w.tilde(kept)))
}

// maxCA is ample for certificates.
const maxCA = 1 << 20

func readSmall(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() || info.Size() > maxCA {
		return nil, os.ErrInvalid
	}
	return os.ReadFile(path)
}
