package ui

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// A folderMore has what is seldom needed.
type folderMore struct {
	w    *Window
	view seenFolder
	box  fyne.CanvasObject
	scan *button
}

func newFolderMore(w *Window) *folderMore {
	m := &folderMore{w: w}
	m.scan = newButton(w, tr("Look at every file"), func() { rescan(w, m.view.ID, m.scan) })
	leave := newButton(w, tr("Leave this folder…"), m.leave)
	leave.Importance = widget.DangerImportance
	m.box = container.New(inset{0, 6}, container.NewVBox(
		deed(tr("I moved this folder"), tr("If you have moved or renamed it in the file manager, show where it is now. Nothing is copied again."), newButton(w, tr("Show where it is now…"), func() { moveFolder(w, m.view) })),
		deed(tr("What is not synced"), tr("Some files of programs and systems are left out. The folder's own list of what else to leave out is a text file that all its devices share."), newButton(w, tr("Edit the list"), m.editIgnored)),
		deed(tr("Look again"), tr("Changes are noticed by themselves. Some network disks do not tell of them: then look at every file here."), m.scan),
		deed(tr("Leave"), tr("Your files stay here. Others keep theirs. Changes are not exchanged any more."), leave),
	))
	return m
}

// deed is a thing that can be done, and what it does.
func deed(title, text string, b *button) fyne.CanvasObject {
	return card(container.New(pile{}, column(strong(title), muted(text)), container.NewHBox(b)))
}

func (m *folderMore) object() fyne.CanvasObject { return m.box }

func (m *folderMore) draw(v seenFolder) { m.view = v }

// moveFolder asks where a folder's directory is now, and goes on there.
func moveFolder(w *Window, v seenFolder) {
	w.pickFolder(tr("Where is {{.Name}} now?", "Name", shown(v.Name)), func(dir string) {
		w.do(func(ctx context.Context) error { return w.svc.Move(ctx, v.ID, dir) }, func(err error) {
			if err == nil {
				w.say(tr("{{.Name}} is in {{.Path}} now.", "Name", shown(v.Name), "Path", shownPath(w.tilde(dir))))
			}
			w.fail(err)
		})
	})
}

// ignoreFile is where a folder keeps the rules for what is not synced.
const ignoreFile = ".foldpostignore"

func (m *folderMore) editIgnored() {
	v := m.view
	first := tr("# One pattern a line for what is not synced, such as *.bak or /build/") + "\n"
	m.w.do(func(context.Context) error { return createOnce(v.Path, ignoreFile, first) }, func(err error) {
		if err != nil {
			m.w.fail(err)
			return
		}
		m.w.openPath(filepath.Join(v.Path, ignoreFile))
	})
}

// createOnce makes a file with a text, unless there is one.
func createOnce(dir, name, text string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

func (m *folderMore) leave() {
	v := m.view
	m.w.confirm(
		tr("Leave {{.Name}}?", "Name", shown(v.Name)),
		tr("Your files stay here, in {{.Path}}. Others keep theirs. Changes are not exchanged any more.", "Path", shownPath(m.w.tilde(v.Path))),
		tr("Leave"),
		func() {
			m.w.do(func(ctx context.Context) error { return m.w.svc.Leave(ctx, v.ID) }, func(err error) {
				if err == nil {
					m.w.say(tr("{{.Name}} is not synced any more. Your files are where they were.", "Name", shown(v.Name)))
				}
				m.w.fail(err)
			})
		},
	)
}
