package p2p

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// pairBoth lets two devices accept each other's invitations.
func pairBoth(ctx context.Context, a, b *pairDevice, later time.Duration) (ra, rb Record, err error) {
	ia, ib := a.invite(1, ViaWords), b.invite(2, ViaLink)
	pa, pb := a.pairing, b.pairing
	type result struct {
		r   Record
		err error
	}
	other := make(chan result)
	go func() {
		time.Sleep(later)
		r, err := pb.pair(ctx, ia)
		other <- result{r, err}
	}()
	ra, err = pa.pair(ctx, ib)
	o := <-other
	return ra, o.r, errors.Join(err, o.err)
}

func TestBothAcceptEachOther(t *testing.T) {
	for _, reach := range []string{"both", "only a reaches b", "only b reaches a"} {
		for _, later := range []time.Duration{0, time.Nanosecond, time.Millisecond, time.Second, time.Minute} {
			t.Run(fmt.Sprintf("%s, %v later", reach, later), func(t *testing.T) {
				inBubble(t, func(t *testing.T, w *pairWorld) {
					a, b := w.add("a"), w.add("b")
					if !lessID(a.self, b.self) {
						a, b = b, a
					}
					switch reach {
					case "only a reaches b":
						w.block(b, a, true)
					case "only b reaches a":
						w.block(a, b, true)
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					_, _, err := pairBoth(ctx, a, b, later)
					unreached := reach == "only a reaches b" // where a has what it wants before b asks, which may be so at once
					if err != nil && !unreached {
						t.Errorf("pair = %v; a %v, b %v", err, a.disk.events, b.disk.events)
					}
					time.Sleep(time.Hour)
					if !agree(t, a, b) {
						t.Error("not paired")
					}
				})
			})
		}
	}
}

// Both have said yes before either reaches the other: the invitation of the
// smaller id is carried out.
func TestBothAcceptBeforeTheyMeet(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		a, b := w.add("a"), w.add("b")
		if !lessID(a.self, b.self) {
			a, b = b, a
		}
		w.block(a, b, true)
		w.block(b, a, true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		time.AfterFunc(time.Minute, func() {
			w.block(a, b, false)
			w.block(b, a, false)
		})
		ra, rb, err := pairBoth(ctx, a, b, 0)
		if err != nil || ra.T != rb.T || ra.Role != Inviter {
			t.Errorf("a is %d in %x, b in %x, %v: want the invitation of the smaller id, a's", ra.Role, ra.T[:4], rb.T[:4], err)
		}
		if !agree(t, a, b) {
			t.Error("not paired")
		}
	})
}

// Both accept each other, and the link breaks somewhere.
func TestBothAcceptEachOtherWithFaults(t *testing.T) {
	for frame := 1; frame <= 16; frame++ {
		for _, arrives := range []bool{false, true} {
			for _, later := range []time.Duration{0, time.Nanosecond, time.Second} {
				inBubble(t, func(t *testing.T, w *pairWorld) {
					a, b := w.add("a"), w.add("b")
					cutFault{frame, arrives}.on(w)
					ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
					defer cancel()
					_, _, err := pairBoth(ctx, a, b, later)
					time.Sleep(10 * 24 * time.Hour)
					if !agree(t, a, b) || err != nil {
						t.Errorf("cut at frame %d (arrives %v), %v later: not paired: %v", frame, arrives, later, err)
					}
				})
			}
		}
	}
}

// Pairing again replaces the secret of both or of neither, whatever breaks.
func TestPairAgain(t *testing.T) {
	disks := []diskFault{{}}
	for _, device := range []string{"anna", "bob"} {
		for write := 1; write <= 3; write++ {
			for _, kind := range diskFaults {
				disks = append(disks, diskFault{device, write, kind})
			}
		}
	}
	for _, disk := range disks {
		for frame := 0; frame <= 9; frame++ {
			for _, turned := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v cut %d turned %v", disk, frame, turned), func(t *testing.T) {
					inBubble(t, func(t *testing.T, w *pairWorld) {
						anna, bob := w.add("anna"), w.add("bob")
						first, second := anna, bob
						if turned { // who invited first answers now
							first, second = bob, anna
						}
						if _, err := second.pair(t.Context(), first.invite(9, ViaLink)); err != nil {
							t.Fatal(err)
						}
						time.Sleep(time.Minute)
						anna.disk.writes, bob.disk.writes = 0, 0
						runFaults(t, w, disk, cutFault{frame, true}, true, anna, bob)
					})
				})
			}
		}
	}
}

func TestBusyThenUsed(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		anna, bob, eve := w.add("anna"), w.add("bob"), w.add("eve")
		asked, yes := make(chan PairingRequest), make(chan error)
		anna.ask = func(ctx context.Context, r PairingRequest) error {
			asked <- r
			return <-yes
		}
		inv := anna.invite(1, ViaLink)
		bobs, eves := make(chan error, 1), make(chan error, 1)
		go func() { _, err := bob.pair(t.Context(), inv); bobs <- err }()
		if r := <-asked; r.Peer != bob.self || r.Metadata.Name != "bob" || r.Token != inv.Token {
			t.Errorf("asked about %+v", r)
		}
		go func() { _, err := eve.pair(t.Context(), inv); eves <- err }()
		time.Sleep(50 * time.Second)
		select {
		case err := <-eves:
			t.Errorf("eve was told %v while bob's person waits, want busy and another try", err)
		default:
		}
		yes <- nil
		if err := <-bobs; err != nil {
			t.Errorf("bob: %v", err)
		}
		if e, ok := errors.AsType[*PairingError](<-eves); !ok || e.Code != PairingUsed || !e.Remote {
			t.Errorf("eve: %v, want used", e)
		}
	})
}

func TestPersonSaysNo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		anna, bob := w.add("anna"), w.add("bob")
		anna.ask = func(context.Context, PairingRequest) error { return errors.New("who is that") }
		_, err := bob.pair(t.Context(), anna.invite(1, ViaLink))
		if e, ok := errors.AsType[*PairingError](err); !ok || e.Code != PairingUserNo || !e.Remote {
			t.Errorf("pair = %v, want user-no", err)
		}
		if agree(t, anna, bob) {
			t.Error("paired")
		}
	})
}

// A person who is not there has not said no: the other side goes on trying.
func TestPersonIsAbsent(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		anna, bob := w.add("anna"), w.add("bob")
		asked := 0
		anna.ask = func(ctx context.Context, _ PairingRequest) error {
			if asked++; asked > 3 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}
		if _, err := bob.pair(t.Context(), anna.invite(1, ViaLink)); err != nil || !agree(t, anna, bob) {
			t.Errorf("pair = %v, want paired at the fourth question", err)
		}
	})
}

// An invitation is for the peer of the first answer letter only.
func TestInvitationReservedForOne(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		anna, bob, eve := w.add("anna"), w.add("bob"), w.add("eve")
		inv := anna.invite(1, ViaWords)
		anna.disk.invitations[inv.Token].keys.Only = bob.self
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := eve.pair(ctx, inv); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("eve: %v, want busy until the end", err)
		}
		if err := anna.pairDial(t.Context(), eve.self, inv.Token); err == nil {
			t.Error("pairDial to eve = nil")
		}
		if _, err := bob.pair(t.Context(), inv); err != nil {
			t.Errorf("bob: %v", err)
		}
	})
}

// An answerer's record that nobody confirms ends a day after its invitation.
func TestPendingEnds(t *testing.T) {
	for _, restart := range []bool{false, true} {
		inBubble(t, func(t *testing.T, w *pairWorld) {
			anna, bob := w.add("anna"), w.add("bob")
			inv := anna.invite(1, ViaWords)
			w.onLink = func(here, _ *memoryLink) {
				here.link.onSend = func(_ *memoryLink, b []byte) (deliver, cut bool) {
					if kind, _ := frameType(b[4:]); kind == framePending {
						w.block(bob, anna, true)
						return false, true
					}
					return true, false
				}
			}
			p := bob.pairing
			done := make(chan error, 1)
			go func() { _, err := p.pair(t.Context(), inv); done <- err }()
			time.Sleep(time.Minute)
			if got := bob.with(anna).State; got != Pending {
				t.Fatalf("bob keeps %v, want pending", got)
			}
			if restart {
				bob.restart()
				<-done
			}
			time.Sleep(7 * 24 * time.Hour)
			if got := bob.with(anna).State; got != Pending {
				t.Errorf("bob keeps %v before a day has passed, want pending", got)
			}
			time.Sleep(25 * time.Hour)
			if agree(t, anna, bob) || len(bob.disk.events) != 1 || bob.disk.events[0] != "rollback" {
				t.Errorf("bob was told %v, want one rollback", bob.disk.events)
			}
			if !restart {
				if e, ok := errors.AsType[*PairingError](<-done); !ok || e.Code != PairingExpired {
					t.Errorf("pair = %v, want expired", e)
				}
			}
		})
	}
}

// The inviter's record is confirmed by what the answerer says, never by the
// answer to a question of the answerer.
func TestAnsweringStatusConfirmsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		anna, mallory := w.add("anna"), NewIdentity()
		r := Record{Peer: mallory.ID(), T: [32]byte{7}, State: Unconfirmed, Role: Inviter}
		anna.disk.records[r.T], anna.disk.order = r, [][32]byte{r.T}
		ask := func(t2 [32]byte) uint64 {
			link := anna.call(mallory)
			defer link.Close(pairingDone)
			kind, err := askOne(t.Context(), link, t2)
			if err != nil {
				t.Error(err)
			}
			return kind
		}
		if got := ask(r.T); got != frameYes {
			t.Errorf("status of a record that is there = %d, want %d", got, frameYes)
		}
		if got := ask([32]byte{8}); got != frameNo {
			t.Errorf("status of another record = %d, want %d", got, frameNo)
		}
		if got := anna.disk.records[r.T].State; got != Unconfirmed {
			t.Errorf("state after the question = %v, want unconfirmed", got)
		}
		other := NewIdentity()
		link := anna.call(other)
		defer link.Close(pairingDone)
		if got, err := askOne(t.Context(), link, r.T); err != nil || got != frameNo {
			t.Errorf("status for somebody else = %d, %v, want %d", got, err, frameNo)
		}
	})
}

// Once the question was answered with no, the exchange it asks about can no
// longer be saved.
func TestStatusAbandonsTheExchange(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		anna, bob := w.add("anna"), w.add("bob")
		inv := anna.invite(1, ViaLink)
		link := anna.call(bob.identity)
		s, _ := link.OpenStream(t.Context())
		x := &exchange{peer: anna.self, role: Answerer, token: inv.Token}
		r, err := bob.proveFirst(link, s, x, inv)
		if err != nil {
			t.Fatal(err)
		}
		second := anna.call(bob.identity)
		if kind, err := askOne(t.Context(), second, r.T); err != nil || kind != frameNo {
			t.Errorf("status = %d, %v, want %d", kind, err, frameNo)
		}
		_, _ = writeFrame(s, plainFrame{Type: framePending})
		if _, err := expectFrame(s, stepTimeout, frameFailed, new(plainFrame)); err != nil {
			t.Errorf("after pending: %v, want failed", err)
		}
		if got := anna.with(bob).State; got != NotPaired {
			t.Errorf("anna keeps %v", got)
		}
	})
}

func TestPairLimits(t *testing.T) {
	now := time.Unix(1000, 0)
	addr := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, n}) }
	var l pairLimits
	enter := func(a netip.Addr, known, want bool) func() {
		t.Helper()
		leave, ok := l.enter(a, known, now)
		if ok != want {
			t.Errorf("enter(%v, known %v) = %v, want %v", a, known, ok, want)
		}
		return leave
	}
	for range 10 {
		enter(addr(1), false, true)()
	}
	enter(addr(1), false, false)
	enter(netip.AddrFrom16(addr(1).As16()), false, false)
	enter(addr(1), true, true)
	for n := range byte(5) {
		for range 10 {
			enter(addr(n+2), false, true)()
		}
	}
	enter(addr(99), false, false) // 60 in all
	now = now.Add(time.Minute)
	for n := range byte(4) {
		enter(addr(n), false, true)
	}
	enter(addr(9), false, false) // 4 at once
	if len(l.sources) > 60 {
		t.Errorf("%d sources are remembered", len(l.sources))
	}
	l = pairLimits{}
	for range 9 {
		l.blame(addr(1), now)
	}
	enter(addr(1), false, true)()
	enter(addr(1), false, false)
	six := netip.MustParseAddr("2001:db8::1")
	for range 10 {
		enter(six, false, true)()
	}
	enter(netip.MustParseAddr("2001:db8::2"), false, false)
	enter(netip.MustParseAddr("2001:db8:0:1::2"), false, true)
}

func TestSchedule(t *testing.T) {
	now := time.Unix(0, 0)
	s := newSchedule(now)
	tries := 0
	for now.Before(time.Unix(0, 0).Add(eagerTime)) {
		now = now.Add(s.next(now))
		tries++
	}
	if tries < 15 || tries > 40 {
		t.Errorf("%d tries in the first %v", tries, eagerTime)
	}
	if got := s.next(now); got != patientWait {
		t.Errorf("next after %v = %v, want %v", eagerTime, got, patientWait)
	}
}

func TestPairAcceptedTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		anna, bob := w.add("anna"), w.add("bob")
		w.block(bob, anna, true)
		first := make(chan error, 1)
		inv := anna.invite(1, ViaWords)
		go func() { _, err := bob.pair(t.Context(), inv); first <- err }()
		time.Sleep(time.Minute)
		second := make(chan error, 1)
		go func() { _, err := bob.pair(t.Context(), inv); second <- err }()
		if e, ok := errors.AsType[*PairingError](<-first); !ok || e.Code != PairingCancelled {
			t.Errorf("first call = %v, want cancelled", e)
		}
		w.block(bob, anna, false)
		if err := <-second; err != nil {
			t.Errorf("second call = %v", err)
		}
		if r, err := bob.pair(t.Context(), inv); err != nil || r.State != Paired {
			t.Errorf("third call = %+v, %v, want what is kept", r, err)
		}
	})
}
