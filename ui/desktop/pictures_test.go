//go:build desktop

package desktop

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"foldpost/app"
)

// TestPictures makes the README's pictures in $SCREENSHOTS, from two real
// programs.
func TestPictures(t *testing.T) {
	to := os.Getenv("SCREENSHOTS")
	if to == "" {
		t.Skip("$SCREENSHOTS names no directory; make screenshots does that")
	}
	s := newSession(t, "1280x900x24")
	server, attached := postOffice(t)
	photos := filepath.Join(s.dir, "Photos 2026")
	for i := range 305 { // the sheet is waited for until it says "5 files"
		write(t, filepath.Join(photos, fmt.Sprintf("day %d", i%7+1), fmt.Sprintf("photo %d.jpg", i)), 200_000)
	}
	a := s.sitDown("ada")
	a.as("Ada's laptop", "light")
	a.portrait(to, "start")
	words := a.shares(server, photos)
	crop := a.frame()
	file := filepath.Join(s.dir, "Invitation from Ada.foldpost")
	select {
	case b := <-attached:
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatal("no mail left")
	}
	for picture, name := range map[string]string{"preview": "mail", "words": "words"} {
		s.cut(picture, crop, filepath.Join(to, name+".png"))
	}

	b := s.sitDown("bob")
	b.as("Bob's PC", "light")
	if err := b.again("--", file); err != nil {
		t.Fatal(err)
	}
	b.accepts(words)
	crop = b.frame()
	for picture, name := range map[string]string{"six-words": "six-words", "offer": "offer"} {
		s.cut(picture, crop, filepath.Join(to, name+".png"))
	}
	b.sees("All is here")
	b.click("Done")
	bob := a.state("Bob has everything", func(st app.State) bool {
		return len(st.Folders) == 1 && len(st.Folders[0].Members) == 1 && st.Folders[0].Members[0].HasAll
	}).Folders[0].Members[0].Device
	for _, name := range []string{"Band recordings", "Thesis"} {
		dir := filepath.Join(s.dir, name)
		for i := range 12 {
			write(t, filepath.Join(dir, fmt.Sprintf("part %d", i+1)), 50_000)
		}
		if _, err := a.service().Share(t.Context(), app.ShareRequest{Dir: dir, Devices: []app.DeviceID{bob}}); err != nil {
			t.Fatal(err)
		}
	}
	offers := b.state("two folders are offered", func(st app.State) bool { return len(st.Offers) == 2 }).Offers
	for _, o := range offers {
		if o.Name == "Thesis" {
			if err := b.service().Join(t.Context(), o.ID, filepath.Join(s.dir, "Bob's thesis")); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.state("the second folder is here", func(st app.State) bool {
		return len(st.Folders) == 2 && st.Folders[0].State == app.FolderIdle && st.Folders[1].State == app.FolderIdle
	})
	b.press("ctrl+1")
	b.sees("Thesis")
	b.portrait(to, "home")
	b.as("Bob's PC", "dark")
	b.sees("Thesis")
	b.portrait(to, "home-dark")
}

func write(t *testing.T, path string, size int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte{byte(len(path))}, size), 0o644); err != nil {
		t.Fatal(err)
	}
}

// as begins anew with a name and a look, and without notifications, which
// would stand before the window.
func (p *person) as(device, theme string) {
	p.t.Helper()
	svc := p.service()
	for _, c := range [][2]string{{"name", device}, {app.SettingTheme, theme}, {app.SettingNotify, "off"}} {
		if err := svc.SetConfig(p.t.Context(), c[0], c[1]); err != nil {
			p.t.Fatal(err)
		}
	}
	p.program.stop()
	p.begin()
	p.sees("Settings")
}

var corner = regexp.MustCompile(`Absolute upper-left ([XY]): +(-?\d+)\n|(Width|Height): (\d+)\n`)

// frame is where the person's window is, without what the window manager draws
// around it, as ImageMagick writes it.
func (p *person) frame() string {
	p.t.Helper()
	p.front()
	var n []string // x, y, width, height
	for _, m := range corner.FindAllStringSubmatch(p.must("xwininfo", "-id", p.window), -1) {
		n = append(n, m[2]+m[4])
	}
	if len(n) != 4 {
		p.t.Fatalf("%s's window is at %q", p.name, n)
	}
	return fmt.Sprintf("%sx%s+%s+%s", n[2], n[3], n[0], n[1])
}

// portrait is a picture of the person's window.
func (p *person) portrait(dir, name string) {
	p.t.Helper()
	p.picture(name)
	p.cut(name, p.frame(), filepath.Join(dir, name+".png"))
}

// cut makes a small file of a part of the last picture of a name.
func (s *session) cut(picture, part, file string) {
	s.t.Helper()
	found, err := filepath.Glob(filepath.Join(s.shots, "??-"+picture+".png"))
	if err != nil || len(found) == 0 {
		s.t.Fatalf("there is no picture %s", picture)
	}
	s.must("convert", found[len(found)-1], "-crop", part, "+repage", "-strip", "+dither", "-colors", "200", "png8:"+file)
}
