package ui

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// An invitationSheet shows one invitation: its words or link, how far it is and
// what can be done about it, until the two devices are linked.
type invitationSheet struct {
	w   *Window
	sh  *sheet
	id  app.InvitationID
	inv app.Invitation // of one that is open and was made here: with its secrets

	stage   stage
	seen    bool // the State had it
	steps   *steps
	late    *trouble
	asked   *rows[app.QuestionID, app.Question]
	answer  *fyne.Container // the ways to send an answer
	resend  *button
	folders *steps
	problem *trouble
}

// A stage is a page of the sheet.
type stage int

const (
	stageNone   stage = iota
	stageOpen         // made here: words or link
	stageLook         // received: looking for the other computer
	stageLinked       // done
	stageEnded        // withdrawn, expired, refused
)

// showInvitation opens an invitation that was made or accepted here.
func (w *Window) showInvitation(id app.InvitationID) {
	o, ok := findInvitation(w.state, id)
	if !ok {
		w.say(tr("This invitation is not open any more."))
		return
	}
	sh := w.open(tr("Invitation"))
	if o.Direction == app.Received || o.Step == app.StepPaired || o.Step == app.StepFailed {
		w.showOpen(sh, app.Invitation{ID: id})
		return
	}
	sh.page(para(tr("One moment…")), newButton(w, tr("Close"), sh.close))
	var inv app.Invitation
	w.do(func(ctx context.Context) (err error) {
		inv, err = w.svc.Letter(ctx, id)
		return err
	}, func(err error) {
		switch {
		case !sh.isOpen():
		case app.CodeOf(err) == app.CodeNotFound: // used a moment ago: how far it is still shows
			w.showOpen(sh, app.Invitation{ID: id})
		case err != nil:
			sh.close()
			w.fail(err)
		default:
			w.showOpen(sh, inv)
		}
	})
}

// showOpen fills a sheet with an invitation, and keeps it right.
func (w *Window) showOpen(sh *sheet, inv app.Invitation) {
	p := &invitationSheet{w: w, sh: sh, id: inv.ID, inv: inv}
	sh.dropped, sh.pasted = nil, nil
	if inv.Words != "" { // the answer to it may come by hand
		sh.dropped, sh.pasted = w.openFile, w.askAccept
	}
	sh.draw = p.draw
	p.draw(w.state)
	if p.stage == stageNone { // the State does not have it yet
		p.turn(stageOpen, app.OpenInvitation{ID: inv.ID, With: inv.To, Direction: app.Sent, Step: app.StepWaiting, Expires: inv.Expires})
	}
}

func findInvitation(s app.State, id app.InvitationID) (app.OpenInvitation, bool) {
	i := slices.IndexFunc(s.Invitations, func(o app.OpenInvitation) bool { return o.ID == id })
	if i < 0 {
		return app.OpenInvitation{ID: id}, false
	}
	return s.Invitations[i], true
}

func (p *invitationSheet) draw(s app.State) {
	o, ok := findInvitation(s, p.id)
	if !ok && (!p.seen || p.stage == stageLinked) {
		return
	}
	p.seen = true
	if now := stageOf(o, ok); now != p.stage {
		p.turn(now, o)
	}
	p.steps.draw(stepsOf(o, s.Mailbox, p.w.now()))
	switch p.stage {
	case stageOpen:
		p.drawOpen(o, s)
	case stageLook:
		if o.AnswerByHand != p.answer.Visible() {
			show(p.answer, o.AnswerByHand)
			p.sh.fit()
		}
	case stageLinked:
		p.folders.draw(linkedWays(o, s, p.w))
	case stageEnded:
		text := tr("This invitation is not open any more.")
		if o.Problem != "" {
			text = endText(o.Problem)
		}
		p.problem.say(text)
	}
}

func stageOf(o app.OpenInvitation, ok bool) stage {
	switch {
	case !ok || o.Step == app.StepFailed:
		return stageEnded
	case o.Step == app.StepPaired:
		return stageLinked
	case o.Direction == app.Received:
		return stageLook
	}
	return stageOpen
}

// turn shows the page of another stage.
func (p *invitationSheet) turn(to stage, o app.OpenInvitation) {
	p.stage, p.steps = to, newSteps()
	p.steps.draw(stepsOf(o, p.w.state.Mailbox, p.w.now()))
	switch to {
	case stageLook:
		p.lookPage(o)
	case stageLinked:
		p.linkedPage(o)
	case stageEnded:
		p.endedPage(o)
	default:
		p.openPage(o)
	}
}

// openPage is for an invitation that waits for the other side.
func (p *invitationSheet) openPage(o app.OpenInvitation) {
	w := p.w
	p.late = newTrouble()
	p.asked = newRows(func(q app.Question) app.QuestionID { return q.ID }, func(app.Question) row[app.Question] { return newQuestionRow(w) })
	p.resend = newButton(w, tr("Send again"), p.sendAgain)
	until := when(o.Expires, w.now())
	var body []fyne.CanvasObject
	switch {
	case p.inv.Words != "":
		title, how := tr("Now tell {{.Who}} these six words", "Who", shown(p.inv.To)), tr("By phone, in person or in a chat, not by e-mail:")
		if isOwn(p.inv.To, w.state.Mailbox) {
			title, how = tr("Type these six words on your other computer"), tr("The invitation is in your mailbox, and Foldpost asks for the words there:")
		}
		p.sh.retitle(title)
		body = []fyne.CanvasObject{
			para(how),
			wordsFrame(p.inv.Words), p.copyButton(tr("Copy for a chat"), chatText(p.inv.Words)),
			muted(tr("Without them nobody gets in, not even someone who reads the mail. You find them again on the home screen until {{.Until}}. You may close this window.", "Until", until)),
		}
	case p.inv.Link == "":
		p.sh.retitle(invitationTitle(o))
	default:
		p.sh.retitle(tr("A link for the other device"))
		link := &widget.Label{Text: p.inv.Link, Truncation: fyne.TextTruncateEllipsis, TextStyle: fyne.TextStyle{Monospace: true}}
		body = []fyne.CanvasObject{
			para(tr("Open this link on the other device, with Foldpost. Anyone who has it can ask to come in; you will be asked once.")),
			surface(colorWords, link), p.copyButton(tr("Copy the link"), p.inv.Link),
			muted(tr("Good until {{.Until}}. You find it again on the home screen. You may close this window.", "Until", until)),
		}
	}
	body = append(body, p.asked.box, p.steps.box, p.late.box)
	if p.inv.Words != "" && w.state.Mailbox == nil {
		body = append(body, muted(tr("Did you get an answer by mail? Drop its file here, or paste the whole message.")))
	}
	byHand := newButton(w, tr("Send it yourself…"), p.byHand)
	show(byHand, p.inv.Words != "" && !p.inv.Mailed)
	p.resend.Hide()
	p.sh.page(container.NewVBox(body...), newButton(w, tr("Withdraw…"), p.withdraw), nil, byHand, p.resend, newButton(w, tr("Done"), p.sh.close))
}

func (p *invitationSheet) copyButton(name, text string) fyne.CanvasObject {
	var b *button
	b = newIconButton(p.w, name, glyph("copy"), func() { p.w.copyText(b, text) })
	return container.NewCenter(b)
}

func chatText(words string) string {
	return tr("The six words for my Foldpost invitation: {{.Words}}", "Words", words)
}

func (p *invitationSheet) drawOpen(o app.OpenInvitation, s app.State) {
	var asked []app.Question
	for _, q := range s.Questions {
		if q.Invitation == p.id {
			asked = append(asked, q)
		}
	}
	before := len(p.asked.keys)
	p.asked.draw(asked)
	text := ""
	if isLate(o, p.w.now()) {
		text = tr("No sign of {{.Who}} yet. Mails like this sometimes land in the spam folder: ask on the phone.", "Who", partner(o))
	}
	refit := before != len(asked) || (text != "") != p.late.box.Visible()
	p.late.say(text)
	show(p.resend, isLate(o, p.w.now()))
	if refit {
		p.sh.fit()
	}
}

// sendAgain mails the invitation once more.
func (p *invitationSheet) sendAgain() {
	setEnabled(p.resend, false)
	p.w.do(func(ctx context.Context) error { return p.w.svc.Resend(ctx, p.id) }, func(err error) {
		setEnabled(p.resend, true)
		if err != nil {
			p.late.say(errorText(err))
		}
	})
}

// byHand shows how to send the invitation without the program.
func (p *invitationSheet) byHand() {
	p.sh.draw = nil
	p.w.handPage(p.sh, p.inv)
}

// handPage shows the three ways in which a person can send an invitation; the
// words come after it.
func (w *Window) handPage(sh *sheet, inv app.Invitation) {
	sh.retitle(tr("Send the invitation yourself"))
	file := tr("Invitation for {{.Who}}", "Who", inv.To)
	ways := newHandWays(w, fileName(file)+".foldpost", func(context.Context) (app.Invitation, error) { return inv, nil })
	sh.page(container.NewVBox(
		para(tr("To {{.Who}}, in one of these ways. The mail opens nothing without the six words, which come next: do not put them into it.", "Who", shown(inv.To))),
		ways.box,
	), newButton(w, tr("Close"), sh.close), newButton(w, tr("The six words"), func() { w.showOpen(sh, inv) }))
}

func (p *invitationSheet) withdraw() {
	text := tr("Its words will open nothing any more.")
	if p.inv.Words == "" {
		text = tr("Nobody can use it any more.")
	}
	p.w.confirm(tr("Withdraw this invitation?"), text, tr("Withdraw"), func() {
		p.w.do(func(ctx context.Context) error { return p.w.svc.Withdraw(ctx, p.id) }, func(err error) {
			if err != nil {
				p.w.fail(err)
				return
			}
			p.sh.close()
			p.w.say(tr("The invitation is withdrawn."))
		})
	})
}

// lookPage is for an invitation that was accepted here.
func (p *invitationSheet) lookPage(o app.OpenInvitation) {
	w, who := p.w, partner(o)
	p.sh.retitle(tr("Invitation from {{.Who}}", "Who", who))
	ways := newHandWays(w, fileName(tr("Answer to {{.Who}}", "Who", partner(o)))+".foldpost", func(ctx context.Context) (app.Invitation, error) {
		return w.svc.Letter(ctx, p.id)
	})
	p.answer = container.NewVBox(
		para(tr("Send {{.Who}} your answer, and leave Foldpost running. It tells where this computer is; only {{.Who}} can open it.", "Who", who)),
		ways.box,
	)
	show(p.answer, o.AnswerByHand)
	p.sh.page(container.NewVBox(p.steps.box, p.answer,
		muted(tr("You may close this window: it goes on by itself until {{.Until}}.", "Until", when(o.Expires, w.now()))),
	), newButton(w, tr("Withdraw…"), p.withdrawReceived), nil, newButton(w, tr("Done"), p.sh.close))
}

func (p *invitationSheet) withdrawReceived() {
	p.w.confirm(tr("Withdraw your yes?"), tr("The two computers will not be linked. Nothing has come here yet."), tr("Withdraw"), func() {
		p.w.do(func(ctx context.Context) error { return p.w.svc.Withdraw(ctx, p.id) }, func(err error) {
			p.w.fail(err)
			if err == nil {
				p.sh.close()
			}
		})
	})
}

// linkedPage says who came, and what happens now.
func (p *invitationSheet) linkedPage(o app.OpenInvitation) {
	w := p.w
	p.sh.retitle(tr("Linked with {{.Who}}", "Who", partnerWithDevice(o)))
	p.folders = newSteps()
	p.folders.draw(linkedWays(o, w.state, w))
	body := []fyne.CanvasObject{p.folders.box}
	if o.Direction == app.Sent {
		body = append(body, muted(tr("Somebody else used it? Open the device and remove it there.")))
	}
	device := newButton(w, tr("Show the device"), func() {
		p.sh.close()
		w.goTo(place{kind: atDevice, device: o.Device})
	})
	show(device, o.Device != "")
	p.sh.page(container.NewVBox(body...), device, nil, newButton(w, tr("Done"), p.sh.close))
}

// linkedWays are the lines about the folders of an invitation that was used.
func linkedWays(o app.OpenInvitation, s app.State, w *Window) []step {
	var list []step
	i := slices.IndexFunc(s.Devices, func(d app.Device) bool { return d.ID == o.Device })
	for _, f := range s.Folders {
		if i >= 0 && slices.Contains(o.Folders, f.ID) {
			list = append(list, folderWay(f, s.Devices[i], w.now()))
		}
	}
	if len(list) == 0 {
		list = append(list, step{stepDone, tr("The two computers can share folders now.")})
	}
	return list
}

// endedPage says why an invitation ended.
func (p *invitationSheet) endedPage(o app.OpenInvitation) {
	w := p.w
	p.sh.retitle(tr("Invitation"))
	p.problem = newTrouble()
	again := newButton(w, tr("Invite again"), func() {
		p.sh.close()
		for _, f := range w.state.Folders {
			if slices.Contains(o.Folders, f.ID) {
				w.askShare(f.Path)
				return
			}
		}
		w.askInvite()
	})
	forget := newButton(w, tr("Take it from the list"), func() {
		w.do(func(ctx context.Context) error { return w.svc.Withdraw(ctx, p.id) }, w.fail)
		p.sh.close()
	})
	show(forget, o.Step == app.StepFailed)
	buttons := []*button{forget, nil, newButton(w, tr("Close"), p.sh.close)}
	if o.Direction == app.Sent {
		buttons = append(buttons, again)
	}
	p.sh.page(p.problem.box, buttons...)
}

// wordsFrame shows six words so large that they can be read to somebody.
func wordsFrame(words string) fyne.CanvasObject {
	grid := container.NewGridWithColumns(3)
	for i, word := range strings.Fields(words) {
		text := &widget.Label{Text: word, SizeName: theme.SizeNameHeadingText, TextStyle: fyne.TextStyle{Bold: true}}
		count := &widget.Label{Text: strconv.Itoa(i + 1), Importance: widget.LowImportance}
		grid.Add(container.NewBorder(nil, nil, container.NewCenter(count), nil, text))
	}
	return surface(colorWords, grid)
}
