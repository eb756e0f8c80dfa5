package ui

import (
	"slices"

	"foldpost/app"
)

// A Notice is something to tell a person who does not look at the window. It
// only tells: a click on it opens the window where the answer is.
type Notice struct {
	Key   string // notices with the same key replace each other
	Title string
	Text  string // plain, in one line

	at       place
	question app.QuestionID // opened there
}

// OpenNotice shows what a notice was about.
func (w *Window) OpenNotice(n Notice) {
	w.Show()
	w.goTo(n.at)
	w.mu.Lock()
	s := w.latest
	w.mu.Unlock()
	for _, q := range s.Questions {
		if q.ID == n.question && len(w.sheets) == 0 {
			w.openQuestion(q)
		}
	}
}

// A Teller decides which changes of State are worth a notice: questions that
// came up, new conflicts, and the first time that all of a folder is there.
type Teller struct {
	last  app.State             // V is 0 before the first one
	fresh map[app.FolderID]bool // came while we looked on and are not complete yet
	to    map[memberOf]bool     // likewise of devices that a folder was shared with
}

type memberOf struct {
	folder app.FolderID
	device app.DeviceID
}

// Tell returns what is new in s. What the first State holds was known before.
func (t *Teller) Tell(s app.State) []Notice {
	last := t.last
	t.last = s
	if last.V == 0 {
		t.fresh, t.to = map[app.FolderID]bool{}, map[memberOf]bool{}
		return nil
	}
	notices := newQuestions(last, s)
	for _, f := range s.Folders {
		i := slices.IndexFunc(last.Folders, func(o app.Folder) bool { return o.ID == f.ID })
		before := app.Folder{}
		if i >= 0 {
			before = last.Folders[i]
		}
		if f.Conflicts > before.Conflicts {
			notices = append(notices, Notice{
				Key: "conflict " + string(f.ID), Title: shown(f.Name),
				Text: trn(f.Conflicts, "Both versions of a file were kept. Which one shall stay?", "Both versions of {{.N}} files were kept. Which ones shall stay?"),
				at:   place{kind: atFolder, folder: f.ID, tab: tabConflicts},
			})
		}
		notices = append(notices, t.arrivals(s, f, before, i < 0)...)
	}
	return notices
}

// newQuestions tells of questions that came up, all in one notice.
func newQuestions(last, s app.State) []Notice {
	var news []app.Question
	for _, q := range s.Questions {
		if !slices.ContainsFunc(last.Questions, func(o app.Question) bool { return o.ID == q.ID }) {
			news = append(news, q)
		}
	}
	switch len(news) {
	case 0:
		return nil
	case 1:
		q := news[0]
		title := tr("A question for you")
		if q.Kind == app.AskInvitation {
			title = tr("An invitation came")
		}
		return []Notice{{Key: "questions", Title: title, Text: shownText(q.Text), at: place{kind: atHome}, question: q.ID}}
	}
	return []Notice{{
		Key: "questions", Title: trn(len(s.Questions), "A question waits for you", "{{.N}} questions wait for you"),
		Text: tr("Open Foldpost to answer them."), at: place{kind: atHome},
	}}
}

// arrivals tells once that a folder which came is all here, or that all of a
// folder is at a device it was shared with.
func (t *Teller) arrivals(s app.State, f, before app.Folder, isNew bool) []Notice {
	var notices []Notice
	at := place{kind: atFolder, folder: f.ID}
	if isNew && f.State == app.FolderSyncing {
		t.fresh[f.ID] = true
	}
	if t.fresh[f.ID] && f.State == app.FolderIdle && f.NeedFiles == 0 {
		delete(t.fresh, f.ID)
		notices = append(notices, Notice{
			Key: "arrived " + string(f.ID), Title: tr("{{.Folder}} is here", "Folder", shown(f.Name)),
			Text: trn(f.Files, "One file, {{.Size}}. It stays in sync from now on.", "{{.N}} files, {{.Size}}. They stay in sync from now on.", "Size", bytes(f.Bytes)),
			at:   at,
		})
	}
	for _, m := range f.Members {
		key := memberOf{f.ID, m.Device}
		was := slices.IndexFunc(before.Members, func(o app.Member) bool { return o.Device == m.Device })
		joinedNow := m.Joined && (was < 0 || !before.Members[was].Joined)
		if joinedNow && !m.HasAll && f.Files > 0 {
			t.to[key] = true
		}
		if t.to[key] && m.HasAll {
			delete(t.to, key)
			notices = append(notices, Notice{
				Key: "delivered " + string(f.ID) + " " + string(m.Device), Title: tr("{{.Folder}} is all there", "Folder", shown(f.Name)),
				Text: tr("{{.Device}} has every file. It stays in sync from now on.", "Device", deviceName(s, m.Device)),
				at:   at,
			})
		}
	}
	return notices
}

// deviceName is a device's name as a person may see it.
func deviceName(s app.State, id app.DeviceID) string {
	for _, d := range s.Devices {
		if d.ID == id {
			return shown(d.Name)
		}
	}
	return tr("The other device")
}
