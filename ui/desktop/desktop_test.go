//go:build desktop

package desktop

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/mail/mailtest"
)

const (
	ada = "ada@a.example"
	bob = "bob@b.example"
)

// postOffice is a mail provider for both, until the test ends. It keeps what
// is in each mail's attachment.
func postOffice(t *testing.T) (server *mailtest.Server, attached <-chan []byte) {
	t.Helper()
	server = mailtest.New(ada, bob)
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	files := make(chan []byte, 16)
	server.Intercept(func(_, to string, raw []byte) []byte {
		if b, err := attachment(raw); err == nil && to == bob {
			files <- b
		}
		return raw
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { server.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	return server, files
}

// attachment is the file in a mail, as a mail program would save it.
func attachment(raw []byte) ([]byte, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(part.FileName(), ".foldpost") {
			continue
		}
		var r io.Reader = part
		if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "base64") {
			r = base64.NewDecoder(base64.StdEncoding, part)
		}
		return io.ReadAll(r)
	}
}

// TestWay is the way of two people from nothing to a folder that both have, and
// on to the end, by mouse and keyboard alone: in each look, and larger.
func TestWay(t *testing.T) {
	for _, look := range []struct{ theme, scale, screen string }{
		{"light", "1", "1280x900x24"},
		{"dark", "1.5", "1900x1250x24"},
	} {
		t.Run(look.theme+" at "+look.scale, func(t *testing.T) {
			walk(t, newSession(t, look.screen, "FYNE_THEME="+look.theme, "FYNE_SCALE="+look.scale))
		})
	}
}

func walk(t *testing.T, s *session) {
	server, attached := postOffice(t)
	photos := filepath.Join(s.dir, "ada-files", "Photos 2026")
	for i := range 5 {
		put(t, filepath.Join(photos, fmt.Sprintf("day %d", i%2+1), fmt.Sprintf("photo %d.jpg", i)), bytes.Repeat([]byte{byte(i)}, 100_000))
	}
	a := s.sitDown("ada")
	a.sees("What brings you here?")
	s.picture("start")
	words := a.shares(server, photos)
	file := filepath.Join(s.dir, "Invitation from Ada.foldpost")
	select {
	case b := <-attached:
		put(t, file, b)
	case <-time.After(patience):
		t.Fatal("no mail left")
	}
	a.state("the invitation waits for Bob", func(st app.State) bool {
		return len(st.Invitations) == 1 && st.Invitations[0].Step == app.StepWaiting
	})

	b := s.sitDown("bob", "--", file) // the double click
	b.accepts(words)
	arrived := filepath.Join(s.dir, "home", "Foldpost", "Photos 2026")
	s.until("the first file is here", func() bool {
		content, err := os.ReadFile(filepath.Join(arrived, "day 1", "photo 0.jpg"))
		return err == nil && len(content) == 100_000
	})
	t.Logf("from the double click to the first file: %d clicks, %d key presses for six words", b.clicks, b.keys)
	if b.clicks > 4 {
		t.Errorf("from the double click to the first file Bob clicked %d times, want at most 4", b.clicks)
	}
	b.sees("All is here")
	s.picture("here")
	b.click("Done")
	a.sees("Linked with")
	a.front()
	s.picture("linked")
	a.press("Escape")
	a.clicksNotification("delivered")
	a.sees("Deleted and replaced") // the folder's screen

	a.endsConflict(b, photos, arrived)
	b.restores(arrived, photos)
	b.usesTray()
	link, err := a.service().Invite(t.Context(), app.InviteRequest{})
	if err != nil {
		t.Fatal(err)
	}
	b.hidesAndReturns(link.Link)
	a.removes(b)
	b.quitsWithoutTray()
	for _, p := range []*person{a, b} {
		if strings.Contains(p.program.out.String(), "call thread") {
			t.Errorf("%s's program draws on a wrong goroutine:\n%s", p.name, p.program.out)
		}
	}
}

func put(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// endsConflict: both change a file while they are apart. Ada, whose window is
// not on the screen, is told by a notification; a click on it leads to where
// she keeps Bob's version.
func (p *person) endsConflict(other *person, here, there string) {
	p.t.Helper()
	for _, x := range []*person{p, other} {
		if err := x.service().Pause(p.t.Context(), "", 0); err != nil {
			p.t.Fatal(err)
		}
		x.state("everything is paused", func(s app.State) bool { return s.Folders[0].State == app.FolderPaused })
	}
	put(p.t, filepath.Join(here, "notes.txt"), []byte("Ada brings tea.\nAll bring cake.\n"))
	put(p.t, filepath.Join(there, "notes.txt"), []byte("Bob brings tea.\nAll bring cake.\n"))
	p.press("ctrl+w")
	p.until("the window is gone", func() bool { return p.visible() == "" })
	for _, x := range []*person{p, other} {
		if err := x.service().Resume(p.t.Context(), ""); err != nil {
			p.t.Fatal(err)
		}
	}
	p.state("the conflict is known", func(s app.State) bool { return s.Folders[0].Conflicts == 1 })
	p.clicksNotification("conflict-notified")
	p.front()
	v := p.sees("notes.txt")
	p.picture("conflict")
	if !strings.Contains(v.String(), "Keep this one") {
		p.click("notes.txt")
		p.sees("Keep this one")
		p.picture("conflict-versions")
	}
	p.click("Keep this one (2)")
	for _, x := range []*person{p, other} {
		x.state("the conflict is solved", func(s app.State) bool { return s.Folders[0].Conflicts == 0 })
	}
	p.picture("conflict-solved")
}

// clicksNotification clicks on what the desktop tells, once it does.
func (p *person) clicksNotification(name string) {
	p.t.Helper()
	var window string
	p.until("there is a notification", func() bool {
		out, err := p.x("xdotool", "search", "--onlyvisible", "--class", "notifyd")
		window = strings.TrimSpace(out)
		return err == nil && window != ""
	})
	p.picture(name)
	var w, h int
	for _, f := range strings.Fields(p.must("xdotool", "getwindowgeometry", "--shell", strings.Fields(window)[0])) {
		fmt.Sscanf(f, "WIDTH=%d", &w)
		fmt.Sscanf(f, "HEIGHT=%d", &h)
	}
	const edge = 35 // of the button from the lower right corner
	p.must("xdotool", "mousemove", "--window", strings.Fields(window)[0], strconv.Itoa(w-edge-15), strconv.Itoa(h-edge+5), "click", "1")
	p.until("the notification is gone", func() bool {
		out, err := p.x("xdotool", "search", "--onlyvisible", "--class", "notifyd")
		return err != nil || !strings.Contains(out, strings.Fields(window)[0])
	})
}

// restores brings a file back that the other deleted: it is kept here.
func (p *person) restores(here, there string) {
	p.t.Helper()
	file := filepath.Join("day 2", "photo 1.jpg")
	exists := func(dir string) func() bool {
		return func() bool { _, err := os.Stat(filepath.Join(dir, file)); return err == nil }
	}
	if err := os.Remove(filepath.Join(there, file)); err != nil {
		p.t.Fatal(err)
	}
	p.until("the deleted file is gone here too", func() bool { return !exists(here)() })
	p.click("Details")
	p.click("Deleted and replaced")
	p.sees("photo 1.jpg")
	p.picture("deleted")
	p.click("photo 1.jpg")
	p.click("Restore")
	p.until("the file is back on both", func() bool { return exists(here)() && exists(there)() })
	p.picture("restored")
}

// removes ends the link with the other's device.
func (p *person) removes(other *person) {
	p.t.Helper()
	p.front()
	p.press("ctrl+1")
	name := p.state("Bob's device is there", func(s app.State) bool { return len(s.Devices) == 1 }).Devices[0].Name
	p.sees("Folders")
	p.click(name)
	p.picture("device")
	p.click("Remove this device")
	p.sees("The link ends at once")
	p.picture("remove")
	p.click("Remove it")
	p.state("nobody is linked", func(s app.State) bool { return len(s.Devices) == 0 })
	p.picture("removed")
}

// shares walks through the sheet that shares a directory with Bob by mail, and
// the one that sets up the mailbox. It returns the six words, as they are seen.
func (p *person) shares(server *mailtest.Server, dir string) string {
	p.t.Helper()
	p.click("Share a folder")
	p.sees("Share it with")
	p.types(dir)
	p.tabs("name or e-mail address")
	p.types(bob)
	p.sees("5 files")
	if strings.Contains(p.look().String(), "your name") {
		p.tabs("your name")
		p.types("Ada Lovelace")
	}
	p.picture("share")
	p.press("Return")
	p.sees("This is the mail")
	p.picture("preview")
	p.press("Return") // no mailbox yet: it is asked for now
	p.setsUpMailbox(server)
	p.sees("Now tell")
	p.picture("words")
	return p.words()
}

func (p *person) setsUpMailbox(server *mailtest.Server) {
	p.t.Helper()
	ca := filepath.Join(p.dir, "ca.pem")
	if err := os.WriteFile(ca, server.CA(), 0o600); err != nil {
		p.t.Fatal(err)
	}
	account := server.Account(ada)
	p.sees("Of your mail only")
	p.types(ada)
	p.press("Return")
	p.sees("Server to receive") // no provider has this domain: the servers are typed
	for _, f := range []struct{ hint, text string }{
		{"password", string(account.Password)},
		{"imap.example.org:993", account.IMAP.String()},
		{"smtp.example.org:465", account.SMTP.String()},
		{"file, for a server", ca},
	} {
		p.tabs(f.hint)
		p.types(f.text)
	}
	p.picture("mailbox")
	p.press("Return")
	p.sees("It works")
	p.picture("mailbox-works")
	p.press("Return")
}

// words are the six words in the window.
func (p *person) words() string {
	p.t.Helper()
	found := regexp.MustCompile(`([a-z-]+) [1-6] `).FindAllStringSubmatch(p.look().String(), -1)
	var words []string
	for _, f := range found {
		words = append(words, f[1])
	}
	if len(words) != 6 {
		p.t.Fatalf("%s sees the words %q, want six; the window shows: %s", p.name, words, p.look())
	}
	return strings.Join(words, " ")
}

// accepts types the words and says yes to the folder.
func (p *person) accepts(words string) {
	p.t.Helper()
	p.sees("The six words will prove")
	p.picture("six-words")
	p.types(words)
	p.click("Accept")
	p.sees("shares a folder with you")
	p.sees("free on this disk")
	p.picture("offer")
	p.click("Accept and start")
}
