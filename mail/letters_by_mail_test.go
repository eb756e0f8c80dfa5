package mail_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/mail"
	"foldpost/mail/mailtest"
	"foldpost/p2p"
)

// device is one side of an invitation: its keys, its post, and what arrives.
type device struct {
	id   *p2p.Identity
	post *mail.Post
	in   <-chan mail.Delivery

	open  map[mail.Salt]mail.OpenInvite
	token p2p.Token // of the invitation or answer made here
}

func (d *device) Invitation(s mail.Salt) (mail.OpenInvite, bool) {
	o, ok := d.open[s]
	return o, ok
}

func (d *device) OwnSalt(s mail.Salt) bool {
	_, ok := d.open[s]
	return ok
}

func (d *device) OwnToken(t p2p.Token) bool { return t == d.token }

func newDevice(t *testing.T, s *mailtest.Server, address string) *device {
	t.Helper()
	seen, err := mail.OpenReplayTable(filepath.Join(t.TempDir(), "seen"), func(path string, b []byte) error { return os.WriteFile(path, b, 0o600) })
	if err != nil {
		t.Fatal(err)
	}
	d := &device{id: p2p.NewIdentity(), open: make(map[mail.Salt]mail.OpenInvite)}
	d.post = mail.NewPost(box(s, address), d, seen, slog.New(slog.DiscardHandler))
	in := make(chan mail.Delivery, 100)
	d.in = in
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { d.post.Run(ctx, func(x mail.Delivery) { in <- x }) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return d
}

func (d *device) expect(t *testing.T) mail.Delivery {
	t.Helper()
	select {
	case x := <-d.in:
		if x.Problem != nil {
			t.Fatalf("delivered %v, want a letter", x.Problem)
		}
		return x
	case <-time.After(time.Minute):
		t.Fatalf("nothing delivered within a minute: %+v", d.post.Stats())
	}
	panic("unreachable")
}

// TestInvitationAndAnswerByMail is the whole way of two letters: sealed under
// words, mailed, found, opened by the words, answered, found, opened by salt.
func TestInvitationAndAnswerByMail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := provider(t)
		ada, bobs := newDevice(t, s, alice), newDevice(t, s, bob)
		words, salt := p2p.NewWords(), mail.NewSalt()
		psk := p2p.WordsPSK(words, salt)

		invitation := mail.NewInvitation(ada.id, time.Now(), 7*24*time.Hour)
		invitation.Person, invitation.From, invitation.To = "Ada", alice, bob
		invitation.Folders = []mail.FolderOffer{{ID: [32]byte{1}, Name: "Secret plans", Bytes: 1, Files: 1, Role: 1}}
		ada.token = invitation.Token
		ada.open[salt] = mail.OpenInvite{PSK: psk, Token: invitation.Token}
		letter, err := mail.SealInvitation(psk, salt, invitation)
		if err != nil {
			t.Fatal(err)
		}
		m := mail.Message{
			ID: mail.NewMessageID(alice), From: alice, To: bob, FromName: "Ada", Subject: "Ada would like to share a folder with you",
			Text: "Hello", Letter: letter, FileName: invitation.FileName(),
		}
		if err := ada.post.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}

		got := bobs.expect(t)
		if got.Invitation == nil || got.Invitation.Salt != salt || got.Message.From != alice {
			t.Fatalf("Bob got %+v, want the invitation", got)
		}
		opened, err := mail.TryWords(t.Context(), words, bobs.post.Unopened())
		if err != nil || opened.Payload.Check(time.Now()) != nil || !reflect.DeepEqual(opened.Payload, invitation) {
			t.Fatalf("TryWords = %v, %v", opened.Payload, err)
		}
		if want := (p2p.Invitation{Token: ada.token, Peer: ada.id.ID(), Static: ada.id.Static(), PSK: psk, Via: p2p.ViaWords, Expires: invitation.Expires}); opened.Payload.Invitation(opened.PSK, p2p.ViaWords) != want {
			t.Error("the invitation for the endpoint differs from what Ada made")
		}

		answer := mail.NewAnswer(bobs.id, time.Now(), opened.Payload)
		answer.Person, answer.From = "Bob", bob
		bobs.token = answer.Token
		letter, err = mail.SealAnswer(opened.PSK, opened.Salt, answer)
		if err != nil {
			t.Fatal(err)
		}
		reply := mail.Message{
			ID: mail.NewMessageID(bob), From: bob, To: alice, Subject: "Re: " + m.Subject, InReplyTo: m.ID,
			Text: "Bob accepted", Letter: letter, FileName: answer.FileName(), Auto: "auto-replied",
		}
		if err := bobs.post.Send(t.Context(), reply); err != nil {
			t.Fatal(err)
		}
		got = ada.expect(t)
		if got.Answer == nil || got.Answer.Salt != salt || !reflect.DeepEqual(got.Answer.Payload, answer) {
			t.Fatalf("Ada got %+v, want the answer", got)
		}

		for _, address := range []string{alice, bob} {
			for _, raw := range s.Messages(address) {
				for _, secret := range []string{words.Reveal(), "Secret plans", base64.StdEncoding.EncodeToString([]byte("Secret plans"))[:12]} {
					if bytes.Contains(raw, []byte(secret)) {
						t.Errorf("the mail to %s holds what must stay secret", address)
					}
				}
			}
		}
	})
}
