package ui

import (
	"cmp"
	"slices"
	"strings"

	"foldpost/app"
)

// urgency orders kinds of questions: first where somebody waits at this moment,
// then what has stopped, then what can wait.
var urgency = []app.QuestionKind{
	app.AskSame, app.AskNearby, app.AskChangedKey, app.AskPairing, app.AskBrokenOff, app.AskDeletions, app.AskRoot, app.AskDisk, app.AskRules, app.AskInvitation, app.AskOffer, app.AskMailbox,
}

// questionOrder is the questions as they are shown, the most urgent first.
func questionOrder(list []app.Question) []app.Question {
	list = slices.Clone(list)
	rank := func(q app.Question) int {
		if i := slices.Index(urgency, q.Kind); i >= 0 {
			return i
		}
		return len(urgency)
	}
	slices.SortStableFunc(list, func(a, b app.Question) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return a.Since.Compare(b.Since)
	})
	return list
}

// A questionText is what a question says.
type questionText struct {
	icon string
	text string // what is so, and what is asked
	safe string // what stays safe whatever is chosen, or what to know before; may be ""
}

// textOf is a question in the window's words: q.Text, which is English, only
// where it says more than the window knows. Days is how long deleted and
// replaced files are kept.
func textOf(q app.Question, s app.State, days int) questionText {
	t := questionText{icon: "question", text: shownText(q.Text)}
	switch q.Kind {
	case app.AskInvitation:
		t.icon = "letter"
		if q.Address != "" {
			t.text = tr("An invitation came that says it is from {{.Address}}. The six words will prove it: ask for them by phone or chat.", "Address", shown(q.Address))
		}
	case app.AskOffer:
		return offerText(t, q, s)
	case app.AskPairing:
		t.icon = "link"
		if q.Name != "" {
			t.text = tr("A device that calls itself {{.Name}} used your invite link. Let it in?", "Name", claimed(q))
		}
		t.safe = tr("The name is its own word. Let it in only if it belongs to whom you gave the link: ask, if you are not sure.")
	case app.AskChangedKey:
		t.icon = "warning"
		if known, ok := deviceOf(s.Devices, q.Device); ok && q.Name != "" {
			t.text = tr("A device that calls itself {{.Name}} wants to be linked, but it is not {{.Known}}, which you know by that name or address. It may be a new or newly installed computer, or somebody else's.",
				"Name", claimed(q), "Known", shown(known.Name))
		}
		t.safe = tr("Ask the person by phone or face to face first. Nothing is shared with it before you link it.")
	case app.AskNearby:
		t.icon = "device"
		t.text = tr("A computer nearby that calls itself {{.Name}} wants to be linked. If you expect it, compare three words with it.", "Name", claimed(q))
		t.safe = tr("Nothing is shared by that. If you do not expect it, refuse it.")
	case app.AskSame:
		t.icon = "eye"
		t.text = tr("Does the screen of {{.Name}} show the same three words: {{.Words}}?", "Name", claimed(q), "Words", strings.Join(q.Words, " "))
		t.safe = tr("Look at the other screen, or have its person read them to you. If only one word differs, say no.")
	case app.AskBrokenOff:
		t.icon = "warning"
		t.text = brokenText(q, s)
	case app.AskDeletions:
		t.icon = "trash"
		if q.Loss != nil {
			t.text = lossText(*q.Loss, folderName(s, q.Folder))
		}
		t.safe = lossSafe(q.Loss, days)
	case app.AskRoot:
		t.icon = "folder"
		t.text = rootText(q, s)
	case app.AskDisk:
		t.icon = "disk"
		if f, ok := folderOf(s, q.Folder); ok && f.NeedBytes > 0 {
			t.text = tr("{{.Folder}} needs {{.Size}} more, and its disk is full.", "Folder", shown(f.Name), "Size", bytes(f.NeedBytes))
			t.safe = tr("What fits is being fetched; nothing was overwritten or removed. It goes on by itself as soon as there is room.")
		}
	case app.AskRules:
		if q.Paths > 0 {
			t.text = trn(q.Paths, "Another member of {{.Folder}} changed what is left out. {{.N}} file or folder of this computer, never shared so far, would be shared now.",
				"Another member of {{.Folder}} changed what is left out. {{.N}} files or folders of this computer, never shared so far, would be shared now.", "Folder", folderName(s, q.Folder))
		}
		t.safe = tr("Until you answer, they stay out.")
	case app.AskMailbox:
		t.icon = "letter"
		t.safe = tr("Files go on without it: only invitations and answers need your e-mail account.")
	}
	return t
}

func offerText(t questionText, q app.Question, s app.State) questionText {
	t.icon = "folder"
	for _, o := range s.Offers {
		if o.ID != offerOf(q) {
			continue
		}
		if d, ok := deviceOf(s.Devices, o.From); ok {
			t.text = tr("{{.Who}} shares the folder {{.Folder}} with you.", "Who", deviceAndOwner(d), "Folder", shown(o.Name))
		}
		t.safe = trn(o.Files, "{{.N}} file, {{.Size}}", "{{.N}} files, {{.Size}}", "Size", bytes(o.Bytes)) + " · " + roleText(o.Role)
	}
	return t
}

// lossText is what a folder's guard holds back.
func lossText(l app.Loss, name string) string {
	pairs := []any{"N", comma(l.Deleted), "M", comma(l.Overwritten), "Of", comma(l.Of), "Folder", name}
	var what string
	switch {
	case l.There && l.Overwritten == 0:
		what = tr("{{.N}} of {{.Of}} files in {{.Folder}} were deleted on another device.", pairs...)
	case l.There && l.Deleted == 0:
		what = tr("{{.M}} of {{.Of}} files in {{.Folder}} were overwritten on another device.", pairs...)
	case l.There:
		what = tr("{{.N}} of {{.Of}} files in {{.Folder}} were deleted and {{.M}} overwritten on another device.", pairs...)
	case l.Overwritten == 0:
		what = tr("{{.N}} of {{.Of}} files in {{.Folder}} were deleted on this computer.", pairs...)
	case l.Deleted == 0:
		what = tr("{{.M}} of {{.Of}} files in {{.Folder}} were overwritten on this computer.", pairs...)
	default:
		what = tr("{{.N}} of {{.Of}} files in {{.Folder}} were deleted and {{.M}} overwritten on this computer.", pairs...)
	}
	return what + " " + toldText(l)
}

// toldText is how far that has gone.
func toldText(l app.Loss) string {
	switch {
	case l.There && l.Told > 0:
		return trn(l.Told, "The first one was done on this computer too; the rest was not yet.", "The first {{.N}} were done on this computer too; the rest was not yet.")
	case l.There:
		return tr("Nothing was changed on this computer yet.")
	case l.Told > 0:
		return trn(l.Told, "The others were told of the first one; nobody was told of the rest yet.", "The others were told of the first {{.N}}; nobody was told of the rest yet.")
	}
	return tr("Nobody else was told yet.")
}

// rootText is about a folder whose directory is missing, or another one.
func rootText(q app.Question, s app.State) string {
	f, ok := folderOf(s, q.Folder)
	switch {
	case !ok:
		return shownText(q.Text)
	case f.Cause == app.CauseRoot:
		return tr("The directory of {{.Folder}} is not there: {{.Path}}. Connect its disk, or put it back; nothing is deleted anywhere meanwhile.", "Folder", shown(f.Name), "Path", shownPath(f.Path))
	}
	return tr("Another directory is where {{.Folder}} was, so nothing is compared or changed. Using it deletes nothing: what differs is kept twice.", "Folder", shown(f.Name))
}

// claimed is what a device says of itself.
func claimed(q app.Question) string {
	if q.Address == "" {
		return "“" + shown(q.Name) + "”"
	}
	return tr("“{{.Name}}”, of {{.Address}},", "Name", shown(q.Name), "Address", shown(q.Address))
}

func folderOf(s app.State, id app.FolderID) (app.Folder, bool) {
	i := slices.IndexFunc(s.Folders, func(f app.Folder) bool { return f.ID == id })
	if i < 0 {
		return app.Folder{}, false
	}
	return s.Folders[i], true
}

func folderName(s app.State, id app.FolderID) string {
	f, _ := folderOf(s, id)
	return shown(cmp.Or(f.Name, string(id)))
}

// roleText is what a member may do, seen from the member.
func roleText(role string) string {
	if role == "read-only" {
		return tr("you receive it and change nothing")
	}
	return tr("you may add and change files")
}

// An answer is one way to go on from a question.
type answer struct {
	text   string
	choice string // given to the service; "" if do is all there is to it
	done   string // said afterwards; may be ""

	// sure is asked once more before, if it is not "".
	sure string
	do   func(w *Window) // opens what the answer needs; may be nil
}

// evenHanded are the kinds of questions where no answer is the one to press:
// only the person can know.
var evenHanded = []app.QuestionKind{app.AskPairing, app.AskChangedKey, app.AskRules, app.AskNearby, app.AskSame, app.AskBrokenOff}

// answersTo are the ways to go on, the recommended one first unless the kind of
// question is evenHanded.
func answersTo(q app.Question) []answer {
	var list []answer
	moved := false
	for _, c := range q.Choices {
		a := answer{text: choiceText(q, c), choice: c.ID}
		if c.Command != "" {
			a.choice, a.do = "", opener(q)
		}
		moved = moved || c.ID == "move"
		switch string(q.Kind) + " " + c.ID {
		case "deletions delete":
			a.sure = lossSure(q.Loss)
		case "changed-key yes":
			a.sure = tr("Link it only if the person has told you, by phone or face to face, that this device is theirs.")
		case "mailbox forget":
			a.sure = tr("The account is forgotten on this computer. You can still send invitations with your own mail program.")
		case "offer decline":
			a.done = tr("Declined. The other side keeps its files and can share the folder again.")
		case "invitation decline":
			a.done = tr("Ignored. Nobody was told.")
		}
		list = append(list, a)
	}
	if q.Kind == app.AskRoot && !moved {
		list = append(list, answer{text: tr("It is in another place now …"), do: opener(q)})
	}
	return list
}

// opener opens what a question's command asks for on the command line.
func opener(q app.Question) func(*Window) {
	switch q.Kind {
	case app.AskInvitation:
		return func(w *Window) { w.askAccept(string(q.Invitation)) }
	case app.AskOffer:
		return func(w *Window) { w.askJoin(offerOf(q)) }
	case app.AskMailbox:
		return func(w *Window) {
			address := ""
			if m := w.state.Mailbox; m != nil {
				address = m.Address
			}
			w.askMailbox(address, func() {})
		}
	case app.AskRoot:
		return func(w *Window) { w.pickMoved(q.Folder) }
	case app.AskDisk:
		return func(w *Window) { w.askDisk(q.Folder) }
	}
	return func(w *Window) { w.goTo(place{kind: atHome}) }
}

// offerOf is the offer that a question is about.
func offerOf(q app.Question) app.FolderID {
	return app.FolderID(strings.TrimPrefix(string(q.ID), "offer-"))
}

// choiceText is a choice in the window's words and language.
func choiceText(q app.Question, c app.Choice) string {
	if q.Kind == app.AskDeletions && q.Loss != nil {
		return lossChoice(*q.Loss, c)
	}
	switch string(q.Kind) + " " + c.ID {
	case "invitation accept":
		return tr("Type the six words …")
	case "invitation decline":
		return tr("Ignore it")
	case "offer join":
		return tr("Keep it here …")
	case "offer decline":
		return tr("Decline")
	case "pairing yes":
		return tr("Let it in")
	case "pairing no", "changed-key no":
		return tr("Refuse it")
	case "changed-key yes":
		return tr("Link it as well")
	case "nearby open":
		return tr("Compare words")
	case "nearby no":
		return tr("Refuse")
	case "same-words same":
		return tr("Yes, the same")
	case "same-words different":
		return tr("No, they differ")
	case "broken-off ok":
		return tr("All right")
	case "root look":
		return tr("The right one is back")
	case "root use":
		return tr("Use this directory")
	case "root move":
		return tr("It is in another place now …")
	case "disk move":
		return tr("Choose another disk …")
	case "rules share":
		return tr("Share them too")
	case "rules keep":
		return tr("Keep them out")
	case "mailbox set":
		return tr("Set it up again …")
	case "mailbox forget":
		return tr("Use no e-mail account")
	}
	return shown(c.Text)
}

// lossSafe says where what is lost can be had back. The device that has deleted
// files itself keeps none of them: those that are told do.
func lossSafe(l *app.Loss, days int) string {
	if l != nil && !l.There {
		return trn(days, "The other devices keep what they lose for {{.N}} day, to be restored there.",
			"The other devices keep what they lose for {{.N}} days, to be restored there.")
	}
	return trn(days, "Either way they can be restored for {{.N}} day.", "Either way they can be restored for {{.N}} days.")
}

// lossSure is what to know before a loss is let through. The guards of the
// others ask for themselves.
func lossSure(l *app.Loss) string {
	if l != nil && l.There {
		return tr("It is done on this computer as well. What is deleted or replaced is kept here for a while, and can be restored.")
	}
	return tr("The other devices of this folder are told. Where so many files go at once, each of them asks there first. What is deleted or replaced is kept there for a while, and can be restored there.")
}

func lossChoice(l app.Loss, c app.Choice) string {
	switch {
	case c.ID == "restore" && l.There && l.Told > 0:
		return tr("Keep the rest, for everyone")
	case c.ID == "restore" && l.There:
		return tr("Keep them, for everyone")
	case c.ID == "restore" && l.Told > 0:
		return tr("Bring the rest back")
	case c.ID == "restore":
		return tr("Bring them back")
	case c.ID != "delete":
		return shown(c.Text)
	case l.There:
		return tr("Do it here too")
	case l.Overwritten > 0:
		return tr("Change them for everyone")
	}
	return tr("Delete them for everyone")
}
