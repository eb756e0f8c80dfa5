package e2e

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"foldpost/app"
	"foldpost/mail"
	"foldpost/p2p"
)

// TestWrongProofs: who knows an invitation's token, and not its secret, burns
// it with the third try and not before; who does not know the token burns
// nothing.
func TestWrongProofs(t *testing.T) {
	for _, c := range []struct {
		tries   int
		knows   bool // the token
		pairing bool // still works for bob
	}{{2, true, true}, {3, true, false}, {6, false, true}} {
		t.Run(fmt.Sprintf("%d tries, token known %v", c.tries, c.knows), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				ada, bob := w.device("ada"), w.device("bob")
				inv, err := ada.Invite(t.Context(), app.InviteRequest{})
				w.must(err)
				link, err := mail.ParseLink(inv.Link)
				w.must(err)
				m := w.stranger(p2p.Metadata{Name: "bob's laptop"})
				for range c.tries {
					stolen := link.Payload.Invitation(link.PSK(), p2p.ViaLink)
					rand.Read(stolen.PSK[:])
					if !c.knows {
						rand.Read(stolen.Token[:])
					}
					if err := m.uses(stolen, ada); err == nil {
						t.Fatal("paired without the secret")
					}
				}
				if !c.pairing {
					ada.eventually("says that it was burnt", time.Minute, step(app.StepFailed))
					if p := ada.State().Invitations[0].Problem; !strings.Contains(p, "wrong") {
						t.Errorf("ada is told %q, want that wrong answers came", p)
					}
					_, err = bob.Accept(t.Context(), app.AcceptRequest{Input: inv.Link})
					w.must(err)
					bob.eventually("told", time.Minute, step(app.StepFailed))
					return
				}
				_, err = bob.Accept(t.Context(), app.AcceptRequest{Input: inv.Link})
				w.must(err)
				ada.letIn()
				bob.eventually("linked", 2*time.Minute, connected)
				if n := len(ada.State().Devices); n != 1 {
					t.Errorf("ada has %d devices, want bob's alone", n)
				}
			})
		})
	}
}

// malloryBetween is everybody between ada and bob: he reads all mail and packets,
// alters and sends what he likes, and knows everything but the words.
type malloryBetween struct {
	w        *world
	ada, bob *device
	identity *p2p.Identity

	mu      sync.Mutex
	letters [][]byte       // raw mails that went by
	packets map[string]int // by "from>to"
	got     []string       // what his own listener was told
	address netip.AddrPort // his listener
	taking  bool           // bob's packets to ada go to him
}

// stand puts him between the two.
func (m *malloryBetween) stand() {
	m.packets = map[string]int{}
	m.address = netip.MustParseAddrPort(hosts["mallory"])
	m.identity = p2p.NewIdentity()
	m.w.watch(func(p packet) bool {
		m.mu.Lock()
		m.packets[p.From.String()+">"+p.To.String()]++
		taking := m.taking
		m.mu.Unlock()
		from, to := addrOf(p.From), addrOf(p.To)
		switch {
		case taking && from == m.bob.addr && to == m.ada.addr:
			p.To = net.UDPAddrFromAddrPort(m.address)
		case from == m.address && to == m.bob.addr:
			p.From = net.UDPAddrFromAddrPort(m.ada.addr)
		default:
			return false
		}
		m.w.deliver(p)
		return true
	})
	m.w.mail.Intercept(func(_, _ string, raw []byte) []byte {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.letters = append(m.letters, bytes.Clone(raw))
		return nil
	})
}

func (m *malloryBetween) take(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.taking = on
}

func (m *malloryBetween) letter(n int) []byte {
	m.w.t.Helper()
	var raw []byte
	m.w.until("mail went by", time.Minute, func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.letters) <= n {
			return fmt.Errorf("%d mails", len(m.letters))
		}
		raw = m.letters[n]
		return nil
	})
	return raw
}

// listen speaks QUIC at ada's address with a key of his own, to whoever comes,
// and notes what he learns.
func (m *malloryBetween) listen() {
	c, unplug := m.w.socket(m.address)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	m.w.must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	m.w.must(err)
	l, err := quic.Listen(c, &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}},
		NextProtos:   []string{"foldpost-pair/1", "foldpost/1"}, ClientAuth: tls.RequestClientCert,
		VerifyConnection: func(cs tls.ConnectionState) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.got = append(m.got, fmt.Sprintf("a handshake with %d certificates", len(cs.PeerCertificates)))
			return nil
		},
	}, nil)
	m.w.must(err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept(context.Background())
			if err != nil {
				return
			}
			m.mu.Lock()
			m.got = append(m.got, "a connection from "+conn.RemoteAddr().String())
			m.mu.Unlock()
		}
	}()
	m.w.t.Cleanup(func() { l.Close(); <-ended; unplug() })
}

// forge sends a mail with a letter of his own in somebody's name.
func (m *malloryBetween) forge(from, to *device, letter []byte) {
	m.w.t.Helper()
	a := m.w.mail.Account("mallory@m.example")
	var raw []byte
	m.w.mail.Intercept(func(_, _ string, b []byte) []byte { raw = bytes.Clone(b); return nil })
	box := mail.NewIMAP(a, slog.New(slog.DiscardHandler))
	m.w.must(box.Send(m.w.t.Context(), mail.Message{
		ID: mail.NewMessageID(from.email), From: a.Address, FromName: from.name, To: to.email, Subject: "Please type the words",
		Date: time.Now(), Text: "It is me.\n", Letter: letter, FileName: "Invitation.foldpost",
	}))
	m.w.mail.Intercept(func(_, _ string, b []byte) []byte {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.letters = append(m.letters, bytes.Clone(b))
		return nil
	})
	m.w.must(m.w.mail.Deliver(to.email, bytes.ReplaceAll(raw, []byte(a.Address), []byte(from.email))))
}

// altered returns a mail whose letter has one bit changed.
func (m *malloryBetween) altered(raw []byte, at int) []byte {
	m.w.t.Helper()
	msg, err := mail.Parse(raw)
	m.w.must(err)
	bad := bytes.Clone(msg.Letter)
	bad[at] ^= 1
	flat := bytes.ReplaceAll(raw, []byte("\r\n"), nil)
	if !bytes.Contains(flat, []byte(base64.StdEncoding.EncodeToString(msg.Letter))) {
		m.w.t.Fatal("the letter is not in the mail as base64")
	}
	return replaceWrapped(raw, base64.StdEncoding.EncodeToString(msg.Letter), base64.StdEncoding.EncodeToString(bad))
}

// replaceWrapped replaces text whose lines are wrapped.
func replaceWrapped(raw []byte, old, text string) []byte {
	out := bytes.Clone(raw)
	i := bytes.Index(raw, []byte(old[:16]))
	for k := 0; i >= 0 && k < len(old); i++ {
		if raw[i] == old[k] {
			out[i] = text[k]
			k++
		}
	}
	return out
}

// TestManInTheMiddle: whatever he does to mail and network, only ada and bob
// are paired, and he can hold it up but not spoil it.
func TestManInTheMiddle(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.device("ada"), w.device("bob")
		m := &malloryBetween{w: w, ada: ada, bob: bob}
		m.stand()
		m.listen()
		ada.mailbox()
		bob.mailbox()
		inv := ada.invite(bob)
		right := m.letter(0)

		// Letters of his own, from ada's address, under words of his own, and
		// ada's letter with a bit changed: in the salt, in the sealed part.
		words := p2p.NewWords()
		salt := mail.NewSalt()
		p := mail.NewInvitation(m.identity, time.Now(), 24*time.Hour)
		p.From, p.To, p.Person, p.Addrs = ada.email, bob.email, "Ada", []netip.AddrPort{m.address}
		psk := p2p.WordsPSK(words, salt)
		own, err := mail.SealInvitation(psk, salt, p)
		w.must(err)
		m.forge(ada, bob, own)
		w.must(w.mail.Deliver(bob.email, m.altered(right, 4)))
		w.must(w.mail.Deliver(bob.email, m.altered(right, 200)))
		for range 3 {
			w.must(w.mail.Deliver(bob.email, right))
		}
		bob.eventually("invited", time.Minute, func(s app.State) bool { return len(s.Questions) >= 2 })

		// Answers of his own to ada, under ada's salt, which is in clear.
		head, err := mail.ReadHead(mustLetter(w, right))
		w.must(err)
		answer := mail.NewAnswer(m.identity, time.Now(), p)
		answer.From, answer.To, answer.Addrs = bob.email, ada.email, []netip.AddrPort{m.address}
		forged, err := mail.SealAnswer(psk, head.Salt, answer)
		w.must(err)
		m.forge(bob, ada, forged)
		m.forge(bob, ada, mustLetter(w, right)) // her own, as if from bob

		m.take(true)
		w.must(bob.accept(inv.Words))
		bob.never("paired", time.Minute, paired)
		m.mu.Lock()
		if len(m.got) > 0 {
			t.Errorf("at ada's address, with a key of his own, he got %q", m.got)
		}
		if n := m.packets[bob.addr.String()+">"+ada.addr.String()]; n == 0 {
			t.Error("bob sent nothing to ada: the test tests nothing")
		}
		if n := m.packets[m.address.String()+">"+bob.addr.String()]; n == 0 {
			t.Error("he answered nothing to bob: the test tests nothing")
		}
		m.mu.Unlock()

		// He lets go of the network. The answer letter, which he kept, goes on
		// with a bit changed, then as it is, then again.
		if s := ada.State(); len(s.Invitations) != 1 || s.Invitations[0].Step == app.StepFailed {
			t.Errorf("ada's invitation is %+v, want it still open", s.Invitations)
		}
		late := m.letter(len(m.letters) - 1)
		w.must(w.mail.Deliver(ada.email, m.altered(late, 100)))
		m.take(false)
		w.must(w.mail.Deliver(ada.email, late))
		ada.eventually("linked", 5*time.Minute, connected)
		bob.eventually("linked", time.Minute, connected)
		w.must(w.mail.Deliver(ada.email, late))
		w.must(w.mail.Deliver(bob.email, right))
		time.Sleep(10 * time.Minute) // simulated

		for d, other := range map[*device]*device{ada: bob, bob: ada} {
			s := d.State()
			if len(s.Devices) != 1 || s.Devices[0].ID != other.State().Device.ID || !s.Devices[0].Connected {
				t.Errorf("%s has the devices %+v, want only %s's", d.name, s.Devices, other.name)
			}
		}
	})
}

func mustLetter(w *world, raw []byte) []byte {
	w.t.Helper()
	msg, err := mail.Parse(raw)
	w.must(err)
	return msg.Letter
}

// TestMailBomb: two hundred invitations from everybody do not hide the right
// one that comes after them.
func TestMailBomb(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob := w.device("ada"), w.device("bob")
		m := &malloryBetween{w: w, ada: ada, bob: bob}
		m.stand()
		ada.mailbox()
		bob.mailbox()
		inv := ada.invite(bob)
		right := m.letter(0)
		for i := range 200 {
			raw := m.altered(right, 2+i%16)
			raw = m.altered(raw, 30+i)
			raw = bytes.ReplaceAll(raw, []byte("Message-ID: <"), fmt.Appendf(nil, "Message-ID: <%d-", i))
			w.must(w.mail.Deliver(bob.email, raw))
		}
		w.must(w.mail.Deliver(bob.email, right))
		id := sha256.Sum256(mustLetter(w, right))
		bob.eventually("shown the right one", time.Hour, func(s app.State) bool { // mails are fetched slowly
			if n := len(s.Questions); n > 20 {
				t.Errorf("bob is asked %d questions, want at most 20", n)
			}
			return slices.ContainsFunc(s.Questions, func(q app.Question) bool {
				return string(q.Invitation) == hex.EncodeToString(id[:6])
			})
		})
		w.mail.Intercept(nil)
		w.must(bob.accept(inv.Words))
		bob.eventually("linked", time.Minute, connected)
	})
}

// TestInvitationsThatDoNothing: one's own, and copies of what was used.
func TestInvitationsThatDoNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, cem := w.device("ada"), w.device("bob"), w.device("cem")
		ada.mailbox()
		bob.mailbox()
		byLink, err := ada.Invite(t.Context(), app.InviteRequest{})
		w.must(err)
		inv := ada.invite(bob)
		bob.eventually("invited", time.Minute, invited)
		letter := w.mail.Messages(bob.email)[0]
		w.must(w.mail.Deliver(ada.email, letter))
		ada.never("asked about her own letter", time.Minute, invited)
		for _, r := range []app.AcceptRequest{{Input: byLink.Link}, {Input: inv.Text, Words: inv.Words}} {
			if _, err := ada.Accept(t.Context(), r); err == nil || !strings.Contains(err.Error(), "own") {
				t.Errorf("Accept of an own invitation = %v, want a refusal that says so", err)
			}
		}

		w.must(bob.accept(inv.Words))
		bob.eventually("linked", time.Minute, connected)
		w.must(w.mail.Deliver(bob.email, letter))
		bob.never("asked again", 10*time.Minute, invited)
		bob.restart()
		bob.never("asked again after a restart", 10*time.Minute, invited)
		_, err = cem.Accept(t.Context(), app.AcceptRequest{Input: inv.Text, Words: inv.Words})
		w.must(err)
		cem.eventually("told", time.Minute, step(app.StepFailed))
		if p := cem.State().Invitations[0].Problem; !strings.Contains(p, "used") {
			t.Errorf("who comes second is told %q, want that it was used", p)
		}
		if n := len(ada.State().Devices); n != 1 {
			t.Errorf("ada has %d devices, want bob's alone", n)
		}
	})
}

// TestEndsOfALink: what the second person is told.
func TestEndsOfALink(t *testing.T) {
	for _, c := range []struct {
		name, want string
		end        func(w *world, ada *device, inv app.Invitation)
	}{
		{"withdrawn", "withdrawn", func(w *world, ada *device, inv app.Invitation) { w.must(ada.Withdraw(w.t.Context(), inv.ID)) }},
		{"expired", "expired", func(w *world, ada *device, inv app.Invitation) { time.Sleep(25 * time.Hour) }},
		{"used", "used", func(w *world, ada *device, inv app.Invitation) {
			cem := w.device("cem")
			_, err := cem.Accept(w.t.Context(), app.AcceptRequest{Input: inv.Link})
			w.must(err)
			ada.letIn()
			cem.eventually("linked", time.Minute, connected)
			cem.end()
		}},
		{"refused", "did not let", func(w *world, ada *device, inv app.Invitation) {
			go func() {
				for s := range ada.Watch(w.t.Context()) {
					if i := slices.IndexFunc(s.Questions, func(q app.Question) bool { return q.Kind == app.AskPairing }); i >= 0 {
						ada.Answer(w.t.Context(), s.Questions[i].ID, app.ChoiceNo)
						return
					}
				}
			}()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				ada, bob := w.device("ada"), w.device("bob")
				inv, err := ada.Invite(t.Context(), app.InviteRequest{})
				w.must(err)
				if c.name == "expired" { // nothing runs meanwhile
					ada.end()
				}
				c.end(w, ada, inv)
				_, err = bob.Accept(t.Context(), app.AcceptRequest{Input: inv.Link})
				if err != nil {
					if !strings.Contains(err.Error(), c.want) {
						t.Errorf("Accept = %v, want %q in it", err, c.want)
					}
					return
				}
				bob.eventually("told", 3*time.Minute, step(app.StepFailed))
				if p := bob.State().Invitations[0].Problem; !strings.Contains(p, c.want) {
					t.Errorf("bob is told %q, want %q in it", p, c.want)
				}
				if paired(bob.State()) {
					t.Error("bob is paired")
				}
			})
		})
	}
}
