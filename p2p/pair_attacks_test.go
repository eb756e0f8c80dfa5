package p2p

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"foldpost/p2p/wire"
)

// noRole is the proof that a side could send back to who made it.
func noRole(psk Secret, _ Role, t [32]byte) [32]byte {
	key := psk.ProofKey()
	h := hmac.New(sha256.New, key[:])
	h.Write(t[:])
	return [32]byte(h.Sum(nil))
}

func TestProofIsNotItsOwnReflection(t *testing.T) {
	psk, tr := Secret{1}, [32]byte{2}
	for name, tt := range map[string]struct {
		proof   func(Secret, Role, [32]byte) [32]byte
		accepts bool
	}{"with the role": {proof, false}, "without": {noRole, true}} {
		if got := tt.proof(psk, Answerer, tr) == tt.proof(psk, Inviter, tr); got != tt.accepts {
			t.Errorf("proof %s: an echo is accepted: %v, want %v", name, got, tt.accepts)
		}
	}
}

// An inviter's key in wrong hands, without the secret, sends the answerer's
// proof back.
func TestReflectionIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		anna, bob := w.add("anna"), w.add("bob")
		inv := anna.invite(1, ViaWords)
		w.between = func(link *memoryLink) {
			s, err := link.AcceptStream(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			var f offerFrame
			if _, err := expectFrame(s, stepTimeout, frameAnswer, &f); err != nil {
				t.Error(err)
			}
			_, _ = writeFrame(s, newOffer(frameOffer, f.Token, anna.identity, Metadata{}))
			var p proofFrame
			if _, err := expectFrame(s, stepTimeout, frameProofA, &p); err != nil {
				t.Error(err)
			}
			_, _ = writeFrame(s, proofFrame{Type: frameProofI, MAC: p.MAC})
			link.closedAs(t, PairingWrongSecret)
		}
		_, err := bob.pair(t.Context(), inv)
		if e, ok := errors.AsType[*PairingError](err); !ok || e.Code != PairingWrongSecret || e.Remote {
			t.Errorf("pair = %v, want wrong-secret found here", err)
		}
		if agree(t, anna, bob) || len(bob.disk.events) > 0 {
			t.Errorf("bob saved something: %v", bob.disk.events)
		}
	})
}

// Who knows a token and not the secret gets one frame, and it is the same
// whatever the secret is.
func TestInviterShowsNothingSecretBeforeAProof(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		anna, mallory := w.add("anna"), NewIdentity()
		inv := anna.invite(1, ViaWords)
		var frames [][]byte
		for _, psk := range []Secret{inv.PSK, {77}} {
			anna.disk.invitations[inv.Token].keys.PSK = psk
			link := anna.call(mallory)
			s, _ := link.OpenStream(t.Context())
			_, _ = writeFrame(s, newOffer(frameAnswer, inv.Token, mallory, Metadata{Name: "m"}))
			m2, err := expectFrame(s, stepTimeout, frameOffer, new(offerFrame))
			if err != nil {
				t.Fatal(err)
			}
			frames = append(frames, m2)
			_, _ = writeFrame(s, proofFrame{Type: frameProofA, MAC: [32]byte{1}})
			if raw, err := readFrame(s, stepTimeout); err == nil {
				t.Errorf("anna sent % x after a wrong proof", raw)
			}
			link.closedAs(t, PairingWrongSecret)
		}
		if !bytes.Equal(frames[0], frames[1]) {
			t.Error("frame 2 depends on the secret")
		}
	})
}

// relay is a man between two links who passes on every byte of every stream.
func relay(from, to *memoryLink) {
	var wg sync.WaitGroup
	defer wg.Wait()
	pass := func(from, to *memoryLink) {
		for {
			in, err := from.AcceptStream(context.Background())
			if err != nil {
				to.cut()
				return
			}
			out, err := to.OpenStream(context.Background())
			if err != nil {
				from.cut()
				return
			}
			for _, way := range [][2]Stream{{in, out}, {out, in}} {
				_ = way[0].SetDeadline(time.Now().Add(time.Hour))
				wg.Go(func() {
					_, _ = io.Copy(way[1], way[0])
					_ = way[1].CloseWrite()
				})
			}
		}
	}
	wg.Go(func() { pass(from, to) })
	pass(to, from)
}

func TestManInTheMiddle(t *testing.T) {
	for name, sameKeys := range map[string]bool{"two TLS connections": false, "one, as without him": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *pairWorld) {
				anna, bob := w.add("anna"), w.add("bob")
				inv := anna.invite(1, ViaWords)
				w.between = func(link *memoryLink) {
					on := anna.call(bob.identity) // he has even bob's key, but not the secret
					if sameKeys {
						on.exporter, on.other.exporter = link.exporter, link.exporter
					}
					relay(link, on)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				_, err := bob.pair(ctx, inv)
				time.Sleep(time.Hour)
				if paired := agree(t, anna, bob); paired != sameKeys {
					t.Errorf("paired through a man in the middle: %v (%v), want %v", paired, err, sameKeys)
				}
			})
		})
	}
}

// Every single change of what a transcript binds makes another transcript.
func TestTranscriptBindsEverything(t *testing.T) {
	p := parties{exporter: [32]byte{1}, inviter: PeerID{2}, answerer: PeerID{3}}
	m1, m2 := bytes.Repeat([]byte{4}, 64), bytes.Repeat([]byte{5}, 60)
	seen := map[[32]byte]bool{transcript(p, m1, m2): true}
	add := func(what string, at int, t2 [32]byte) {
		if seen[t2] {
			t.Errorf("transcript is the same after a change of %s at %d", what, at)
		}
		seen[t2] = true
	}
	flip := func(b []byte, i int) []byte {
		c := bytes.Clone(b)
		c[i] ^= 1
		return c
	}
	for i := range 32 {
		q := p
		q.exporter[i] ^= 1
		add("exporter", i, transcript(q, m1, m2))
		q = p
		q.inviter[i] ^= 1
		add("inviter", i, transcript(q, m1, m2))
		q = p
		q.answerer[i] ^= 1
		add("answerer", i, transcript(q, m1, m2))
	}
	for i := range m1 {
		add("offer of A", i, transcript(p, flip(m1, i), m2))
	}
	for i := range m2 {
		add("offer of I", i, transcript(p, m1, flip(m2, i)))
	}
	add("border", 0, transcript(p, append(bytes.Clone(m1), m2[0]), m2[1:]))
	swapped := parties{exporter: p.exporter, inviter: p.answerer, answerer: p.inviter}
	add("roles", 0, transcript(swapped, m1, m2))
	if want := 1 + 3*32 + 64 + 60 + 2; len(seen) != want {
		t.Errorf("%d transcripts, want %d", len(seen), want)
	}
}

func TestUnknownTokenBurnsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		anna, bob := w.add("anna"), w.add("bob")
		inv := anna.invite(1, ViaWords)
		for range 20 {
			link := anna.call(NewIdentity())
			if s, err := link.OpenStream(t.Context()); err == nil { // it may be over the limit by now
				_, _ = writeFrame(s, newOffer(frameAnswer, Token{99}, NewIdentity(), Metadata{}))
				if raw, err := readFrame(s, stepTimeout); err == nil {
					t.Errorf("anna answers an unknown token with % x", raw)
				}
			}
			<-link.done
			time.Sleep(time.Second)
		}
		if _, err := bob.pair(t.Context(), inv); err != nil {
			t.Errorf("pair after strangers = %v", err)
		}
	})
}

// wrongProof answers an invitation with a wrong proof and returns the close code.
func wrongProof(t *testing.T, anna *pairDevice, token Token) PairingCode {
	t.Helper()
	id := NewIdentity()
	link := anna.call(id)
	s, _ := link.OpenStream(t.Context())
	_, _ = writeFrame(s, newOffer(frameAnswer, token, id, Metadata{}))
	_, _ = expectFrame(s, stepTimeout, frameOffer, new(offerFrame))
	_, _ = writeFrame(s, proofFrame{Type: frameProofA})
	<-link.done
	code, _ := link.CloseCode()
	return code
}

func TestThreeWrongProofsBurnTheInvitationNamed(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		anna, bob := w.add("anna"), w.add("bob")
		named, other := anna.invite(1, ViaWords), anna.invite(2, ViaWords)
		for i, want := range []PairingCode{PairingWrongSecret, PairingWrongSecret, PairingWrongSecret, PairingUsed} {
			if got := wrongProof(t, anna, named.Token); got != want {
				t.Errorf("wrong proof %d: closed as %v, want %v", i+1, got, want)
			}
		}
		_, err := bob.pair(t.Context(), named)
		if e, ok := errors.AsType[*PairingError](err); !ok || e.Code != PairingUsed {
			t.Errorf("pair with a burnt invitation = %v, want used", err)
		}
		if _, err := bob.pair(t.Context(), other); err != nil {
			t.Errorf("pair with another invitation = %v", err)
		}
	})
}

func TestWrongWordsPairNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		anna, bob := w.add("anna"), w.add("bob")
		inv := anna.invite(1, ViaWords)
		inv.PSK = WordsPSK(NewWords(), [16]byte{1})
		_, err := bob.pair(t.Context(), inv)
		if e, ok := errors.AsType[*PairingError](err); !ok || e.Code != PairingWrongSecret || !e.Remote {
			t.Errorf("pair with wrong words = %v, want wrong-secret from the other side", err)
		}
		if agree(t, anna, bob) {
			t.Error("paired")
		}
	})
}

// Three devices open one invitation at the same moment.
func TestClaimRaceHasOneWinner(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		anna := w.add("anna")
		devices := []*pairDevice{w.add("x"), w.add("y"), w.add("z")}
		for round := range byte(50) {
			inv := anna.invite(round+1, ViaLink)
			won := make(chan error, len(devices))
			for _, d := range devices {
				p := d.pairing
				go func() {
					_, err := p.pair(t.Context(), inv)
					won <- err
				}()
			}
			winners := 0
			for range devices {
				err := <-won
				if e, ok := errors.AsType[*PairingError](err); err == nil {
					winners++
				} else if !ok || e.Code != PairingUsed {
					t.Errorf("round %d: %v, want used", round, err)
				}
			}
			if winners != 1 {
				t.Errorf("round %d: %d winners, want 1", round, winners)
			}
			time.Sleep(10 * time.Minute) // the limits of a source
		}
	})
}

func TestClaims(t *testing.T) {
	now := time.Unix(1000, 0)
	var c claims
	a, b := new(exchange), new(exchange)
	token := Token{1}
	step := func(what string, got, want bool) {
		t.Helper()
		if got != want {
			t.Errorf("%s = %v, want %v", what, got, want)
		}
	}
	step("take", c.take(token, a, now), true)
	step("take by another", c.take(token, b, now.Add(claimTime-1)), false)
	step("take of another token", c.take(Token{2}, b, now), true)
	step("hold by another", c.hold(token, b, now), false)
	step("hold too late", c.hold(token, a, now.Add(claimTime)), false)
	step("take after its end", c.take(token, b, now.Add(claimTime)), true)
	step("hold by who lost it", c.hold(token, a, now.Add(claimTime)), false)
	step("hold", c.hold(token, b, now.Add(claimTime)), true)
	step("take while held", c.take(token, a, now.Add(9*claimTime)), false)
	c.release(token, a)
	step("take after another's release", c.take(token, a, now.Add(9*claimTime)), false)
	c.release(token, b)
	step("take after release", c.take(token, a, now.Add(9*claimTime)), true)
}

// Withdrawal or expiry between the frames: before the claim it refuses, after
// it both or neither save.
func TestInvitationEndsMeanwhile(t *testing.T) {
	for _, how := range []PairingCode{PairingCancelled, PairingExpired} {
		for frame := uint64(frameAnswer); frame <= frameDone; frame++ {
			t.Run(how.String(), func(t *testing.T) {
				inBubble(t, func(t *testing.T, w *pairWorld) {
					anna, bob := w.add("anna"), w.add("bob")
					inv := anna.invite(1, ViaWords)
					w.onLink = func(here, _ *memoryLink) {
						here.link.onSend = func(_ *memoryLink, b []byte) (deliver, cut bool) {
							if kind, _ := frameType(b[4:]); kind == frame {
								anna.disk.mu.Lock()
								defer anna.disk.mu.Unlock()
								if i := anna.disk.invitations[inv.Token]; how == PairingCancelled {
									i.cancelled = true
								} else {
									i.keys.Expires = time.Now()
								}
							}
							return true, false
						}
					}
					_, err := bob.pair(t.Context(), inv)
					time.Sleep(time.Hour)
					paired := agree(t, anna, bob)
					if want := frame > frameProofA; paired != want {
						t.Errorf("%v at frame %d: paired %v, want %v", how, frame, paired, want)
					}
					if e, ok := errors.AsType[*PairingError](err); !paired && (!ok || e.Code != how) {
						t.Errorf("%v at frame %d: pair = %v", how, frame, err)
					}
				})
			})
		}
	}
}

// Every byte of the frames 1 to 4 is changed on its way, on every link.
func TestTamperedFrames(t *testing.T) {
	for kind := uint64(frameAnswer); kind <= frameProofI; kind++ {
		for at, size := 0, 1; at < size; at++ {
			inBubble(t, func(t *testing.T, w *pairWorld) {
				anna, bob := w.add("anna"), w.add("bob")
				inv := anna.invite(1, ViaWords)
				w.onLink = func(here, _ *memoryLink) {
					here.link.onSend = func(_ *memoryLink, b []byte) (deliver, cut bool) {
						if k, _ := frameType(b[4:]); k == kind {
							size = len(b) - 4
							b[4+at] ^= 1
						}
						return true, false
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
				defer cancel()
				if r, err := bob.pair(ctx, inv); err == nil {
					t.Errorf("frame %d changed at byte %d: paired %+v", kind, at, r)
				}
				time.Sleep(time.Hour)
				if agree(t, anna, bob) {
					t.Errorf("frame %d changed at byte %d: saved", kind, at)
				}
			})
		}
	}
}

// hostileFrames are bytes that claim more than there is.
var hostileFrames = map[string][]byte{
	"4 GiB frame":              {0xff, 0xff, 0xff, 0xff, 0x97},
	"4,097 bytes":              append([]byte{0, 0, 0x10, 1}, make([]byte, 4097)...),
	"array of 4 G":             {0, 0, 0, 5, 0xdd, 0xff, 0xff, 0xff, 0xff},
	"string of 4 GiB in array": {0, 0, 0, 6, 0x92, 0xdb, 0xff, 0xff, 0xff, 0xff},
	"empty":                    {0, 0, 0, 0},
	"no array":                 {0, 0, 0, 1, 0x01},
	"nearby":                   {0, 0, 0, 2, 0x91, 0x0c},
	"frame 5 first":            {0, 0, 0, 2, 0x91, 0x05},
	"nested":                   append([]byte{0, 0, 0, 64}, bytes.Repeat([]byte{0x91}, 64)...),
}

func TestHostileFramesCloseTheLink(t *testing.T) {
	for name, b := range hostileFrames {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *pairWorld) {
				anna, bob := w.add("anna"), w.add("bob")
				inv := anna.invite(1, ViaWords)
				link := anna.call(NewIdentity())
				s, _ := link.OpenStream(t.Context())
				_, _ = s.Write(b)
				<-link.done
				if code, ok := link.CloseCode(); !ok || code != PairingRefused && code != PairingLimit {
					t.Errorf("inviter closed as %v, %v", code, ok)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				w.between = func(link *memoryLink) {
					s, err := link.AcceptStream(t.Context())
					if err != nil {
						return
					}
					_, _ = readFrame(s, stepTimeout)
					_, _ = s.Write(b)
					<-link.done
					if code, ok := link.CloseCode(); ctx.Err() == nil && (!ok || code != PairingRefused && code != PairingLimit) {
						t.Errorf("answerer closed as %v, %v", code, ok)
					}
				}
				if _, err := bob.pair(ctx, inv); err == nil {
					t.Error("paired")
				}
			})
		})
	}
}

// A peer that stops talking holds nothing for longer than a step.
func TestSilentPeer(t *testing.T) {
	inBubble(t, func(t *testing.T, w *pairWorld) {
		anna, bob := w.add("anna"), w.add("bob")
		inv := anna.invite(1, ViaWords)
		for frames := range 3 { // none, frame 1, half a frame more
			id := NewIdentity()
			link := anna.call(id)
			start := time.Now()
			if frames > 0 {
				s, _ := link.OpenStream(t.Context())
				_, _ = writeFrame(s, newOffer(frameAnswer, inv.Token, id, Metadata{}))
				if frames > 1 {
					_, _ = s.Write([]byte{0, 0, 0, 9, 0x92})
				}
			}
			<-link.done
			if took := time.Since(start); took > stepTimeout+time.Second {
				t.Errorf("silent after %d frames: closed after %v, want %v", frames, took, stepTimeout)
			}
		}
		if _, err := bob.pair(t.Context(), inv); err != nil {
			t.Errorf("pair afterwards = %v", err)
		}
	})
}

func FuzzPairingFrames(f *testing.F) {
	id := NewIdentity()
	for _, v := range []any{
		newOffer(frameAnswer, Token{1}, id, Metadata{Name: "n", Address: "a@b", Features: []string{"x"}}),
		proofFrame{Type: frameProofA},
		plainFrame{Type: framePending},
		statusFrame{Type: frameStatus},
	} {
		b, err := wire.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, b := range hostileFrames {
		f.Add(b[4:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := frameType(b); err != nil {
			return
		}
		var o offerFrame
		if wire.Unmarshal(b, &o) == nil {
			_ = o.check(id.Public())
			if m := o.metadata(); len([]rune(m.Name)) > maxNameRunes {
				t.Errorf("metadata of % x: name of %d runes", b, len([]rune(m.Name)))
			}
		}
		_ = wire.Unmarshal(b, new(proofFrame))
		_ = wire.Unmarshal(b, new(statusFrame))
	})
}

// The static key in the offer is the one of the letter, signed by the peer.
func TestOfferOfAnotherStaticKey(t *testing.T) {
	for _, role := range []Role{Inviter, Answerer} {
		inBubble(t, func(t *testing.T, w *pairWorld) {
			anna, bob, mallory := w.add("anna"), w.add("bob"), NewIdentity()
			inv := anna.invite(1, ViaLink)
			if role == Answerer { // bob's offer holds mallory's static key
				link := anna.call(bob.identity)
				s, _ := link.OpenStream(t.Context())
				_, _ = writeFrame(s, newOffer(frameAnswer, inv.Token, mallory, Metadata{}))
				link.closedAs(t, PairingRefused)
				return
			}
			inv.Static = mallory.Static() // anna's offer holds another than her letter
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if _, err := bob.pair(ctx, inv); err == nil || agree(t, anna, bob) {
				t.Errorf("pair = %v, want no pairing", err)
			}
		})
	}
}
