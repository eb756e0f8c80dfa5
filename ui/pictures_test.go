package ui

import (
	"testing"

	"fyne.io/fyne/v2"

	"foldpost/app/apptest"
)

// TestPictures compares the six screens that matter most with pictures of
// them. Whoever changes one of them, the theme or an icon looks at the new
// picture.
func TestPictures(t *testing.T) {
	t.Run("start", func(t *testing.T) {
		picturePNG(t, newTestWindow(t, apptest.NewFake()), "picture_start")
	})
	t.Run("home", func(t *testing.T) {
		f := apptest.NewFake()
		f.Update(busy)
		w := newTestWindow(t, f)
		w.win.Resize(fyne.NewSize(980, 860))
		picturePNG(t, w, "picture_home")
		w.app.Settings().SetTheme(Theme{Variant: "dark"})
		picturePNG(t, w, "picture_home_dark")
	})
	t.Run("mail", func(t *testing.T) {
		f := apptest.NewFake()
		f.Update(withMailbox)
		w := newTestWindow(t, f)
		w.askShare(photos(t, f))
		typeInto(t, w, "name or e-mail address", "bob@example.org")
		tap(t, w, "Next")
		picturePNG(t, w, "picture_mail")
	})
	t.Run("accept", func(t *testing.T) {
		w := newTestWindow(t, fakeWithMail())
		w.Open("letter")
		typeOn(w, "violin drift roc")
		picturePNG(t, w, "picture_accept")
	})
	t.Run("conflict", func(t *testing.T) {
		f, dir := thesis(t)
		collide(t, f, dir, "a.tex", "one\ntwo\nthree\nfour\nfive changed here\nsix\n", "one\ntwo\nthree\nfour\nfive changed by Bob\nand more\nsix\n")
		picturePNG(t, folderWindow(t, f, tabConflicts), "picture_conflict")
	})
	t.Run("settings", func(t *testing.T) {
		w := newTestWindow(t, apptest.NewFake())
		w.goTo(place{kind: atSettings})
		picturePNG(t, w, "picture_settings")
	})
}
