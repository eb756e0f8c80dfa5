package ui

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"foldpost/app"
	"foldpost/app/apptest"
)

// busy is a State with one of everything.
func busy(s *app.State) {
	s.Devices = []app.Device{
		{ID: "annaid", Name: "Anna's laptop", Owner: "anna@example.org", Version: "1.3", Connected: true, Link: "quic", Address: "192.0.2.7:4100", RTTms: 12.3, Verified: "words"},
		{ID: "officeid", Name: "Office desktop", Version: "test", Connected: true, Link: "quic", Address: "192.0.2.9:4100", RTTms: 0.6, Verified: "link"},
		{ID: "bertid", Name: "Bertrand's computer", Owner: "bertrand@example.org", LastSeen: noon.Add(-13*time.Hour - 46*time.Minute), Verified: "words"},
		{ID: "nasid", Name: "Old NAS", Owner: "carla@example.org", Verified: "link"},
	}
	s.Folders = []app.Folder{
		{ID: "bandid", Name: "Band recordings", Path: "/home/ada/Band recordings", State: app.FolderSyncing, Files: 12, Bytes: 3e8, NeedFiles: 40, NeedBytes: 9e8, Members: []app.Member{{Device: "bertid", Role: "read-write", Joined: true}}},
		{ID: "thesisid", Name: "Thesis", Path: "/home/ada/Thesis", State: app.FolderIdle, Files: 214, Bytes: 8.1e7, Conflicts: 2, Members: []app.Member{{Device: "officeid", Role: "read-write", Joined: true, HasAll: true}}},
		{ID: "photosid", Name: "Photos 2026", Path: "/home/ada/Pictures/Photos 2026", State: app.FolderSyncing, Files: 5100, Bytes: 21.4e9, NeedFiles: 4023, NeedBytes: 16.6e9, Rate: 14e6, ETAms: 20 * 60 * 1000, Members: []app.Member{{Device: "annaid", Role: "read-write", Joined: true}, {Device: "officeid", Role: "read-only", Joined: true, NeedBytes: 1e9}}},
	}
	s.Offers = []app.Offer{{ID: "offerid", Name: "Recipes", From: "annaid", Files: 83, Bytes: 4.1e6, Role: "read-write"}}
	s.Questions = []app.Question{
		{ID: "offer-offerid", Kind: app.AskOffer, Device: "annaid", Since: noon, Text: "anna@example.org (Anna's laptop) shares the folder Recipes with you.", Choices: []app.Choice{{ID: "join", Text: "Keep it here", Command: "foldpost join offerid"}, {ID: "decline", Text: "Decline"}}},
		{ID: "thesisid-deletions-here", Kind: app.AskDeletions, Folder: "thesisid", Since: noon, Text: "Thesis: 61 of 200 files were deleted on this computer. Nobody else was told yet.", Choices: []app.Choice{{ID: "restore", Text: "Bring them back"}, {ID: "delete", Text: "Do it for everyone"}}},
	}
}

func TestHomePictures(t *testing.T) {
	f := apptest.NewFake()
	w := newTestWindow(t, f)
	shot(t, w, "start")
	w.app.Settings().SetTheme(Theme{Variant: "dark"})
	w.win.Resize(fyne.NewSize(760, 520))
	shot(t, w, "start-dark")
	w.app.Settings().SetTheme(Theme{Variant: "light"})
	w.win.Resize(fyne.NewSize(980, 680))
	f.Update(func(s *app.State) { s.Devices = []app.Device{{ID: "x", Name: "Bob", Connected: true}} })
	w.sync()
	shot(t, w, "home-empty")
	f.Update(busy)
	w.sync()
	shot(t, w, "home")
	w.goTo(place{kind: atDevice, device: "annaid"})
	shot(t, w, "device")
	w.goTo(place{kind: atHome})
	w.app.Settings().SetTheme(Theme{Variant: "dark"})
	w.win.Resize(fyne.NewSize(760, 520))
	shot(t, w, "home-dark")
}
