//go:build desktop

package desktop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sethvargo/go-diceware/diceware"

	"foldpost/app"
	"foldpost/mail/mailtest"
	"foldpost/p2p"
)

// TestErrors provokes what goes wrong for people before real windows and looks
// at what they are told: in each look, and larger.
func TestErrors(t *testing.T) {
	for _, look := range []struct{ theme, scale, screen string }{
		{"light", "1", "1280x900x24"},
		{"dark", "1.5", "1900x1250x24"},
	} {
		for _, e := range []struct {
			name    string
			provoke func(*testing.T, *session)
		}{
			{"no way through", noWay},
			{"mailbox", wrongMailbox},
			{"words", wrongWords},
			{"link used twice", usedLink},
			{"many deletions", manyDeletions},
			{"no room", noRoom},
		} {
			t.Run(e.name+" "+look.theme, func(t *testing.T) {
				e.provoke(t, newSession(t, look.screen, "FYNE_THEME="+look.theme, "FYNE_SCALE="+look.scale))
			})
		}
	}
}

// called is a person's program with names of its own, which tells nothing
// outside of its window: that would stand before it.
func (s *session) called(name, device string, args ...string) *person {
	s.t.Helper()
	p := s.sitDown(strings.ToLower(name), args...)
	for _, c := range [][2]string{{"name", device}, {"person", name}, {app.SettingNotify, "off"}} {
		if err := p.service().SetConfig(s.t.Context(), c[0], c[1]); err != nil {
			s.t.Fatal(err)
		}
	}
	p.program.stop()
	p.begin(args...)
	p.sees("Settings")
	return p
}

// offers links the two and offers the other one a directory.
func (p *person) offers(other *person, dir string) app.Offer {
	p.t.Helper()
	shared, err := p.service().Share(p.t.Context(), app.ShareRequest{Dir: dir, People: []string{bob}, ByHand: true})
	if err != nil {
		p.t.Fatal(err)
	}
	p.state("the folder is counted", func(s app.State) bool { return s.Folders[0].State == app.FolderIdle })
	letter := shared.Invitations[0]
	if _, err := other.service().Accept(p.t.Context(), app.AcceptRequest{Input: letter.Text, Words: letter.Words}); err != nil {
		p.t.Fatal(err)
	}
	return other.state("the folder is offered", func(s app.State) bool { return len(s.Offers) == 1 && s.Offers[0].Files > 0 }).Offers[0]
}

// shareAll is offers, with the other's yes.
func (p *person) shareAll(other *person, dir, there string) {
	p.t.Helper()
	o := p.offers(other, dir)
	if err := other.service().Join(p.t.Context(), o.ID, there); err != nil {
		p.t.Fatal(err)
	}
	p.state("both have everything", func(s app.State) bool {
		return len(s.Folders[0].Members) == 1 && s.Folders[0].Members[0].HasAll
	})
}

func files(t *testing.T, dir string, n, size int) {
	t.Helper()
	for i := range n {
		file := filepath.Join(dir, fmt.Sprintf("photo %03d.jpg", i))
		put(t, file, bytes.Repeat([]byte(file), size)[:size]) // unlike every other
	}
}

// loses waits until a text is not in the window any more.
func (p *person) loses(what string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%s does not see %q any more", p.name, what), func() bool {
		v := p.look().String()
		return v != "" && !strings.Contains(v, what)
	})
}

// goesHome shows the home screen.
func (p *person) goesHome() {
	p.t.Helper()
	p.press("ctrl+1")
	p.sees("Folders")
}

// noWay: a computer that is off, and one to which no way was ever found.
func noWay(t *testing.T, s *session) {
	dir, there := filepath.Join(s.dir, "Photos 2026"), filepath.Join(s.dir, "bob-files")
	files(t, dir, 5, 1000)
	a, b := s.called("Ada", "Ada's laptop"), s.called("Bob", "Bob's PC")
	a.shareAll(b, dir, there)
	a.goesHome()
	a.sees("Up to date")

	stopped := func(signal syscall.Signal) {
		if err := syscall.Kill(b.program.cmd.Process.Pid, signal); err != nil {
			t.Fatal(err)
		}
	}
	stopped(syscall.SIGSTOP)
	t.Cleanup(func() { syscall.Kill(b.program.cmd.Process.Pid, syscall.SIGCONT) })
	put(t, filepath.Join(dir, "new.jpg"), []byte("new"))
	a.state("Bob is gone", func(s app.State) bool { return !s.Devices[0].Connected })
	a.sees("Bob's PC gets the rest when it is on (last seen")
	a.front()
	a.picture("off")
	stopped(syscall.SIGCONT)
	a.sees("Up to date")

	a.program.stop()
	b.program.stop()
	neverMet(t, a)
	a.begin()
	a.sees("are linked, but your computers cannot reach each other yet.")
	a.sees("Nothing is lost: the files start as soon as both are in one network")
	a.front()
	a.picture("no-way")
	a.click("What can I do?")
	a.sees("Is the other computer on")
	a.picture("what-to-do")
	a.click("Close")
	b.begin()
	a.loses("cannot reach each other")
	a.sees("Up to date")
	a.picture("way-back")
}

// neverMet makes the person's program, which does not run, believe that it was
// linked without any connection, ten minutes ago: as letters alone would do.
func neverMet(t *testing.T, p *person) {
	t.Helper()
	file := filepath.Join(p.home, "state.json")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var state map[string]any
	if err := json.Unmarshal(b, &state); err != nil {
		t.Fatal(err)
	}
	peer := state["peers"].([]any)[0].(map[string]any)
	delete(peer, "last_seen")
	peer["created"] = time.Now().Add(-10 * time.Minute)
	if b, err = json.Marshal(state); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// wrongMailbox: a password that is not the app password, and a provider that
// lets no program in.
func wrongMailbox(t *testing.T, s *session) {
	const gmail = "ada@gmail.com"
	server := mailServer(t, gmail)
	ca := filepath.Join(s.dir, "ca.pem")
	if err := os.WriteFile(ca, server.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(s.dir, "Photos 2026")
	files(t, dir, 5, 1000)
	a := s.called("Ada", "Ada's laptop")
	a.click("Share a folder")
	a.sees("Share it with")
	a.types(dir)
	a.tabs("name or e-mail address")
	a.types(bob)
	a.sees("5 files")
	a.press("Return")
	a.sees("This is the mail")
	a.press("Return")
	a.sees("Of your mail only")
	a.types(gmail)
	a.press("Return")
	a.sees("Gmail wants an app password, not your usual one. Two-step sign-in must be on.")
	a.sees("Make one at Gmail")
	a.picture("app-password")
	account := server.Account(gmail)
	a.types("my usual password")
	a.click("Details")
	for _, f := range []struct{ hint, text string }{
		{"imap.gmail.com:993", account.IMAP.String()},
		{"smtp.gmail.com:465", account.SMTP.String()},
		{"file, for a server", ca},
	} {
		a.tabs(f.hint)
		a.press("ctrl+a")
		a.types(f.text)
	}
	a.press("Return")
	a.sees("did not accept this password")
	v := a.look()
	if !strings.Contains(v.String(), "wants an app password, not your usual one") {
		t.Errorf("after a wrong password Ada sees no word of the app password, but: %s", v)
	}
	a.picture("wrong-password")

	a.click("Back")
	a.sees("Of your mail only")
	a.tabs(gmail)
	a.press("ctrl+a")
	a.types("ada@outlook.com")
	a.press("Return")
	v = a.sees("Outlook.com lets no program in with a password. You need none: send the invitation with your own mail program.")
	if _, ok := v.find("password"); ok {
		t.Errorf("Ada is asked for a password that Outlook.com does not take: %s", v)
	}
	a.picture("outlook")
	a.click("Send it myself")
	a.sees("Send the invitation yourself")
	a.picture("by-hand")
}

func mailServer(t *testing.T, addresses ...string) *mailtest.Server {
	t.Helper()
	server := mailtest.New(addresses...)
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { server.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	return server
}

// wrongWords: six that open nothing, and then six of which one was misheard.
func wrongWords(t *testing.T, s *session) {
	dir := filepath.Join(s.dir, "Photos 2026")
	files(t, dir, 5, 1000)
	a := s.called("Ada", "Ada's laptop")
	shared, err := a.service().Share(t.Context(), app.ShareRequest{Dir: dir, People: []string{bob}, ByHand: true})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.dir, "Invitation from Ada.foldpost")
	put(t, file, shared.Invitations[0].File)
	right := shared.Invitations[0].Words

	b := s.sitDown("bob", "--", file)
	b.sees("The six words will prove")
	var wrong string
	for _, n := range []int{66666, 11111, 55555, 22222, 44444, 33333} {
		wrong += diceware.WordListEffLarge().WordAt(n) + " "
	}
	b.types(wrong)
	b.click("Accept")
	v := b.sees("These words do not open this invitation. Compare them")
	b.sees("you can try as often as you like")
	for _, w := range strings.Fields(wrong) {
		if !strings.Contains(v.String(), w) {
			t.Errorf("after wrong words the field of %q is not as it was: %s", w, v)
		}
	}
	b.picture("wrong-words")

	heard, was, fits := mishear(t, right)
	b.tabs(strings.Fields(wrong)[0])
	b.press("ctrl+a")
	for i, w := range strings.Fields(heard) {
		if i > 0 {
			b.tabs(strings.Fields(wrong)[i])
			b.press("ctrl+a")
		}
		b.types(w)
	}
	b.picture("misheard")
	b.click("Accept")
	repair := fmt.Sprintf("Heard “%s”, but “%s” fits.", was, fits)
	b.sees(repair)
	if v := b.sees("shares a folder with you"); !strings.Contains(v.String(), repair) {
		t.Errorf("with the offer Bob does not see %q any more, but: %s", repair, v)
	}
	b.picture("repaired")
}

// mishear replaces one of six words by one of the list that is like it.
func mishear(t *testing.T, right string) (heard, was, fits string) {
	t.Helper()
	words := strings.Fields(right)
	list := diceware.WordListEffLarge()
	want, err := p2p.ParseWords(right)
	if err != nil {
		t.Fatal(err)
	}
	for i, word := range words {
		for roll := range 7776 {
			n, place := 0, 1
			for r, d := roll, 0; d < 5; d++ {
				n, r, place = n+(r%6+1)*place, r/6, place*10
			}
			other := list.WordAt(n)
			if other[0] != word[0] || len(other) != len(word) || other == word || strings.Contains(other, "-") {
				continue
			}
			typed := slices.Clone(words)
			typed[i] = other
			w, err := p2p.ParseWords(strings.Join(typed, " "))
			if err != nil {
				continue
			}
			if _, ok := p2p.Repair(w, func(w p2p.Words) bool { return w.Reveal() == want.Reveal() }); ok {
				return strings.Join(typed, " "), other, word
			}
		}
	}
	t.Skipf("no word of the list is like one of %q", right)
	return "", "", ""
}

// usedLink: a link that another device has used.
func usedLink(t *testing.T, s *session) {
	a := s.called("Ada", "Ada's laptop")
	inv, err := a.service().Invite(t.Context(), app.InviteRequest{})
	if err != nil {
		t.Fatal(err)
	}
	b := s.called("Bob", "Bob's PC")
	if _, err := b.service().Accept(t.Context(), app.AcceptRequest{Input: inv.Link}); err != nil {
		t.Fatal(err)
	}
	a.goesHome()
	a.sees("A device that calls itself “Bob's PC” used your invite link. Let it in?")
	a.front()
	a.picture("let-in")
	a.click("Let it in")
	a.state("Bob is linked", func(s app.State) bool { return len(s.Devices) == 1 && s.Devices[0].Connected })

	c := s.called("Carol", "Carol's PC")
	if err := c.again("--", inv.Link); err != nil {
		t.Fatal(err)
	}
	c.sees("A link is as safe as the way it came to you.")
	c.click("Accept")
	c.sees("This invitation has been used by another device.")
	c.sees("ask the person to remove that device and to invite you again.")
	c.picture("used")
}

// manyDeletions: brought back, and then deleted for everyone.
func manyDeletions(t *testing.T, s *session) {
	dir, there := filepath.Join(s.dir, "Photos 2026"), filepath.Join(s.dir, "bob-files")
	files(t, filepath.Join(dir, "Harz"), 61, 1000)
	files(t, dir, 139, 1000)
	a, b := s.called("Ada", "Ada's laptop"), s.called("Bob", "Bob's PC")
	a.shareAll(b, dir, there)
	a.goesHome()
	lose := func() {
		t.Helper()
		if err := os.Rename(filepath.Join(dir, "Harz"), filepath.Join(s.dir, fmt.Sprint("elsewhere", s.shot))); err != nil { // all at once
			t.Fatal(err)
		}
		if err := a.service().Rescan(t.Context(), a.service().State().Folders[0].ID); err != nil {
			t.Fatal(err)
		}
		a.sees("61 of 200 files in Photos 2026 were deleted on this computer. Nobody else was told yet.")
		a.sees("The other devices keep what they lose for 30 days, to be restored there.")
		a.front()
	}
	lose()
	if n := count(t, there); n != 200 {
		t.Errorf("before Ada's answer Bob has %d files, want 200", n)
	}
	a.picture("deletions")
	a.click("Bring them back")
	s.until("Ada's files are back", func() bool { return count(t, dir) == 200 })
	a.loses("were deleted")
	if n := count(t, there); n != 200 {
		t.Errorf("after they were brought back Bob has %d files, want 200", n)
	}
	a.picture("brought-back")

	lose()
	a.click("Delete them for everyone")
	a.sees("The other devices of this folder are told.")
	a.picture("sure")
	if n := count(t, there); n != 200 {
		t.Errorf("before Ada's second yes Bob has %d files, want 200", n)
	}
	a.click("Delete them for everyone")
	b.goesHome()
	b.sees("61 of 200 files in Photos 2026 were deleted on another device. Nothing was changed on this computer yet.")
	if n := count(t, there); n != 200 {
		t.Errorf("before Bob's yes Bob has %d files, want 200", n)
	}
	b.picture("deletions-there")
	b.click("Do it here too")
	b.sees("It is done on this computer as well.")
	b.picture("sure-there")
	b.click("Do it here too")
	s.until("they are gone on both", func() bool { return count(t, dir) == 139 && count(t, there) == 139 })
	a.loses("were deleted")
	f := b.service().State().Folders[0].ID
	if kept, err := b.service().Trash(t.Context(), f); err != nil || len(kept) != 61 {
		t.Errorf("Bob can restore %d files (%v), want 61", len(kept), err)
	}
	if err := b.service().Restore(t.Context(), app.RestoreRequest{Folder: f, Path: "Harz/photo 007.jpg"}, nil); err != nil {
		t.Error(err)
	}
	s.until("one is back on both", func() bool { return count(t, dir) == 140 && count(t, there) == 140 })
	a.picture("deleted")
}

// count is how many files of a person's are in a directory.
func count(t *testing.T, dir string) int {
	t.Helper()
	n := 0
	for _, pattern := range []string{"*.jpg", "Harz/*.jpg"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		n += len(found)
	}
	return n
}

// noRoom: a folder that is larger than the disk, and a disk that becomes full.
func noRoom(t *testing.T, s *session) {
	small, large := s.mount("small", "3m"), s.mount("large", "140m")
	dir := filepath.Join(s.dir, "Photos 2026")
	files(t, dir, 8, 1<<20)
	own := filepath.Join(small, "mine.txt")
	put(t, own, []byte("mine"))
	a, b := s.called("Ada", "Ada's laptop"), s.called("Bob", "Bob's PC")
	a.offers(b, dir)
	b.goesHome()
	b.click("Keep it here …")
	b.sees("free on this disk")
	b.tabs("~/Foldpost/Photos 2026")
	b.press("ctrl+a")
	b.types(filepath.Join(small, "Photos 2026"))
	b.click("Look there")
	b.sees("Photos 2026 needs 8.4 MB; this disk has ")
	b.sees("Nothing was overwritten or removed.")
	b.picture("too-large")
	if content, err := os.ReadFile(own); err != nil || string(content) != "mine" {
		t.Errorf("what was on the disk is %q (%v) now", content, err)
	}
	b.click("Choose another disk")
	b.picture("choose")
	b.press("Escape")

	b.tabs(filepath.Join(small, "Photos 2026"))
	b.press("ctrl+a")
	there := filepath.Join(large, "Photos 2026")
	b.types(there)
	b.click("Look there")
	b.click("Accept and start")
	s.until("the files are here", func() bool { return count(t, there) == 8 })
	b.click("Done")

	put(t, filepath.Join(dir, "panorama.jpg"), bytes.Repeat([]byte("Harz "), 15<<20)) // more than may be used
	b.goesHome()
	b.sees("Photos 2026 needs 79 MB more, and its disk is full.")
	b.sees("What fits is being fetched; nothing was overwritten or removed.")
	b.front()
	b.sees("waiting for room on the disk")
	b.picture("full")
	if n := count(t, there); n != 8 {
		t.Errorf("on the full disk are %d files, want the 8 that were there", n)
	}
	b.click("Choose another disk …")
	b.sees("Free some room on its disk, and it goes on by itself.")
	b.picture("other-disk")
	b.click("Close")
	if err := syscall.Mount("tmpfs", large, "tmpfs", syscall.MS_REMOUNT, "size=300m"); err != nil {
		t.Fatal(err)
	}
	s.until("it goes on by itself", func() bool { return count(t, there) == 9 })
	b.loses("its disk is full")
	b.picture("room-again")
}

// mount is a disk of its own, which needs root.
func (s *session) mount(name, size string) string {
	s.t.Helper()
	dir := filepath.Join(s.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		s.t.Skipf("mount a small disk: %v", err)
	}
	s.t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			s.t.Error(err)
		}
	})
	return dir
}
