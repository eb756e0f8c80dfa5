package ui

import (
	"cmp"
	"context"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// A members lists who has a folder, what they may do, and who is invited.
type members struct {
	w       *Window
	view    seenFolder
	box     fyne.CanvasObject
	none    *widget.Label
	devices *rows[app.DeviceID, app.Member]
	invited *rows[app.InvitationID, app.OpenInvitation]
	waiting *widget.Label
}

func newMembers(w *Window) *members {
	m := &members{w: w, none: muted(tr("Only this device has this folder. Share it with a person, or with another computer of yours.")), waiting: subheading(tr("Invited"))}
	m.devices = newRows(func(m app.Member) app.DeviceID { return m.Device }, func(app.Member) row[app.Member] { return newMemberRow(m) })
	m.invited = newRows(func(o app.OpenInvitation) app.InvitationID { return o.ID }, func(app.OpenInvitation) row[app.OpenInvitation] { return newInvitationRow(w) })
	m.box = container.New(inset{0, 6}, container.NewVBox(m.none, m.devices.box, m.waiting, m.invited.box))
	return m
}

func (m *members) object() fyne.CanvasObject { return m.box }

func (m *members) draw(v seenFolder) {
	m.view = v
	m.devices.draw(v.Members)
	var invited []app.OpenInvitation
	for _, o := range v.state.Invitations {
		if slices.Contains(o.Folders, v.ID) && o.Step != app.StepPaired {
			invited = append(invited, o)
		}
	}
	m.invited.draw(invited)
	show(m.waiting, len(invited) > 0)
	show(m.none, len(v.Members)+len(invited) == 0)
}

// A memberRow is a device that a folder is shared with.
type memberRow struct {
	m      *members
	member app.Member
	name   string
	box    *fyne.Container

	title, state *widget.Label
	role         *button
}

func newMemberRow(m *members) *memberRow {
	r := &memberRow{m: m, title: strong(""), state: muted("")}
	r.role = newButton(m.w, "", r.changeRole)
	buttons := container.New(&flow{gap: 6}, r.role, newButton(m.w, tr("Stop sharing…"), r.stop))
	r.box = card(container.New(pile{}, container.NewBorder(nil, nil, picture("device"), nil, column(r.title, r.state)), buttons))
	return r
}

func (r *memberRow) object() fyne.CanvasObject { return r.box }

func (r *memberRow) draw(member app.Member) {
	r.member = member
	d, _ := deviceOf(r.m.view.state.Devices, member.Device)
	r.name = cmp.Or(shown(d.Name), tr("a device that is not linked any more"))
	title := r.name
	if d.Owner != "" {
		title += " · " + shown(d.Owner)
	}
	setText(r.title, title)
	setText(r.state, memberNow(member, d.Connected))
	if text := mayText(member.Role) + opens; r.role.Text != text {
		r.role.SetText(text)
	}
}

func mayText(role string) string {
	if role == roleReadOnly {
		return tr("Only receives")
	}
	return tr("Adds and changes files")
}

// memberNow says how much of a folder a member has.
func memberNow(m app.Member, connected bool) string {
	switch {
	case !m.Joined:
		return tr("has not said yes to this folder yet")
	case m.HasAll:
		return tr("has everything")
	case !connected:
		return tr("still needs {{.Bytes}}; it goes on when this device is connected", "Bytes", bytes(m.NeedBytes))
	}
	return tr("still needs {{.Bytes}}", "Bytes", bytes(m.NeedBytes))
}

func (r *memberRow) changeRole() {
	change := func(readOnly bool) func() {
		return func() {
			v, id := r.m.view, r.member.Device
			r.m.w.do(func(ctx context.Context) error {
				_, err := r.m.w.svc.Share(ctx, app.ShareRequest{Dir: v.Path, Devices: []app.DeviceID{id}, ReadOnly: readOnly})
				return err
			}, r.m.w.fail)
		}
	}
	r.m.w.menu(r.role,
		fyne.NewMenuItem(mayText(roleReadWrite), change(false)),
		fyne.NewMenuItem(mayText(roleReadOnly), change(true)),
	)
}

func (r *memberRow) stop() {
	w, v, id := r.m.w, r.m.view, r.member.Device
	w.confirm(
		tr("Stop sharing with {{.Name}}?", "Name", r.name),
		tr("Changes in {{.Folder}} go to {{.Name}} no more, and none come from there. What is on {{.Name}} stays on it.", "Folder", shown(v.Name), "Name", r.name),
		tr("Stop sharing"),
		func() { w.do(func(ctx context.Context) error { return w.svc.Unshare(ctx, v.ID, id) }, w.fail) },
	)
}
