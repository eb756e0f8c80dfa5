// Package demo shows the main job on one machine: two devices and a mail
// server in this process, a pairing by e-mail, a folder in sync. It uses the
// program as its users do, through [app.Service], and knows nothing else of
// it.
package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"foldpost/app"
	"foldpost/app/node"
	"foldpost/mail/mailtest"
)

// Options are those of `foldpost demo`.
type Options struct {
	Exit     bool // end when both folders are equal
	Out      io.Writer
	Terminal bool // Out shows a progress bar well
	Verbose  bool
	Version  string

	// Show opens a window on one of the devices, and returns what puts a line
	// on top of it; nil: there are no windows.
	Show func(ctx context.Context, user string, s app.Service) (hint func(text string))

	parent   string                 // for tests: of the directories
	invited  func(*mailtest.Server) // for tests: the mail is about to be sent
	patience time.Duration          // for tests: instead of the usual
}

const (
	ada = "ada@a.example"
	bob = "bob@b.example"

	patience = 45 * time.Second // with a step that takes a second or two

	// pace is time to look at the windows before each step.
	pace = 4 * time.Second
)

// A demo is one run.
type demo struct {
	Options
	dir    string
	server *mailtest.Server
	ada    *device
	bob    *device
}

// A device is a whole program with its home and folder.
type device struct {
	name   string // its user's
	node   *node.Node
	folder string // on disk
	id     app.FolderID
	words  string // told to him by phone
	hint   func(text string)
}

// Run shows the demo. Without Exit it keeps both devices in sync until ctx is
// done, which is no error.
func Run(ctx context.Context, o Options) (err error) {
	dir, err := os.MkdirTemp(o.parent, "foldpost-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	d := &demo{Options: o, dir: dir, server: mailtest.New(ada, bob)}
	if d.patience == 0 {
		d.patience = patience
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	if err := d.start(ctx, &wg); err != nil {
		return err
	}
	if err := d.show(ctx); err != nil {
		d.say("\nThe demo did not come to its end: %v", err)
		d.say("What is there so far is in %s.", dir)
		return err
	}
	d.say("\nLook yourself:\n  Ada's folder  %s\n  Bob's folder  %s", d.ada.folder, d.bob.folder)
	if o.Exit {
		return nil
	}
	d.invite()
	d.say("\nBoth devices go on syncing: change something in one folder and look into the other. Ctrl-C ends the demo.")
	<-ctx.Done()
	return nil
}

// start begins mail server and devices.
func (d *demo) start(ctx context.Context, wg *sync.WaitGroup) error {
	if err := d.server.Listen(); err != nil {
		return fmt.Errorf("demo: mail server: %w", err)
	}
	wg.Go(func() { d.server.Run(ctx) })
	var err error
	if d.ada, err = d.device(ctx, wg, "Ada"); err != nil {
		return err
	}
	d.bob, err = d.device(ctx, wg, "Bob")
	return err
}

func (d *demo) device(ctx context.Context, wg *sync.WaitGroup, name string) (*device, error) {
	log := slog.New(slog.DiscardHandler)
	if d.Verbose {
		log = slog.New(slog.NewTextHandler(d.Out, &slog.HandlerOptions{Level: slog.LevelDebug})).With("device", name)
	}
	n, err := node.New(node.Config{
		Home: filepath.Join(d.dir, strings.ToLower(name)+"-home"), Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Version: d.Version, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("demo: %s's device: %w", name, err)
	}
	wg.Go(func() { n.Run(ctx) })
	for key, value := range map[string]string{"name": name + "'s laptop", "person": name} {
		if err := n.SetConfig(ctx, key, value); err != nil {
			return nil, fmt.Errorf("demo: %s's device: %w", name, err)
		}
	}
	x := &device{name: name, node: n, folder: filepath.Join(d.dir, name, "Harz 2026"), hint: func(string) {}}
	if d.Show != nil {
		x.hint = d.Show(ctx, name, n)
	}
	return x, nil
}

// show runs through the steps.
func (d *demo) show(ctx context.Context) error {
	steps := []struct {
		title string
		run   func(context.Context) error
	}{
		{"Two devices with nothing in common but e-mail", d.mailboxes},
		{"Ada shares a folder with " + bob, d.share},
		{"Bob takes the invitation", d.accept},
		{"The two devices find each other", d.linked},
		{"Bob keeps the folder", d.join},
		{"Changes go both ways", d.changes},
		{"Both change the same file while they are apart", d.conflict},
		{"Both folders are equal", d.equal},
	}
	for i, s := range steps {
		d.say("\n%d. %s", i+1, s.title)
		if err := d.announce(ctx, s.title); err != nil {
			return err
		}
		stepCtx, cancel := context.WithTimeout(ctx, d.patience)
		err := s.run(stepCtx)
		cancel()
		if err != nil {
			return fmt.Errorf("step %d, %s: %w", i+1, strings.ToLower(s.title[:1])+s.title[1:], err)
		}
	}
	return nil
}

// announce tells in both windows what comes next, and leaves time to look.
func (d *demo) announce(ctx context.Context, title string) error {
	if d.Show == nil {
		return nil
	}
	for _, x := range []*device{d.ada, d.bob} {
		x.hint(fmt.Sprintf("This is %s's computer. %s.", x.name, title))
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pace):
		return nil
	}
}

// invite tells in both windows what to try next.
func (d *demo) invite() {
	d.ada.hint(fmt.Sprintf("This is Ada's computer. Try it: put a file into %s and watch Bob's window.", d.ada.folder))
	d.bob.hint("This is Bob's computer. Try it: choose the version of notes.txt that shall stay, or bring back the film that Bob deleted. Closing a window ends the demo.")
}

func (d *demo) mailboxes(ctx context.Context) error {
	for _, x := range []struct {
		device  *device
		address string
	}{{d.ada, ada}, {d.bob, bob}} {
		a := d.server.Account(x.address)
		err := x.device.node.SetMailbox(ctx, app.MailboxSettings{
			Address: x.address, IMAP: a.IMAP.String(), SMTP: a.SMTP.String(), Password: string(a.Password), CA: d.server.CA(),
		})
		if err != nil {
			return fmt.Errorf("%s's e-mail account: %w", x.device.name, err)
		}
		st := x.device.node.State()
		d.say("   %s's laptop   device %s…, UDP port %d, e-mail %s", x.device.name, st.Device.ID[:8], st.Device.Port, x.address)
	}
	return nil
}

func (d *demo) share(ctx context.Context) error {
	files, size, err := fillFolder(d.ada.folder)
	if err != nil {
		return err
	}
	d.say("   %s: %d files, %s", d.ada.folder, files, megabytes(size))
	if d.invited != nil {
		d.invited(d.server)
	}
	shared, err := d.ada.node.Share(ctx, app.ShareRequest{Dir: d.ada.folder, People: []string{bob}, Note: "Hi Bob, here are the photos from the Harz. I'll ring you with the six words! – Ada"})
	if err != nil {
		return err
	}
	d.ada.id = shared.Folder
	inv := shared.Invitations[0]
	if err := d.wait(ctx, d.ada, "the invitation to be mailed", func(s app.State) bool {
		return len(s.Invitations) == 1 && s.Invitations[0].Step != app.StepSending
	}); err != nil {
		return err
	}
	d.say("   A mail is on its way: %q", inv.Subject)
	d.say("   Its letter is sealed. Ada tells Bob six words by phone:  %s", inv.Words)
	d.bob.words = inv.Words
	return nil
}

func (d *demo) accept(ctx context.Context) error {
	if err := d.wait(ctx, d.bob, "the invitation to arrive", func(s app.State) bool { return len(s.Questions) > 0 }); err != nil {
		return err
	}
	d.say("   Bob's device found it in his mailbox: %s", d.bob.node.State().Questions[0].Text)
	_, err := d.bob.node.Accept(ctx, app.AcceptRequest{Words: "q" + d.bob.words})
	if app.CodeOf(err) != app.CodeWords {
		return fmt.Errorf("a mistyped word was not refused: %v", err)
	}
	d.say("   He mistypes one, which costs nothing: %v", err)
	if _, err := d.bob.node.Accept(ctx, app.AcceptRequest{Words: d.bob.words}); err != nil {
		return err
	}
	d.say("   The right ones open it.")
	return nil
}

func (d *demo) linked(ctx context.Context) error {
	connected := func(s app.State) bool { return len(s.Devices) == 1 && s.Devices[0].Connected }
	for _, x := range []*device{d.ada, d.bob} {
		if err := d.wait(ctx, x, "the link", connected); err != nil {
			return err
		}
		peer := x.node.State().Devices[0]
		d.say("   %s is linked with %q by %s at %s, round trip %.1f ms, verified by %s", x.name, peer.Name, strings.ToUpper(peer.Link), peer.Address, peer.RTTms, peer.Verified)
	}
	return nil
}

func (d *demo) join(ctx context.Context) error {
	if err := d.wait(ctx, d.bob, "the folder to be offered", func(s app.State) bool { return len(s.Offers) == 1 && s.Offers[0].Files > 0 }); err != nil {
		return err
	}
	o := d.bob.node.State().Offers[0]
	d.bob.id = o.ID
	d.say("   Offered: %s, %d files, %s", o.Name, o.Files, megabytes(o.Bytes))
	began := time.Now()
	if err := d.bob.node.Join(ctx, o.ID, d.bob.folder); err != nil {
		return err
	}
	if err := d.progress(ctx, o); err != nil {
		return err
	}
	d.say("   %d files and %s arrived in %.1f s", o.Files, megabytes(o.Bytes), time.Since(began).Seconds())
	return nil
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.Out, format+"\n", args...) }

// wait returns once a device's state is as wanted.
func (d *demo) wait(ctx context.Context, x *device, what string, ok func(app.State) bool) error {
	for s := range x.node.Watch(ctx) {
		if ok(s) {
			return nil
		}
		for _, inv := range s.Invitations {
			if inv.Step == app.StepFailed {
				return errors.New(inv.Problem)
			}
		}
	}
	if s := x.node.State(); s.Mailbox != nil && s.Mailbox.Problem != "" {
		return fmt.Errorf("waited for %s: %s", what, s.Mailbox.Problem)
	}
	return fmt.Errorf("waited for %s in vain", what)
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// randomBytes are content that no compression makes smaller.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}
