package cli

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"foldpost/app"
)

// A meaning is a thing that a word on the command line may stand for.
type meaning[T any] struct {
	value T
	id    string
	names []string // names and addresses, equal in any case
	path  string
	label string // for the list of what fits
}

// A kind names things of one sort for error texts.
type kind struct{ one, list string }

var (
	aDevice     = kind{"device", "foldpost devices"}
	aFolder     = kind{"folder", "foldpost folders"}
	anOffer     = kind{"offered folder", "foldpost folders"}
	anInvite    = kind{"open invitation", "foldpost status"}
	aQuestion   = kind{"question", "foldpost answer"}
	aMember     = kind{"member of this folder", "foldpost folders"}
	aNeighbour  = kind{"device nearby", "foldpost nearby"}
	aLetterHere = kind{"invitation that came here", "foldpost status"}
)

// resolve returns what word stands for: a whole id, name, address or path
// before anything else, then a name in another case or the beginning of an id.
// Where that is not exactly one thing, the error lists what there is.
func resolve[T any](k kind, word string, all []meaning[T]) (T, error) {
	var none T
	path := word
	if strings.ContainsAny(word, `/\`) || strings.HasPrefix(word, ".") {
		if abs, err := filepath.Abs(word); err == nil {
			path = abs
		}
	}
	fits := all[:0:0]
	for _, m := range all {
		if m.id == word || m.path != "" && m.path == path || slices.Contains(m.names, word) {
			fits = append(fits, m)
		}
	}
	if len(fits) == 0 && word != "" {
		for _, m := range all {
			if strings.HasPrefix(m.id, strings.ToLower(word)) || slices.ContainsFunc(m.names, func(n string) bool { return strings.EqualFold(n, word) }) {
				fits = append(fits, m)
			}
		}
	}
	switch {
	case len(fits) == 1:
		return fits[0].value, nil
	case len(fits) > 1:
		return none, app.Errorf(app.CodeUsage, "%q fits more than one %s, use more of the id:%s", word, k.one, list(fits, all))
	case len(all) == 0:
		return none, app.Errorf(app.CodeNotFound, "there is no %s %q, nor any other: see `%s`", k.one, word, k.list)
	}
	return none, app.Errorf(app.CodeNotFound, "there is no %s %q, but:%s", k.one, word, list(all, all))
}

func list[T any](some, all []meaning[T]) string {
	var b strings.Builder
	for _, m := range some {
		b.WriteString("\n  " + abbr(all, m.id) + "  " + shown(m.label))
	}
	return b.String()
}

// minAbbr is short enough to type and long enough to stay good for a while.
const minAbbr = 8

// abbr is the beginning of id that fits no other of all.
func abbr[T any](all []meaning[T], id string) string {
	n := min(minAbbr, len(id))
	for n < len(id) && slices.ContainsFunc(all, func(m meaning[T]) bool { return m.id != id && strings.HasPrefix(m.id, id[:n]) }) {
		n++
	}
	if id[:n] != id && strings.HasSuffix(id[:n], "-") { // the kind alone looks like no id
		n = min(n+minAbbr/2, len(id))
	}
	return id[:n]
}

// devices leaves out names that look like addresses: a device names itself,
// and an address must mean the person.
func devices(st app.State) []meaning[app.Device] {
	var all []meaning[app.Device]
	for _, d := range st.Devices {
		name := d.Name
		if isAddress(name) {
			name = ""
		}
		all = append(all, meaning[app.Device]{value: d, id: string(d.ID), names: names(name, d.Owner), label: titled(d)})
	}
	return all
}

func members(st app.State, f app.Folder) []meaning[app.Device] {
	return slices.DeleteFunc(devices(st), func(d meaning[app.Device]) bool {
		return !slices.ContainsFunc(f.Members, func(m app.Member) bool { return m.Device == d.value.ID })
	})
}

func folders(st app.State) []meaning[app.Folder] {
	var all []meaning[app.Folder]
	for _, f := range st.Folders {
		all = append(all, meaning[app.Folder]{value: f, id: string(f.ID), names: names(f.Name), path: f.Path, label: f.Name + "  " + f.Path})
	}
	return all
}

// offers are the offered folders. One that several devices offer is one.
func offers(st app.State) []meaning[app.Offer] {
	var all []meaning[app.Offer]
	for _, o := range st.Offers {
		if i := slices.IndexFunc(all, func(m meaning[app.Offer]) bool { return m.value.ID == o.ID }); i >= 0 {
			all[i].label += ", " + deviceName(st, o.From)
			continue
		}
		all = append(all, meaning[app.Offer]{value: o, id: string(o.ID), names: names(o.Name), label: o.Name + "  from " + deviceName(st, o.From)})
	}
	return all
}

func invitations(st app.State) []meaning[app.OpenInvitation] {
	var all []meaning[app.OpenInvitation]
	for _, i := range st.Invitations {
		all = append(all, meaning[app.OpenInvitation]{value: i, id: string(i.ID), names: names(i.With), label: inviteLabel(i)})
	}
	return all
}

// letters are the invitations that came by mail and wait for their words. Each
// is looked at for the address it says it is from.
func letters(ctx context.Context, svc app.Service, st app.State) []meaning[app.OpenInvitation] {
	var all []meaning[app.OpenInvitation]
	for _, q := range st.Questions {
		if q.Kind != app.AskInvitation || q.Invitation == "" {
			continue
		}
		inv := app.OpenInvitation{ID: q.Invitation, Direction: app.Received, Step: app.StepWords}
		if p, err := svc.Look(ctx, string(q.Invitation)); err == nil {
			inv.With, inv.Expires = p.From, p.Expires
		}
		all = append(all, meaning[app.OpenInvitation]{value: inv, id: string(inv.ID), names: names(inv.With), label: inviteLabel(inv)})
	}
	return all
}

func questions(st app.State) []meaning[app.Question] {
	var all []meaning[app.Question]
	for _, q := range st.Questions {
		all = append(all, meaning[app.Question]{value: q, id: string(q.ID), label: q.Text})
	}
	return all
}

func inviteLabel(i app.OpenInvitation) string {
	switch {
	case i.Direction == app.Received && i.With == "":
		return "received as a link or file"
	case i.Direction == app.Received:
		return "from " + i.With
	case i.With == "":
		return "invite link"
	}
	return "to " + i.With
}

func names(all ...string) []string {
	return slices.DeleteFunc(all, func(n string) bool { return n == "" })
}

// isAddress is true for what can only be meant as a mail address.
func isAddress(word string) bool {
	at := strings.LastIndexByte(word, '@')
	return at > 0 && at < len(word)-1 && !strings.ContainsAny(word, " /\\<>")
}

// isLink is true for what can only be meant as an invite link.
func isLink(word string) bool {
	return len(word) >= len("foldpost:") && strings.EqualFold(word[:len("foldpost:")], "foldpost:")
}
