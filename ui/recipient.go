package ui

import (
	"net/mail"
	"slices"
	"strings"

	"foldpost/app"
)

// A recipient is whom the typed name or address means.
type recipient struct {
	devices []app.DeviceID // linked already
	address string         // to be invited
	own     bool           // the address is this user's own
	wrong   string         // why it is neither
}

// recipientOf reads what was typed: the name of a linked device or of its
// owner, or an e-mail address. Devices name themselves, so a name never stands
// for an address, nor for more than one device.
func recipientOf(text string, s app.State) recipient {
	text = strings.TrimSpace(text)
	var r recipient
	if text == "" {
		return r
	}
	var called []app.DeviceID
	for _, d := range s.Devices {
		switch {
		case d.Owner != "" && strings.EqualFold(d.Owner, text):
			r.devices = append(r.devices, d.ID)
		case !strings.Contains(text, "@") && strings.EqualFold(d.Name, text):
			called = append(called, d.ID)
		}
	}
	if len(r.devices) == 0 && len(called) == 1 {
		r.devices = called
	}
	switch {
	case len(r.devices) > 0:
	case isAddress(text):
		r.address = text
		r.own = isOwn(text, s.Mailbox)
	case strings.Contains(text, "@"):
		r.wrong = tr("This is not a whole e-mail address yet. It looks like bob@example.org.")
	case len(called) > 1:
		r.wrong = tr("Several devices are called that. Type the e-mail address of the one you mean, or choose the device.")
	default:
		r.wrong = tr("No linked device is called that. Type an e-mail address, like bob@example.org, to invite somebody.")
	}
	return r
}

// isAddress tells whether text is a bare e-mail address of the Internet.
func isAddress(text string) bool {
	a, err := mail.ParseAddress(text)
	if err != nil || a.Address != text {
		return false
	}
	domain := text[strings.LastIndex(text, "@")+1:]
	return strings.Contains(strings.Trim(domain, "."), ".")
}

const maxSuggested = 4

// suggestions are people known from devices and invitations to whom what was
// typed may become.
func suggestions(text string, s app.State) []string {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "" {
		return nil
	}
	var list []string
	add := func(name string) {
		lower := strings.ToLower(name)
		if name != "" && lower != text && strings.Contains(lower, text) && len(list) < maxSuggested && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	for _, d := range s.Devices {
		add(d.Owner)
		add(d.Name)
	}
	for _, o := range s.Invitations {
		add(o.With)
	}
	return list
}
