package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"foldpost/app"
)

// settings are what can be changed about this device. Each is saved as soon as
// it is changed.
type settings struct {
	w       *Window
	box     fyne.CanvasObject
	fields  []*setting
	mailbox *mailboxPart
}

func newSettings(w *Window) *settings {
	s := &settings{w: w, mailbox: newMailboxPart(w)}
	s.box = page(container.New(atMost(760), cards(
		heading(tr("Settings")),
		s.group(
			tr("This device"),
			textField(w, "name", tr("Name of this device"), tr("for example: Ada's laptop"), tr("This is what the people you share with see.")),
			textField(w, "person", tr("Your name"), tr("for example: Ada Lovelace"), tr("Stands in the invitations that you send.")),
			choiceField(w, "visible", tr("Found nearby by"), tr("In the same network. Others see the name only while you link a device."),
				option{"everyone", tr("Everyone")}, option{"devices", tr("My devices")}, option{"nobody", tr("Nobody")}),
			switchField(w, app.SettingLogin, tr("Start"), tr("Start when I log in"), tr("Folders are in sync only while Foldpost runs. It starts without a window.")),
			switchField(w, app.SettingNotify, tr("Notifications"), tr("Tell me of questions, conflicts and arrivals"), ""),
		),
		card(s.mailbox.object()),
		s.group(
			tr("Appearance"),
			choiceField(w, app.SettingTheme, tr("Colours"), "", option{"system", tr("As the system")}, option{"light", tr("Light")}, option{"dark", tr("Dark")}),
			choiceField(w, app.SettingLanguage, tr("Language"), "", option{"system", tr("As the system")}, option{"en", "English"}, option{"de", "Deutsch"}),
			choiceField(w, app.SettingSize, tr("Size"), "",
				option{"85", "85 %"}, option{"100", "100 %"}, option{"115", "115 %"}, option{"130", "130 %"}, option{"150", "150 %"}),
		),
		s.group(
			tr("Transfers"),
			numberField(w, "limit-up", tr("Sending"), tr("No limit"), tr("KiB per second"), "", "0"),
			numberField(w, "limit-down", tr("Receiving"), tr("No limit"), tr("KiB per second"), "", "0"),
			textField(w, "port", tr("Port"), "", tr("Used from the next start on. Only worth a change if a firewall wants it.")),
		),
		s.group(
			tr("Deleted and replaced files"),
			numberField(w, "trash-days", tr("Keep them for"), "", tr("days"), tr("Until then each of them can be restored. Used from the next start on."), ""),
		),
		s.farewell(),
	)))
	s.load()
	return s
}

// group is a card of fields under a title.
func (s *settings) group(title string, fields ...*setting) fyne.CanvasObject {
	box := container.NewVBox(subheading(title))
	for _, f := range fields {
		box.Add(f.box)
	}
	s.fields = append(s.fields, fields...)
	return card(box)
}

// load asks the program for its settings, and shows those that it has.
func (s *settings) load() {
	var list []app.Setting
	s.w.do(func(ctx context.Context) (err error) {
		list, err = s.w.svc.Config(ctx)
		return err
	}, func(err error) {
		if err != nil {
			s.w.fail(err)
			return
		}
		for _, set := range list {
			for _, f := range s.fields {
				if f.key == set.Key {
					f.show(set.Value)
				}
			}
		}
	})
}

// farewell is the way out: everything forgotten, and the files left alone.
func (s *settings) farewell() fyne.CanvasObject {
	b := newButton(s.w, tr("Remove everything…"), s.askReset)
	b.Importance = widget.DangerImportance
	return card(container.NewVBox(
		subheading(tr("Leave Foldpost")),
		para(tr("Ends all sharing on this device. Your files stay where they are.")),
		container.New(inset{6, 0}, container.NewHBox(b)),
	))
}

// askReset says what goes and what stays. Enter keeps everything.
func (s *settings) askReset() {
	w := s.w
	sh := w.open(tr("Remove everything from this device?"))
	remove := newButton(w, tr("Remove everything"), nil)
	remove.Importance = widget.DangerImportance
	keep := newButton(w, tr("Keep everything"), sh.close)
	wrong := newTrouble()
	remove.OnTapped = func() {
		remove.Disable()
		w.do(w.svc.Reset, func(err error) {
			if err != nil {
				remove.Enable()
				wrong.say(errorText(err))
				sh.fit()
				return
			}
			sh.close()
			if w.opts.Reset != nil {
				w.opts.Reset()
			}
		})
	}
	sh.page(container.NewVBox(
		point("close", tr("Every folder here stops being in sync.")),
		point("close", tr("All linked devices are removed. To share with them again, you need new invitations.")),
		point("close", tr("Your keys, your e-mail account and all settings are forgotten.")),
		point("check", tr("The files in your folders stay, here and on the other devices.")),
		point("check", tr("Deleted and replaced files stay too, in the hidden directory .foldpost of each folder.")),
		para(tr("This cannot be undone. Foldpost ends after it.")),
		wrong.box,
	), remove, nil, keep)
}

func (s *settings) object() fyne.CanvasObject { return s.box }

func (s *settings) draw(st app.State) { s.mailbox.draw(st) }

// point is one line of a list, with a picture for what kind of line it is.
func point(name, text string) fyne.CanvasObject {
	return container.NewBorder(nil, nil, picture(name), nil, para(text))
}

// cards stacks cards with room between them.
func cards(objects ...fyne.CanvasObject) *fyne.Container {
	box := container.NewVBox()
	for i, o := range objects {
		if i > 0 {
			box.Add(gap(cardGap))
		}
		box.Add(o)
	}
	return box
}

const cardGap = 6

// atMost is a layout that does not let its objects become wider than people
// like to read.
type atMost float32

// Layout implements fyne.Layout.
func (m atMost) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	size.Width = min(size.Width, float32(m))
	for _, o := range objects {
		o.Move(fyne.NewPos(0, 0))
		o.Resize(size)
	}
}

// MinSize implements fyne.Layout.
func (atMost) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	for _, o := range objects {
		s = s.Max(o.MinSize())
	}
	return s
}
