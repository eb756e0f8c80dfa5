package mail

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/p2p"
)

// memoryBox is a mailbox without a server: what is put into it is received.
type memoryBox struct {
	address string
	in      chan any // Message or error
	sent    []Message
	sendErr error
}

func newMemoryBox(address string) *memoryBox {
	return &memoryBox{address: address, in: make(chan any, 300)}
}

func (b *memoryBox) Address() string { return b.address }

func (b *memoryBox) Send(_ context.Context, m Message) error {
	b.sent = append(b.sent, m)
	return b.sendErr
}

func (b *memoryBox) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for {
			var ok bool
			select {
			case <-ctx.Done():
				return
			case x := <-b.in:
				switch x := x.(type) {
				case Message:
					ok = yield(x, nil)
				case error:
					ok = yield(Message{}, x)
				}
			}
			if !ok {
				return
			}
		}
	}
}

// memoryKeys is a device with one open invitation.
type memoryKeys struct {
	salt Salt
	open OpenInvite
	own  []p2p.Token
	old  []Salt
}

func (k memoryKeys) Invitation(s Salt) (OpenInvite, bool) { return k.open, s == k.salt }
func (k memoryKeys) OwnSalt(s Salt) bool                  { return s == k.salt || slices.Contains(k.old, s) }

func (k memoryKeys) OwnToken(t p2p.Token) bool {
	return t == k.open.Token || slices.Contains(k.own, t)
}

func adaKeys() memoryKeys {
	return memoryKeys{salt: testSalt, open: OpenInvite{PSK: testPSK, Token: adaToken}}
}

// fresh is an answer that is valid now, in a bubble or outside.
func fresh(change func(*Payload)) Payload {
	p := testAnswer()
	p.Created, p.Expires = time.Now().Truncate(time.Second), time.Now().Add(24*time.Hour).Truncate(time.Second)
	change(&p)
	return p
}

func unchanged(*Payload) {}

func TestReadAnswer(t *testing.T) {
	now := time.Now()
	seen := openTable(t, filepath.Join(t.TempDir(), "seen"))
	if err := seen.Add(Payload{Token: numberedToken(9), Expires: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	otherPSK, otherSalt := testPSK, testSalt
	otherPSK[0]++
	otherSalt[0]++
	keys := adaKeys()
	keys.own = []p2p.Token{numberedToken(7)}
	for _, tt := range []struct {
		name   string
		psk    p2p.Secret
		salt   Salt
		change func(*Payload)
		want   error
	}{
		{"honest", testPSK, testSalt, unchanged, nil},
		{"an invitation not open here", testPSK, otherSalt, unchanged, ErrNoInvitation},
		{"salt copied, words unknown", otherPSK, testSalt, unchanged, ErrWrongKey},
		{"own answer", testPSK, testSalt, func(p *Payload) { p.Token = numberedToken(7) }, ErrOwn},
		{"the invitation's own token", testPSK, testSalt, func(p *Payload) { p.Token, p.InReplyTo = adaToken, numberedToken(1) }, ErrOwn},
		{"token in the table", testPSK, testSalt, func(p *Payload) { p.Token = numberedToken(9) }, ErrReplayed},
		{"names another invitation", testPSK, testSalt, func(p *Payload) { p.InReplyTo = numberedToken(3) }, ErrPayload},
		{"from tomorrow", testPSK, testSalt, func(p *Payload) { p.Created, p.Expires = now.Add(24*time.Hour), now.Add(48*time.Hour) }, ErrFromFuture},
		{"from last week", testPSK, testSalt, func(p *Payload) { p.Created, p.Expires = now.Add(-48*time.Hour), now.Add(-24*time.Hour) }, ErrExpired},
	} {
		letter, err := SealAnswer(tt.psk, tt.salt, fresh(tt.change))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadAnswer(keys, seen, letter, now)
		if !errors.Is(err, tt.want) || (err == nil && (got.Salt != testSalt || got.Payload.Peer() != bob.ID())) {
			t.Errorf("%s: ReadAnswer = %v, %v, want %v", tt.name, got.Payload, err, tt.want)
		}
	}
	if _, err := ReadAnswer(keys, seen, mustSeal(t, PatternInvitation, testInvitation()), now); !errors.Is(err, ErrNotLetter) {
		t.Errorf("ReadAnswer(invitation) = %v, want ErrNotLetter", err)
	}
}

// runPost starts a post in a bubble; its deliveries come out of the channel.
func runPost(t *testing.T, box Mailbox, keys Keyring) (*Post, <-chan Delivery) {
	t.Helper()
	post := NewPost(box, keys, openTable(t, filepath.Join(t.TempDir(), "seen")), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	out := make(chan Delivery, 1000)
	done := make(chan error)
	go func() { done <- post.Run(ctx, func(d Delivery) { out <- d }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v, want context.Canceled", err)
		}
	})
	return post, out
}

func TestPostDeliversWhatConcernsUs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := newMemoryBox("Ada@example.org")
		keys := adaKeys()
		ownOld := Salt(seq[[16]byte](3))
		keys.old = []Salt{ownOld}
		post, out := runPost(t, box, keys)

		sealed := func(pattern Pattern, salt Salt, p Payload) Message {
			letter, err := seal(nil, pattern, testPSK, salt, p)
			if err != nil {
				t.Fatal(err)
			}
			return Message{ID: fmt.Sprintf("%x@x", letter[20:24]), From: "bob@example.org", Letter: letter}
		}
		answer := sealed(PatternAnswer, testSalt, fresh(unchanged))
		toSomebody := sealed(PatternAnswer, testSalt, fresh(func(p *Payload) { p.Token, p.To = numberedToken(1), "eve@example.org" }))
		invitation := sealed(PatternInvitation, Salt{1}, testInvitation())
		problem := errors.New("no such host")

		for _, x := range []any{
			Message{Letter: []byte("junk")},
			sealed(PatternInvitation, testSalt, testInvitation()), // our own, in a copy
			sealed(PatternInvitation, ownOld, testInvitation()),   // and one that was used
			sealed(PatternAnswer, Salt{2}, fresh(unchanged)),      // somebody else's
			invitation, invitation,
			toSomebody,
			answer,
			Message{Letter: LetterFile(answer.Letter)}, // the same, rewritten as text
			problem,
			Message{Bounce: &Bounce{ID: "1@x", Reason: "no such user"}},
		} {
			box.in <- x
		}
		synctest.Wait()
		got := make([]Delivery, 0, 4)
		for len(out) > 0 {
			got = append(got, <-out)
		}
		if len(got) != 4 {
			t.Fatalf("%d deliveries, want 4: %v", len(got), post.Stats())
		}
		if d := got[0]; d.Invitation == nil || d.Invitation.Salt != (Salt{1}) || d.Message.ID != invitation.ID {
			t.Errorf("first delivery = %+v, want the invitation", d)
		}
		if d := got[1]; d.Answer == nil || d.Answer.Payload.Token != bobToken || d.Message.ID != answer.ID {
			t.Errorf("second delivery = %+v, want the answer", d)
		}
		if d := got[2]; !errors.Is(d.Problem, problem) {
			t.Errorf("third delivery = %+v, want the problem", d)
		}
		if d := got[3]; d.Bounce == nil || d.Bounce.ID != "1@x" {
			t.Errorf("fourth delivery = %+v, want the bounce", d)
		}
		want := map[string]int{
			ErrNotLetter.Error(): 1, ErrOwn.Error(): 2, ErrNoInvitation.Error(): 1, ErrReplayed.Error(): 2, ErrNotForUs.Error(): 1,
		}
		if s := post.Stats(); s.Messages != 10 || s.Delivered != 3 || fmt.Sprint(s.Dropped) != fmt.Sprint(want) {
			t.Errorf("Stats = %+v, want dropped %v", s, want)
		}
	})
}

func TestPostKeepsTheNewestInvitations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := newMemoryBox("bob@example.org")
		post, _ := runPost(t, box, memoryKeys{})
		for i := range 100 {
			letter, err := SealInvitation(testPSK, Salt{byte(i)}, testInvitation())
			if err != nil {
				t.Fatal(err)
			}
			box.in <- Message{Letter: letter}
		}
		synctest.Wait()
		list := post.Unopened()
		if len(list) != MaxUnopened || list[0].Salt != (Salt{99}) || list[19].Salt != (Salt{80}) {
			t.Errorf("%d kept, want the newest %d, newest first", len(list), MaxUnopened)
		}
		post.Forget(Salt{99})
		if list = post.Unopened(); len(list) != MaxUnopened-1 || list[0].Salt != (Salt{98}) {
			t.Errorf("after Forget: %d kept, first %x", len(list), list[0].Salt)
		}
	})
}

func TestPostLimitsTrials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := newMemoryBox("ada@example.org")
		post, _ := runPost(t, box, adaKeys())
		bomb := mustSeal(t, PatternAnswer, testAnswer())
		bomb[len(bomb)-1] ^= 1
		for range 300 {
			box.in <- Message{Letter: bomb}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := post.Stats().Messages; n < 100 || n > trialsPerMin {
			t.Errorf("%d trials in the first minute, want at most %d", n, trialsPerMin)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := post.Stats().Messages; n != 300 {
			t.Errorf("%d of 300 tried after two minutes", n)
		}
	})
}

func TestSendKeepsTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := newMemoryBox("ada@example.org")
		post := NewPost(box, adaKeys(), nil, slog.New(slog.DiscardHandler))
		send := func(i int) error { return post.Send(t.Context(), Message{ID: fmt.Sprintf("%d@x", i)}) }

		box.sendErr = errors.New("greylisted")
		for range 5 {
			if err := send(0); !errors.Is(err, box.sendErr) {
				t.Errorf("Send = %v, want the mailbox's error", err)
			}
		}
		box.sendErr = nil
		for i := range MaxSentPerDay {
			if err := errors.Join(send(i), send(i)); err != nil { // doing it again is harmless
				t.Errorf("mail %d: %v", i, err)
			}
		}
		if n := len(box.sent); n != 5+MaxSentPerDay {
			t.Errorf("%d mails handed over, want %d", n, 5+MaxSentPerDay)
		}
		if err := send(MaxSentPerDay); !errors.Is(err, ErrSendBudget) {
			t.Errorf("mail %d = %v, want ErrSendBudget", MaxSentPerDay+1, err)
		}
		time.Sleep(24 * time.Hour)
		if err := send(MaxSentPerDay); err != nil {
			t.Errorf("a day later: %v", err)
		}
		if err := post.Send(t.Context(), Message{}); err == nil {
			t.Error("Send without an id = nil")
		}
	})
}

func TestTryWords(t *testing.T) {
	words, err := p2p.ParseWords("abacus abdomen abdominal abide abiding ability")
	if err != nil {
		t.Fatal(err)
	}
	other, err := p2p.ParseWords("abacus abdomen abdominal abide abiding able")
	if err != nil {
		t.Fatal(err)
	}
	var letters []Unopened
	for i, w := range []p2p.Words{other, words} {
		salt := Salt{byte(i)}
		letter, err := SealInvitation(p2p.WordsPSK(w, salt), salt, testInvitation())
		if err != nil {
			t.Fatal(err)
		}
		u, err := NewUnopened(letter)
		if err != nil {
			t.Fatal(err)
		}
		letters = append(letters, u)
	}
	got, err := TryWords(t.Context(), words, letters)
	if err != nil || got.Salt != letters[1].Salt || got.PSK != p2p.WordsPSK(words, got.Salt) || got.Payload.Peer() != ada.ID() {
		t.Errorf("TryWords = %v, %v, want the second letter", got.Payload, err)
	}
	if _, err := TryWords(t.Context(), words, letters[:1]); !errors.Is(err, ErrWrongWords) {
		t.Errorf("TryWords of wrong words = %v, want ErrWrongWords", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := TryWords(ctx, words, letters); !errors.Is(err, context.Canceled) {
		t.Errorf("TryWords when not wanted any more = %v", err)
	}
	if _, err := NewUnopened(mustSeal(t, PatternAnswer, testAnswer())); !errors.Is(err, ErrNotLetter) {
		t.Errorf("NewUnopened(answer) = %v, want ErrNotLetter", err)
	}
}

func TestNothingOfALetterIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged strings.Builder
		box := newMemoryBox("ada@example.org")
		post := NewPost(box, adaKeys(), openTable(t, filepath.Join(t.TempDir(), "seen")),
			slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- post.Run(ctx, func(Delivery) {}) }()
		for i, change := range []func(*Payload){
			unchanged,
			func(p *Payload) { p.Token, p.To = numberedToken(1), "eve@example.org" },
			func(p *Payload) { p.Token, p.InReplyTo = numberedToken(2), numberedToken(3) },
		} {
			letter, err := SealAnswer(testPSK, testSalt, fresh(change))
			if err != nil {
				t.Fatal(err)
			}
			box.in <- Message{ID: fmt.Sprint(i), From: "bob@example.org", Letter: letter}
		}
		synctest.Wait()
		cancel()
		<-done
		for _, secret := range []string{"eve@", "bob@", "198.51.100.9", "Bob", bob.ID().String()} {
			if strings.Contains(logged.String(), secret) {
				t.Errorf("the log holds %q:\n%s", secret, &logged)
			}
		}
		if !strings.Contains(logged.String(), "letter dropped") {
			t.Errorf("log = %q, want the drops at debug level", &logged)
		}
	})
}
