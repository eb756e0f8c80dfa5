package ui

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"foldpost/app"
	"foldpost/app/node"
	"foldpost/mail"
	"foldpost/mail/mailtest"
)

const (
	adaAddress = "ada@a.example"
	bobAddress = "bob@b.example"
)

// A person sits before a window of a real program.
type person struct {
	*Window
	t    *testing.T
	node *node.Node
	home string // of the user
}

// people run two programs and their mail provider on this machine. No name of
// the internet is looked up.
func people(t *testing.T) (ada, bob *person, provider *mailtest.Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() { cancel(); wg.Wait() })
	provider = mailtest.New(adaAddress, bobAddress)
	if err := provider.Listen(); err != nil {
		t.Fatal(err)
	}
	wg.Go(func() { provider.Run(ctx) })
	a := test.NewTempApp(t)
	a.Settings().SetTheme(Theme{Variant: "light"})
	begin := func(name string) *person {
		home := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(home, 0o755); err != nil {
			t.Fatal(err)
		}
		n, err := node.New(node.Config{
			Home: filepath.Join(home, ".foldpost-home"), Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Version: "test", MailFinder: offline(),
		})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { n.Run(ctx) })
		for key, value := range map[string]string{"name": name + "'s laptop", "person": name} {
			if err := n.SetConfig(ctx, key, value); err != nil {
				t.Fatal(err)
			}
		}
		w := New(a, n, Options{Home: home})
		w.inline = true
		w.win.Resize(fyne.NewSize(980, 680))
		w.Show()
		w.draw(n.State())
		return &person{Window: w, t: t, node: n, home: home}
	}
	return begin("Ada"), begin("Bob"), provider
}

// offline finds mail servers in a network where nobody answers.
func offline() mail.Finder {
	refuse := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no network") }
	return mail.Finder{Resolver: &net.Resolver{PreferGo: true, Dial: refuse}, Transport: &http.Transport{DialContext: refuse}, Dial: refuse}
}

// until waits for the program to be so far, and looks at the window then.
func (p *person) until(what string, ok func(app.State) bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	for s := range p.node.Watch(ctx) {
		if ok(s) {
			p.sync()
			return
		}
	}
	p.sync()
	p.t.Fatalf("waited in vain until %s; the state is %+v; the window shows:\n%s", what, p.node.State(), texts(p.Window))
}

func (p *person) tap(text string)            { p.t.Helper(); tap(p.t, p.Window, text) }
func (p *person) reads(want ...string)       { p.t.Helper(); reads(p.t, p.Window, want...) }
func (p *person) typeInto(hint, text string) { p.t.Helper(); typeInto(p.t, p.Window, hint, text) }
func (p *person) replace(hint, text string) {
	p.t.Helper()
	p.entry(hint).SetText("")
	p.typeInto(hint, text)
}

func (p *person) entry(hint string) (e *entry) {
	p.t.Helper()
	o := find(p.Window, func(o fyne.CanvasObject) bool { e, ok := o.(*entry); return ok && e.PlaceHolder == hint })
	if o == nil {
		p.t.Fatalf("there is no entry %q; the window shows:\n%s", hint, texts(p.Window))
	}
	return o.(*entry)
}

func (p *person) write(path, content string) {
	p.t.Helper()
	path = filepath.Join(p.home, path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
		p.t.Fatal(err)
	}
}

// TestWholeWay: two people, each before a window of a real program, share a
// folder: by a mail account that is set up on the way, six words, and one yes.
func TestWholeWay(t *testing.T) {
	ada, bob, provider := people(t)
	ada.write("Photos/brocken.txt", "a mountain")
	ada.write("Photos/more/ilse.txt", "a brook")

	ada.askShare(filepath.Join(ada.home, "Photos"))
	ada.typeInto("name or e-mail address", bobAddress)
	ada.tap("Next")
	ada.tap("Next") // no mailbox yet: it is asked for now
	ada.setUpMailbox(adaAddress, provider)
	ada.tap("Go on")
	words := ada.wordsShown()
	ada.until("the mail has left", func(s app.State) bool { return len(s.Invitations) == 1 && s.Invitations[0].Step == app.StepWaiting })

	account := provider.Account(bobAddress)
	if err := bob.node.SetMailbox(t.Context(), app.MailboxSettings{
		Address: bobAddress, IMAP: account.IMAP.String(), SMTP: account.SMTP.String(), Password: string(account.Password), CA: provider.CA(),
	}); err != nil {
		t.Fatal(err)
	}
	bob.until("the invitation is there", func(s app.State) bool { return len(s.Questions) == 1 })
	bob.goTo(place{kind: atHome})
	bob.tap("Type the six words …")
	bob.typeWords(words)
	bob.until("the folder is offered", func(s app.State) bool { return len(s.Offers) == 1 && s.Offers[0].Files == 2 })
	bob.reads("Ada", "Photos", "2 files")
	bob.tap("Accept and start")
	bob.until("all is here", func(s app.State) bool {
		return len(s.Folders) == 1 && s.Folders[0].State == app.FolderIdle && s.Folders[0].Files == 2
	})
	bob.reads("All is here: 2 files.")
	bob.tap("Done")
	if b, err := os.ReadFile(filepath.Join(bob.home, "Foldpost", "Photos", "more", "ilse.txt")); string(b) != "a brook" {
		t.Errorf("what arrived at Bob is %q, %v", b, err)
	}
	ada.until("Ada is linked", func(s app.State) bool { return len(s.Devices) == 1 && s.Devices[0].Connected })
}

// setUpMailbox goes through the sheet, with a wrong password at first.
func (p *person) setUpMailbox(address string, provider *mailtest.Server) {
	p.t.Helper()
	p.typeInto("name@example.org", address)
	p.tap("Next")
	p.reads("No mail server to receive with was found for a.example.", "Server to receive (IMAP)")
	a := provider.Account(address)
	ca := filepath.Join(p.home, "ca.pem")
	if err := os.WriteFile(ca, provider.CA(), 0o644); err != nil {
		p.t.Fatal(err)
	}
	p.typeInto("imap.example.org:993", a.IMAP.String())
	p.typeInto("smtp.example.org:465", a.SMTP.String())
	p.typeInto("file, for a server of your own", "~/ca.pem")
	p.typeInto("password", "usual")
	p.tap("Test and save")
	p.reads("127.0.0.1 did not accept this password for " + address)
	p.replace("password", string(a.Password))
	p.tap("Test and save")
	p.reads("It works", "~/.foldpost-home/state.json")
}

// wordsShown are the six words in the window.
func (p *person) wordsShown() string {
	p.t.Helper()
	var words []string
	for line := range strings.Lines(texts(p.Window)) {
		if line = strings.TrimSpace(line); allWords().has(line) {
			words = append(words, line)
		}
	}
	if len(words) != wordCount {
		p.t.Fatalf("%d words are shown, want %d; the window shows:\n%s", len(words), wordCount, texts(p.Window))
	}
	return strings.Join(words, " ")
}

// typeWords types the first six words and accepts.
func (p *person) typeWords(words string) {
	p.t.Helper()
	for i, word := range strings.Fields(words)[:wordCount] {
		n := 0
		o := find(p.Window, func(o fyne.CanvasObject) bool {
			e, ok := o.(*entry)
			if ok && e.PlaceHolder == "" {
				n++
			}
			return ok && e.PlaceHolder == "" && n == i+1
		})
		if o == nil {
			p.t.Fatalf("there is no field %d for words; the window shows:\n%s", i+1, texts(p.Window))
		}
		e := o.(*entry)
		e.SetText("")
		p.win.Canvas().Focus(e)
		test.Type(e, word)
	}
	p.tap("Accept")
}
