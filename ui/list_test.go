package ui

import (
	"fmt"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"foldpost/app"
	"foldpost/app/apptest"
)

// manyFiles is a number of files that no list may be slow with.
const manyFiles = 100_000

// TestLongList: of many lines only those in sight are made and drawn.
func TestLongList(t *testing.T) {
	w := newTestWindow(t, apptest.NewFake())
	drawn := 0
	l := newList(w, func() int { return manyFiles }, func(i int, r *listRow) {
		drawn++
		r.draw("file", fmt.Sprint(i), "", "")
	})
	w.shell.show(l.box)
	if drawn == 0 || drawn > 100 {
		t.Errorf("showing %d lines drew %d, want those in sight", manyFiles, drawn)
	}
	drawn = 0
	const jumps = 50
	for i := range jumps {
		l.ScrollTo(i * manyFiles / jumps)
	}
	if drawn > jumps*60 {
		t.Errorf("%d jumps drew %d lines, want at most 60 for each", jumps, drawn)
	}
	w.win.Canvas().Focus(l)
	press(w, fyne.KeyEnd)
	if l.at != manyFiles-1 {
		t.Errorf("End chose line %d, want %d", l.at, manyFiles-1)
	}
	press(w, fyne.KeyUp, fyne.KeyPageUp, fyne.KeyHome, fyne.KeyUp, fyne.KeyDown, fyne.KeyPageDown)
	if l.at != 11 {
		t.Errorf("the keys chose line %d, want 11", l.at)
	}
}

// TestListKeepsKeys: what a list does not need is the window's.
func TestListKeepsKeys(t *testing.T) {
	w := newTestWindow(t, apptest.NewFake())
	sh := w.open("Sheet")
	l := newList(w, func() int { return 1 }, func(int, *listRow) {})
	entered := -1
	l.entered = func(i int) { entered = i }
	sh.page(l.box, newButton(w, "Close", sh.close))
	w.win.Canvas().Focus(l)
	press(w, fyne.KeyReturn)
	if entered != 0 {
		t.Errorf("Enter entered line %d, want 0", entered)
	}
	press(w, fyne.KeyEscape)
	if len(w.sheets) != 0 {
		t.Error("Escape did not close the sheet while a list in it had the focus")
	}
}

// manyKept is a Fake whose trash holds many files.
func manyKept(tb testing.TB) *apptest.Fake {
	tb.Helper()
	f := apptest.NewFake()
	f.Update(func(s *app.State) {
		s.Folders = []app.Folder{{ID: "thesisid", Name: "Thesis", Path: "/home/ada/Thesis", State: app.FolderIdle, Members: []app.Member{}}}
	})
	files := make([]app.Kept, manyFiles)
	for i := range files {
		files[i] = app.Kept{Path: fmt.Sprintf("dir %d/file %d.txt", i/100, i), At: noon.Add(-time.Duration(i) * time.Second), Size: int64(i)}
	}
	f.KeepAll("thesisid", files)
	return f
}

// TestLongTrash: many files are found and filtered without delay.
func TestLongTrash(t *testing.T) {
	w := folderWindow(t, manyKept(t), tabTrash)
	reads(t, w, "file 0.txt")
	typeInto(t, w, "Find a file", "file 99999")
	reads(t, w, "file 99999.txt")
	if n := len(w.screen.(*folderScreen).tabs[tabTrash].(*trashList).shown); n != 1 {
		t.Errorf("the filter lets %d files through, want 1", n)
	}
}

// longTrash shows many files in a window of a benchmark.
func longTrash(b *testing.B) *trashList {
	b.Helper()
	a := test.NewTempApp(b)
	a.Settings().SetTheme(Theme{Variant: "light"})
	w := New(a, manyKept(b), Options{})
	w.inline = true
	w.win.Resize(fyne.NewSize(980, 680))
	w.Show()
	w.draw(w.svc.State())
	w.goTo(place{kind: atFolder, folder: "thesisid", tab: tabTrash})
	return w.screen.(*folderScreen).tabs[tabTrash].(*trashList)
}

// BenchmarkLongList is one jump in a list of many lines: all lines in sight
// are others.
func BenchmarkLongList(b *testing.B) {
	l := longTrash(b).list
	for i := 0; b.Loop(); i++ {
		l.ScrollTo(i * 7919 % manyFiles)
	}
}

// BenchmarkFilter is one key typed into the filter of many lines.
func BenchmarkFilter(b *testing.B) {
	t := longTrash(b)
	for i := 0; b.Loop(); i++ {
		t.filter.SetText(fmt.Sprint("file ", i%10))
	}
}
