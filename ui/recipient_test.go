package ui

import (
	"reflect"
	"testing"

	"foldpost/app"
)

var known = app.State{
	Mailbox: &app.MailboxState{Address: "ada@example.org"},
	Devices: []app.Device{
		{ID: "bob1", Name: "Bob's laptop", Owner: "bob@example.org"},
		{ID: "bob2", Name: "Bob's PC", Owner: "bob@example.org"},
		{ID: "nas", Name: "nas"},
		{ID: "mallory", Name: "erin@example.org", Owner: "mallory@example.org"}, // as it calls itself
		{ID: "mallory2", Name: "ATTIC", Owner: "mallory@example.org"},
		{ID: "attic", Name: "attic"},
	},
	Invitations: []app.OpenInvitation{{With: "carol@example.org"}},
}

func TestRecipientOf(t *testing.T) {
	for _, c := range []struct {
		text string
		want recipient
	}{
		{"", recipient{}},
		{" bob's LAPTOP ", recipient{devices: []app.DeviceID{"bob1"}}},
		{"Bob@Example.org", recipient{devices: []app.DeviceID{"bob1", "bob2"}}},
		{"dave@example.org", recipient{address: "dave@example.org"}},
		{"erin@example.org", recipient{address: "erin@example.org"}},
		{"attic", recipient{wrong: "Several devices are called that. Type the e-mail address of the one you mean, or choose the device."}},
		{"ADA@example.org", recipient{address: "ADA@example.org", own: true}},
		{"Dave <dave@example.org>", recipient{wrong: "This is not a whole e-mail address yet. It looks like bob@example.org."}},
		{"dave@localhost", recipient{wrong: "This is not a whole e-mail address yet. It looks like bob@example.org."}},
		{"dave@example.", recipient{wrong: "This is not a whole e-mail address yet. It looks like bob@example.org."}},
	} {
		if got := recipientOf(c.text, known); !reflect.DeepEqual(got, c.want) {
			t.Errorf("recipientOf(%q) = %+v, want %+v", c.text, got, c.want)
		}
	}
}

func TestSuggestions(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"BOB", []string{"bob@example.org", "Bob's laptop", "Bob's PC"}},
		{"carol", []string{"carol@example.org"}},
		{"nas", nil}, // it is whole
		{"zoe", nil},
	} {
		if got := suggestions(c.text, known); !reflect.DeepEqual(got, c.want) {
			t.Errorf("suggestions(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}
