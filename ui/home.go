package ui

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A home shows what waits for a person, and all folders.
type home struct {
	w         *Window
	box       fyne.CanvasObject
	paused    fyne.CanvasObject
	offline   fyne.CanvasObject
	mail      fyne.CanvasObject
	mailText  *widget.Label
	questions *rows[app.QuestionID, app.Question]
	waiting   *fyne.Container // the questions with their heading
	asks      *widget.Label
	advice    *rows[app.DeviceID, app.Device]
	advised   *fyne.Container // the advice with its room
	filter    *entry
	folders   *rows[app.FolderID, folderView]
	none      fyne.CanvasObject
	nothing   *widget.Label // fits the filter
	hint      fyne.CanvasObject

	invitations *rows[app.InvitationID, app.OpenInvitation]
	invited     *fyne.Container // the invitations with their heading
}

// filterFrom is the number of folders from which they can be filtered.
const filterFrom = 8

func newHome(w *Window) *home {
	h := &home{w: w, asks: subheading(""), nothing: muted(tr("No folder has this in its name."))}
	h.questions = newRows(func(q app.Question) app.QuestionID { return q.ID }, func(app.Question) row[app.Question] { return newQuestionRow(w) })
	h.waiting = container.NewVBox(h.asks, h.questions.box, gap(10))
	h.advice = newRows(func(d app.Device) app.DeviceID { return d.ID }, func(app.Device) row[app.Device] { return newAdviceRow(w) })
	h.advised = container.NewVBox(h.advice.box, gap(10))
	h.folders = newRows(func(v folderView) app.FolderID { return v.ID }, func(folderView) row[folderView] { return newFolderCard(w) })

	resume := newIconButton(w, tr("Resume"), glyph("play"), nil)
	resume.OnTapped = func() {
		setEnabled(resume, false)
		w.do(func(ctx context.Context) error { return w.svc.Resume(ctx, "") }, func(err error) {
			setEnabled(resume, true)
			w.fail(err)
		})
	}
	h.paused = banner("pause", tr("Everything is paused. Changes are kept and go out when you resume."), resume)
	h.offline = banner("warning", tr("No network. Changes are kept and go out later."), nil)
	h.mailText = para("")
	h.mail = notice(container.NewBorder(nil, nil, picture("letter"), container.NewCenter(newButton(w, tr("Settings"), func() { w.goTo(place{kind: atSettings}) })), h.mailText))

	h.filter = newEntry(w, tr("Filter"))
	h.filter.OnChanged = func(string) { h.draw(w.state) }
	share := newIconButton(w, tr("Share a folder"), glyph("plus"), func() { w.askShare("") })
	head := container.NewBorder(nil, nil, nil, container.NewHBox(container.NewCenter(stretch(h.filter, 160, 0)), container.NewCenter(share)), heading(tr("Folders")))
	h.none = newEmpty(w)
	h.hint = muted(tr("Drop a folder anywhere here to share it."))
	h.invitations = newRows(func(o app.OpenInvitation) app.InvitationID { return o.ID }, func(app.OpenInvitation) row[app.OpenInvitation] { return newInvitationRow(w) })
	h.invited = container.NewVBox(gap(6), subheading(tr("Invitations")), h.invitations.box)
	h.box = page(container.NewVBox(h.paused, h.offline, h.mail, h.waiting, h.advised, head, h.none, h.folders.box, h.nothing, h.hint, h.invited))
	return h
}

// banner is a line about everything, with a button or without.
func banner(icon, text string, b *button) fyne.CanvasObject {
	var right fyne.CanvasObject
	if b != nil {
		right = container.NewCenter(b)
	}
	return notice(container.NewBorder(nil, nil, picture(icon), right, para(text)))
}

// newEmpty is what a home says without a folder.
func newEmpty(w *Window) fyne.CanvasObject {
	title := subheading(tr("No folder is shared yet"))
	title.Alignment = fyne.TextAlignCenter
	text := muted(tr("Drop a folder here, or choose one. If somebody shares one with you, it shows up here."))
	text.Alignment = fyne.TextAlignCenter
	choose := newButton(w, tr("Choose a folder to share"), func() { w.askShare("") })
	choose.Importance = widget.HighImportance
	buttons := container.NewHBox(spacer(), choose,
		newButton(w, tr("I have an invitation"), func() { w.askAccept("") }), spacer())
	pic := container.NewCenter(stretch(widget.NewIcon(glyph("folder")), 48, 48))
	return card(container.New(inset{12, 22}, container.NewVBox(pic, title, text, buttons)))
}

func (h *home) object() fyne.CanvasObject { return h.box }

func (h *home) draw(s app.State) {
	show(h.paused, s.Paused)
	show(h.offline, cutOff(s))
	trouble := mailTrouble(s)
	setText(h.mailText, trouble)
	show(h.mail, trouble != "")
	show(h.waiting, len(s.Questions) > 0)
	setText(h.asks, trn(len(s.Questions), "{{.N}} thing waits for you", "{{.N}} things wait for you"))
	h.questions.draw(questionOrder(s.Questions))
	lost := unreached(s.Devices, h.w.now())
	h.advice.draw(lost)
	show(h.advised, len(lost) > 0)

	views := folderViews(s)
	show(h.filter, len(views) >= filterFrom || h.filter.Text != "")
	all := len(views)
	if part := strings.ToLower(strings.TrimSpace(h.filter.Text)); part != "" {
		views = slices.DeleteFunc(views, func(v folderView) bool { return !strings.Contains(strings.ToLower(v.Name), part) })
	}
	h.folders.draw(views)
	h.invitations.draw(s.Invitations)
	show(h.invited, len(s.Invitations) > 0)
	show(h.none, all == 0)
	show(h.hint, all > 0)
	show(h.nothing, all > 0 && len(views) == 0)
}

// cutOff is true where no other computer can be reached: the device has no
// address but its loopback's, and no device is connected.
func cutOff(s app.State) bool {
	if slices.ContainsFunc(s.Devices, func(d app.Device) bool { return d.Connected }) {
		return false
	}
	return !slices.ContainsFunc(s.Device.Addresses, func(text string) bool {
		a, err := netip.ParseAddrPort(text)
		return err != nil || !a.Addr().IsLoopback()
	})
}

// mailTrouble is what is wrong with the e-mail account, if it may go away by
// itself: else it is asked about.
func mailTrouble(s app.State) string {
	if s.Mailbox == nil || s.Mailbox.Problem == "" || cutOff(s) ||
		slices.ContainsFunc(s.Questions, func(q app.Question) bool { return q.Kind == app.AskMailbox }) {
		return ""
	}
	return shownText(s.Mailbox.Problem)
}

// reachTime is how long two devices look for each other after they were linked
// before their people are told that it does not work.
const reachTime = 2 * time.Minute

// unreached are linked devices that no connection ever led to: waiting does
// not help there, their people can.
func unreached(devices []app.Device, now time.Time) (list []app.Device) {
	for _, d := range devices {
		if !d.Connected && (d.LastSeen.IsZero() && now.Sub(d.Linked) > reachTime || d.Problem != "") {
			list = append(list, d)
		}
	}
	return list
}

// A folderView is a folder with what its card says of the rest.
type folderView struct {
	app.Folder
	asks int // open questions about it
}

// folderViews are all folders: first what needs a person, then what moves, then
// the rest, each by name.
func folderViews(s app.State) []folderView {
	views := make([]folderView, 0, len(s.Folders))
	for _, f := range s.Folders {
		v := folderView{Folder: f}
		for _, q := range s.Questions {
			if q.Folder == f.ID {
				v.asks++
			}
		}
		views = append(views, v)
	}
	rank := func(v folderView) int {
		switch {
		case v.asks > 0 || v.State == app.FolderStopped || v.Problem != "" || v.Conflicts > 0:
			return 0
		case v.State == app.FolderSyncing || v.State == app.FolderScanning:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(views, func(a, b folderView) int {
		return cmp.Or(rank(a)-rank(b), cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return views
}
