package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// works lists what works and what does not, on whose side it fails and what
// helps.
type works struct {
	w     *Window
	box   fyne.CanvasObject
	sum   *widget.Label
	parts *rows[app.Area, foundPart]
	copy  *button
	found []app.Finding
	seen  string // what the list was made for
}

func newWorks(w *Window) *works {
	p := &works{w: w, sum: para("")}
	p.parts = newRows(func(f foundPart) app.Area { return f.area }, func(foundPart) row[foundPart] { return newFoundPartRow(w) })
	p.copy = newIconButton(w, tr("Copy a report"), glyph("copy"), nil)
	p.copy.OnTapped = func() { w.copyText(p.copy, app.Report(p.found, w.now())) }
	again := newIconButton(w, tr("Look again"), glyph("refresh"), p.look)
	p.box = page(container.New(atMost(760), container.NewVBox(
		heading(tr("What works")), p.sum, p.parts.box, gap(6),
		container.New(&flow{gap: 6}, again, p.copy),
		muted(tr("The report is in English and names no device, folder, file or mail address. Look through it before you show it to anybody.")),
	)))
	return p
}

func (p *works) object() fyne.CanvasObject { return p.box }

// draw looks again when something may have changed.
func (p *works) draw(s app.State) {
	if seen := worksSeen(s); seen != p.seen {
		p.seen = seen
		p.look()
	}
}

// worksSeen is what of a state the findings depend on.
func worksSeen(s app.State) string {
	var b strings.Builder
	fmt.Fprint(&b, s.Paused, len(s.Questions), s.Device.Addresses)
	if s.Mailbox != nil {
		fmt.Fprint(&b, s.Mailbox.State)
	}
	for _, d := range s.Devices {
		fmt.Fprint(&b, d.ID, d.Connected, d.Link, d.Local)
		if d.Why != nil {
			fmt.Fprint(&b, d.Why.Reason)
		}
	}
	for _, f := range s.Findings {
		fmt.Fprint(&b, f.Reason)
	}
	for _, f := range s.Folders {
		fmt.Fprint(&b, f.State == app.FolderStopped, f.Problem)
	}
	return b.String()
}

// look asks the program.
func (p *works) look() {
	var list []app.Finding
	p.w.do(func(ctx context.Context) (err error) {
		list, err = p.w.svc.Doctor(ctx)
		return err
	}, func(err error) {
		if err != nil {
			p.w.fail(err)
			return
		}
		p.found = list
		setText(p.sum, worksSum(list))
		p.parts.draw(foundParts(list))
		settle(p.box)
	})
}

// worksSum is the list in a sentence.
func worksSum(list []app.Finding) string {
	bad := 0
	for _, f := range list {
		if !f.OK {
			bad++
		}
	}
	if bad == 0 {
		return tr("Everything works, as far as this computer can tell.")
	}
	return trn(bad, "{{.N}} thing does not work. Nothing is lost because of it.", "{{.N}} things do not work. Nothing is lost because of them.")
}

// A foundPart is what was found in one area.
type foundPart struct {
	area app.Area
	list []app.Finding
}

func foundParts(list []app.Finding) (parts []foundPart) {
	for _, f := range list {
		i := slices.IndexFunc(parts, func(p foundPart) bool { return p.area == f.Area })
		if i < 0 {
			i = len(parts)
			parts = append(parts, foundPart{area: f.Area})
		}
		parts[i].list = append(parts[i].list, f)
	}
	return parts
}

func areaName(a app.Area) string {
	switch a {
	case app.AreaDevice:
		return tr("This device")
	case app.AreaNetwork:
		return tr("Network")
	case app.AreaNearby:
		return tr("Nearby")
	case app.AreaMailbox:
		return tr("E-mail account")
	case app.AreaLink:
		return tr("Devices")
	case app.AreaFolder:
		return tr("Folders")
	}
	return shown(string(a))
}

// foundPartRow is a card with what was found in one area.
type foundPartRow struct {
	box   fyne.CanvasObject
	title *widget.Label
	rows  *rows[string, app.Finding]
}

func newFoundPartRow(w *Window) *foundPartRow {
	r := &foundPartRow{title: subheading("")}
	r.rows = newRows(foundKey, func(app.Finding) row[app.Finding] { return newFoundRow(w) })
	r.box = card(container.NewVBox(r.title, r.rows.box))
	return r
}

func foundKey(f app.Finding) string {
	return string(f.Reason) + " " + string(f.Device) + " " + string(f.Folder) + " " + f.Values["Name"]
}

func (r *foundPartRow) object() fyne.CanvasObject { return r.box }

func (r *foundPartRow) draw(p foundPart) {
	setText(r.title, areaName(p.area))
	r.rows.draw(p.list)
}

// A foundRow is one finding.
type foundRow struct {
	box          fyne.CanvasObject
	icon         *widget.Icon
	ok           bool
	text, advice *widget.Label
	raw          *widget.Label
	details      fyne.CanvasObject
}

func newFoundRow(w *Window) *foundRow {
	r := &foundRow{icon: widget.NewIcon(glyph("warning")), text: para(""), advice: muted(""), raw: selectable("")}
	r.details = folded(w, r.raw)
	r.box = container.NewBorder(nil, nil, container.NewVBox(container.New(inset{0, 7}, stretch(r.icon, 20, 20))), nil,
		container.NewVBox(column(r.text, r.advice), r.details))
	return r
}

func (r *foundRow) object() fyne.CanvasObject { return r.box }

func (r *foundRow) draw(f app.Finding) {
	text, advice := foundText(f)
	if side := sideName(f); side != "" {
		text += " " + side
	}
	setText(r.text, text)
	setText(r.advice, advice)
	show(r.advice, advice != "")
	if r.ok != f.OK {
		r.ok = f.OK
		name := "warning"
		if f.OK {
			name = "check"
		}
		r.icon.SetResource(glyph(name))
	}
	setText(r.raw, strings.TrimSpace(shownText(f.Detail)))
	show(r.details, f.Detail != "" && !f.OK)
}

// sideName says on whose side something fails.
func sideName(f app.Finding) string {
	switch {
	case f.OK:
	case f.Side == app.SideHere:
		return tr("(On this side.)")
	case f.Side == app.SideThere:
		return tr("(On the other side.)")
	case f.Side == app.SideNetwork:
		return tr("(In between.)")
	}
	return ""
}
