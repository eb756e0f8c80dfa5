package ui

import (
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
	"foldpost/assets"
)

// aboutScreen says what the program is, what it sends, and what it never does.
type aboutScreen struct {
	w       *Window
	box     fyne.CanvasObject
	version *widget.Label
	state   app.State
}

// Pages of the program.
const (
	homepage = "https://foldpost.example"
	license  = "https://www.apache.org/licenses/LICENSE-2.0"
)

func newAbout(w *Window) *aboutScreen {
	a := &aboutScreen{w: w, version: selectable("")}
	icon := canvas.NewImageFromResource(fyne.NewStaticResource("foldpost-128.png", assets.Icon(128)))
	icon.FillMode = canvas.ImageFillContain
	name := column(heading("Foldpost"), a.version, para(tr("Keeps folders in sync, directly between your devices and those of people you invite.")))
	diagnose := newIconButton(w, tr("Copy diagnostics"), glyph("copy"), nil)
	diagnose.OnTapped = func() { w.copyText(diagnose, diagnostics(a.state)) }
	links := container.New(&flow{gap: 6},
		newButton(w, tr("Web page"), func() { a.browse(homepage) }),
		newButton(w, tr("Licence"), func() { a.browse(license) }),
		diagnose,
		newIconButton(w, tr("What works"), glyph("check"), func() { w.goTo(place{kind: atWorks}) }),
	)
	a.box = page(container.New(atMost(760), cards(
		container.NewBorder(nil, nil, container.NewCenter(stretch(icon, 88, 88)), nil, name),
		card(container.NewVBox(
			subheading(tr("What it sends by e-mail")),
			point("letter", tr("An invitation, when you press Send. You see the mail before.")),
			point("letter", tr("An answer, when you accept an invitation.")),
			muted(tr("Your mail provider can read who writes to whom, the text that you saw, and that it is Foldpost. The rest is sealed: only who has the six words can open it.")),
		)),
		card(container.NewVBox(
			subheading(tr("What it never does")),
			point("close", tr("Send your files or the six words by e-mail.")),
			point("close", tr("Read, mark, move or delete other mails of yours.")),
			point("close", tr("Use a server of ours: there is none. No account, no statistics, no search for updates.")),
			point("close", tr("Let anybody in without your yes.")),
		)),
		card(container.NewVBox(
			para(tr("Free software under the Apache License 2.0, without any warranty.")),
			container.New(inset{6, 0}, links),
			muted(tr("Diagnostics hold versions and numbers: no names, addresses, paths or secrets.")),
		)),
	)))
	return a
}

func (a *aboutScreen) object() fyne.CanvasObject { return a.box }

func (a *aboutScreen) draw(s app.State) {
	a.state = s
	setText(a.version, tr("Version {{.Version}}", "Version", shown(s.Device.Version)))
}

func (a *aboutScreen) browse(page string) {
	u, err := url.Parse(page)
	if err == nil {
		err = a.w.openURL(u)
	}
	a.w.fail(err)
}

// diagnostics is what helps somebody who looks for a fault, in English. It
// holds no name, address, path or secret, since people paste it anywhere.
func diagnostics(s app.State) string {
	var b strings.Builder
	fmt.Fprintf(&b, "foldpost %s, %s %s/%s\n", s.Device.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(&b, "paused: %v\n", s.Paused)
	mailbox := "none"
	if s.Mailbox != nil {
		mailbox = s.Mailbox.State
	}
	fmt.Fprintf(&b, "mailbox: %s\n", mailbox)
	on := 0
	for _, d := range s.Devices {
		if d.Connected {
			on++
		}
	}
	fmt.Fprintf(&b, "devices: %d, connected: %d\n", len(s.Devices), on)
	fmt.Fprintf(&b, "invitations: %s\n", tally(s.Invitations, func(i app.OpenInvitation) string { return string(i.Direction) + " " + string(i.Step) }))
	fmt.Fprintf(&b, "questions: %s\n", tally(s.Questions, func(q app.Question) string { return string(q.Kind) }))
	fmt.Fprintf(&b, "offers: %d\n", len(s.Offers))
	for i, f := range s.Folders {
		fmt.Fprintf(&b, "folder %d: %s, %s, %d files, %d bytes, needs %d files, %d bytes, conflicts: %d, left out: %d, members: %d, problem: %v\n",
			i+1, f.State, f.Role, f.Files, f.Bytes, f.NeedFiles, f.NeedBytes, f.Conflicts, f.LeftOut, len(f.Members), f.Problem != "")
	}
	return b.String()
}

// tally counts things by what they are: "2 offer, 1 disk".
func tally[T any](list []T, kind func(T) string) string {
	n := map[string]int{}
	var kinds []string
	for _, v := range list {
		k := kind(v)
		if n[k]++; n[k] == 1 {
			kinds = append(kinds, k)
		}
	}
	if len(kinds) == 0 {
		return "none"
	}
	slices.Sort(kinds)
	for i, k := range kinds {
		kinds[i] = fmt.Sprintf("%d %s", n[k], k)
	}
	return strings.Join(kinds, ", ")
}
