package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"foldpost/app"
	"foldpost/app/apptest"
)

// trouble is a program of which some does not work.
func troubled() *apptest.Fake {
	f := apptest.NewFake()
	f.Update(func(s *app.State) {
		s.Device.Version = "1.2.3"
		why := app.Found(app.FoundBothChange, "Name", "ada@example.org (Ada's laptop)", "Port", "24567")
		s.Devices = []app.Device{{ID: "adaid", Name: "Ada's laptop", Owner: "ada@example.org", Linked: noon, Problem: why.Text, Why: &why}}
	})
	linked := app.Found(app.FoundLinkedNear, "Name", "nas", "Kind", "QUIC", "RTT", "0.8")
	linked.Device, linked.Detail = "nasid", "at 192.168.x.x, port 24000\n"
	both := app.Found(app.FoundBothChange, "Name", "ada@example.org (Ada's laptop)", "Port", "24567")
	both.Device, both.Detail = "adaid", "tried 203.0.x.x, port 24001 (reflexive, from mail): 2 calls, 41 checks\n"
	f.Find(
		app.Found(app.FoundAddresses, "Addresses", "192.168.x.x, 2001:db8:…"),
		app.Found(app.FoundPort, "Port", "24567", "Kinds", "UDP IPv4, UDP IPv6"),
		app.Found(app.FoundChangesPort, "Port", "24567"),
		app.Found(app.FoundMailbox, "Mail", "b…@example.org"),
		linked, both,
		app.Found(app.FoundFolders, "N", "3"),
	)
	return f
}

func TestWorks(t *testing.T) {
	f := troubled()
	w := newTestWindow(t, f)
	w.goTo(place{kind: atWorks})
	w.win.Resize(fyne.NewSize(980, 1180))
	reads(t, w, "What works", "2 things do not work. Nothing is lost because of them.", "This device", "Network", "E-mail account", "Devices", "Folders",
		"nas is connected in this network (QUIC). An answer takes 0.8 ms.",
		"No way to ada@example.org (Ada's laptop): the routers here and there", "(In between.)", "forward port 24567 (UDP and TCP)")
	golden(t, w, "works")
	shot(t, w, "works")

	tap(t, w, "Copy a report")
	got := w.app.Clipboard().Content()
	for _, want := range []string{"Report of foldpost doctor, 2026-11-20T12:00:00Z", "No way to device adaid", "[the network]", "tried 203.0.x.x, port 24001"} {
		if !strings.Contains(got, want) {
			t.Errorf("the report has no %q:\n%s", want, got)
		}
	}
	for _, never := range []string{"example.org (", "laptop", "nas is"} {
		if strings.Contains(got, never) {
			t.Errorf("the report has %q in it:\n%s", never, got)
		}
	}
}

// TestWorksFollows: the list is made anew when something has changed.
func TestWorksFollows(t *testing.T) {
	f := apptest.NewFake()
	w := newTestWindow(t, f)
	w.goTo(place{kind: atWorks})
	reads(t, w, "Everything works, as far as this computer can tell.")
	f.Update(func(s *app.State) { s.Findings = []app.Finding{app.Found(app.FoundBlocked)} })
	w.sync()
	reads(t, w, "1 thing does not work.", "The network here lets no UDP packets out", "(On this side.)")
}

// TestWhyDevice: home and the device's screen name the side.
func TestWhyDevice(t *testing.T) {
	w := newTestWindow(t, troubled())
	w.goTo(place{kind: atHome})
	reads(t, w, "You and ada@example.org are linked, but your computers cannot reach each other yet. No way to Ada's laptop: the routers here and there both use another port")
	tap(t, w, "What can I do?")
	reads(t, w, "One of these helps: forward port 24567 (UDP and TCP) to this computer on the router")
	shot(t, w, "works-advice")
	tap(t, w, "What works")
	reads(t, w, "Copy a report")
}

// TestFoundText: in the user's language; what a newer program found as it says
// it.
func TestFoundText(t *testing.T) {
	test.NewTempApp(t)
	f := app.Found(app.FoundAway, "Name", "a\nb", "When", "2026-11-20 10:41")
	if text, _ := foundText(f); text != "a\ufffdb does not answer: it is off, asleep or without a network (last seen 2026-11-20 10:41)." {
		t.Errorf("foundText(%s) = %q", f.Reason, text)
	}
	t.Cleanup(func() { SetLanguage("en") })
	if err := SetLanguage("de"); err != nil {
		t.Fatal(err)
	}
	if text, advice := foundText(app.Found(app.FoundAway, "Name", "Adas PC", "When", "gestern")); text != "Adas PC antwortet nicht: Es ist aus, schläft oder hat kein Netz (zuletzt gesehen gestern)." || advice != "Es geht von selbst weiter, wenn jener Computer wieder an ist." {
		t.Errorf("foundText in German = %q, %q", text, advice)
	}
	if text, advice := foundText(app.Finding{Reason: "later", Text: "A new text.", Advice: "Do this."}); text != "A new text." || advice != "Do this." {
		t.Errorf("foundText of a reason that is not known = %q, %q, want its own", text, advice)
	}
}
