package e2e

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/app/folder/foldertest"
)

// secrets are what must show nowhere, by what they are.
type secrets map[string][]byte

// add keeps the forms in which bytes could show.
func (s secrets) add(what string, b []byte) {
	if len(b) == 0 || len(bytes.Trim(b, "\x00")) == 0 {
		return
	}
	b32 := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
	for form, text := range map[string]string{
		"raw": string(b), "hex": hex.EncodeToString(b), "HEX": strings.ToUpper(hex.EncodeToString(b)),
		"base64": base64.RawStdEncoding.EncodeToString(b), "base64url": base64.RawURLEncoding.EncodeToString(b),
		"BASE32": b32, "base32": strings.ToLower(b32), "list": strings.Trim(fmt.Sprint(b), "[]"),
	} {
		s[what+", "+form] = []byte(text)
	}
}

func (s secrets) addText(what, text string) {
	if text != "" {
		s[what] = []byte(text)
	}
}

// addHome adds what a home holds now.
func (s secrets) addHome(d *device) {
	home := d.steal()
	unhex := func(what, text string) {
		b, err := hex.DecodeString(text)
		d.w.must(err)
		s.add(d.name+"'s "+what, b)
	}
	s.addText(d.name+"'s password", home.Mailbox.Password)
	for _, inv := range home.Invitations {
		unhex("token", inv.Token)
		unhex("psk", inv.PSK)
		unhex("link secret", inv.Secret)
		s.addWords(inv.Words)
	}
	for _, p := range home.Peers {
		unhex("pairwise secret", p.Pairwise)
	}
	b, err := os.ReadFile(filepath.Join(d.home, "identity"))
	d.w.must(err)
	s.add(d.name+"'s signing key", b[1:33])
	s.add(d.name+"'s static key", b[33:65])
}

func (s secrets) addWords(words string) {
	for _, sep := range []string{" ", "-", "", "+", "%20", "_"} {
		s.addText("words joined by "+sep, strings.ReplaceAll(words, " ", sep))
	}
}

// in reports which of the secrets are in some bytes.
func (s secrets) in(t *testing.T, where string, b []byte) {
	t.Helper()
	for what, secret := range s {
		if i := bytes.Index(b, secret); i >= 0 {
			t.Errorf("%s is in %s: …%q…", what, where, b[max(0, i-150):min(len(b), i+len(secret)+20)])
		}
	}
}

// A wiretap keeps what goes over the network.
type wiretap struct {
	mu  sync.Mutex
	all []byte
}

func (w *world) tap() *wiretap {
	tap := &wiretap{}
	w.watch(func(p packet) bool {
		tap.mu.Lock()
		defer tap.mu.Unlock()
		tap.all = append(tap.all, p.Data...)
		return false
	})
	return tap
}

// TestSecretsShowNowhere runs everything once, with things going wrong, and
// searches logs, states, errors, mail and packets.
func TestSecretsShowNowhere(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		tap := w.tap()
		hidden := secrets{}
		ada, bob, cem := w.device("ada"), w.device("bob"), w.device("cem")
		ada.mailbox()
		bob.mailbox()
		var said bytes.Buffer // states and errors
		say := func(err error) { fmt.Fprintf(&said, "%v %+v\n", err, err) }
		show := func() {
			for _, d := range []*device{ada, bob, cem} {
				b, err := json.Marshal(d.State())
				w.must(err)
				fmt.Fprintf(&said, "%s\n%+v\n%#v\n", b, d.State(), d.State())
				hidden.addHome(d)
			}
		}

		dir, tree := ada.dir("Secret Garden")
		content := strings.Repeat("petals are red ", 100)
		files(tree.User(t), map[string]string{"roses": "/", "roses/thorny.txt": content, "orchid.txt": "violets are blue"})
		shared, err := ada.Share(t.Context(), app.ShareRequest{Dir: dir, People: []string{bob.email}})
		w.must(err)
		inv := shared.Invitations[0]
		hidden.addWords(inv.Words)
		bob.eventually("invited", time.Minute, invited)
		show()
		say(bob.accept("abacus abdomen abdominal abide abiding ability"))
		say(bob.accept(strings.Replace(inv.Words, " ", " nonsense ", 1)))
		w.must(bob.accept(inv.Words))
		show()
		bob.eventually("offered", time.Minute, func(s app.State) bool { return len(s.Offers) == 1 })
		show()
		s := &share{w: w, id: shared.Folder, name: "Secret Garden", dirs: map[*device]string{ada: dir}}
		s.join(bob)
		want := map[string]string{"roses": "/", "roses/thorny.txt": content, "orchid.txt": "violets are blue"}
		s.settled(want, ada, bob)

		link, err := ada.Invite(t.Context(), app.InviteRequest{})
		w.must(err)
		hidden.addText("link", link.Link)
		hidden.addText("link's body", strings.TrimPrefix(link.Link, "foldpost:1/"))
		show()
		damaged := link.Link[:len(link.Link)-9] + "x" + link.Link[len(link.Link)-8:]
		_, err = cem.Accept(t.Context(), app.AcceptRequest{Input: damaged})
		say(err)
		_, err = cem.Accept(t.Context(), app.AcceptRequest{Input: link.Link})
		w.must(err)
		ada.letIn()
		cem.eventually("linked", time.Minute, connected)
		show()

		// Things go wrong: the disk, the network, the mail server, the password.
		s.tree(bob).Inject(foldertest.Fault{Op: "Put", Times: 3, Err: foldertest.ErrIO})
		s.tree(bob).Inject(foldertest.Fault{Op: "Write", Times: 3, Err: foldertest.ErrIO})
		s.on(ada).Write("orchid.txt", "changed")
		s.on(ada).Write("tulip.txt", "new")
		time.Sleep(10 * time.Second) // simulated
		show()
		w.unplug(bob, true)
		s.on(bob).Write("orchid.txt", "otherwise")
		w.mail.Cut()
		time.Sleep(2 * time.Minute) // simulated
		w.unplug(bob, false)
		bob.restart()
		a := w.mail.Account(cem.email)
		say(cem.SetMailbox(t.Context(), app.MailboxSettings{Address: cem.email, IMAP: a.IMAP.String(), SMTP: a.SMTP.String(), Password: "wrong-horse", CA: w.mail.CA()}))
		hidden.addText("a wrong password", "wrong-horse")
		bob.eventually("linked again", time.Minute, connected)
		time.Sleep(time.Minute) // simulated
		show()
		w.must(ada.Unpair(t.Context(), bob.State().Device.ID))
		time.Sleep(time.Minute) // simulated
		show()

		hidden.in(t, "a state or an error", said.Bytes())
		searchWorld(t, w, hidden, tap, ada, bob, cem)
	})
}

// searchWorld looks for secrets, and for names and content, in what leaves
// devices.
func searchWorld(t *testing.T, w *world, hidden secrets, tap *wiretap, devices ...*device) {
	t.Helper()
	w.mu.Lock()
	log := w.log.String()
	w.mu.Unlock()
	hidden.in(t, "the log", []byte(log))
	private := secrets{"a folder's name": []byte("Secret Garden"), "a directory's name": []byte("roses"), "a file's name": []byte("thorny"), "another file's name": []byte("orchid"), "content": []byte("petals are red"), "more content": []byte("violets")}
	for _, address := range []string{devices[0].email, devices[1].email} {
		for _, m := range w.mail.Messages(address) {
			hidden.in(t, "a mail", m)
			private.in(t, "a mail", m)
		}
	}
	tap.mu.Lock()
	defer tap.mu.Unlock()
	if len(tap.all) < 10_000 {
		t.Errorf("only %d bytes of packets: the test tests nothing", len(tap.all))
	}
	hidden.in(t, "the packets", tap.all)
	private.in(t, "the packets", tap.all)

	for _, d := range devices {
		private[d.name+"'s mail address"] = []byte(d.email)
		private[d.name+"'s IP address"] = []byte(d.addr.Addr().String())
	}
	delete(private, "content")
	var loud strings.Builder
	for line := range strings.Lines(log) {
		if !strings.Contains(line, "level=DEBUG") {
			loud.WriteString(line)
		}
	}
	private.in(t, "the log above debug level", []byte(loud.String()))
}
