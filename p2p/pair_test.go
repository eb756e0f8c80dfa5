package p2p

import (
	"context"
	"testing"
	"time"
)

func TestPairHonest(t *testing.T) {
	for _, via := range []Via{ViaWords, ViaLink} {
		for _, dialler := range []string{"answerer", "inviter"} {
			t.Run(string(via)+" "+dialler+" dials", func(t *testing.T) {
				inBubble(t, func(t *testing.T, w *pairWorld) {
					anna, bob := w.add("anna"), w.add("bob")
					inv := anna.invite(1, via)
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					letters := make(chan error, 1)
					if dialler == "inviter" {
						w.block(bob, anna, true)
						go func() { letters <- anna.pairDial(ctx, bob.self, inv.Token) }()
					}
					r, err := bob.pair(ctx, inv)
					if err != nil || r.State != Paired || r.Role != Answerer || r.Via != via || r.Peer != anna.self {
						t.Fatalf("pair = %+v, %v, want a paired record", r, err)
					}
					if dialler == "inviter" {
						if err := <-letters; err != nil {
							t.Errorf("pairDial = %v, want nil", err)
						}
					}
					time.Sleep(time.Minute)
					if !agree(t, anna, bob) {
						t.Error("none saved")
					}
					if got := anna.with(bob); got.Role != Inviter || got.Via != via || got.Metadata.Name != "bob" || got.Token != inv.Token {
						t.Errorf("anna keeps %+v", got)
					}
					if !anna.disk.invitations[inv.Token].used {
						t.Error("the invitation is not used up")
					}
				})
			})
		}
	}
}
