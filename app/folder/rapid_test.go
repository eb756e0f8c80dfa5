package folder

import (
	"testing"

	"pgregory.net/rapid"

	"foldpost/p2p/wire"
)

// TestHistories is TestMany drawn by rapid, which shrinks well. The script is
// drawn whole before anything runs.
func TestHistories(t *testing.T) {
	for _, u := range universes {
		rapid.Check(t, func(rt *rapid.T) {
			pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "") }
			s := u.draw(pick)
			if err := runScript(rules{}, s); err != nil {
				rt.Fatalf("%v\n%s", err, s)
			}
		})
	}
}

// drawEntry makes an entry as honest replicas make them: each dot means the
// same version everywhere.
func drawEntry(rt *rapid.T) Entry {
	var e Entry
	for _, id := range []ReplicaID{{'P'}, {'Q'}, {'R'}} {
		n := rapid.Uint64Range(0, 3).Draw(rt, "number")
		if n == 0 {
			continue
		}
		d := Dot{id, n}
		e.V = e.V.With(d)
		if rapid.Bool().Draw(rt, "live") {
			e.S = append(e.S, Version{
				Dot: d, Kind: Kind(1 + (n+uint64(id[0]))%3), Content: Hash{byte(n)}, MTime: int64(n * 7 % 3), Found: n == 2,
			})
		}
	}
	for range rapid.IntRange(0, 4).Draw(rt, "ended") {
		at := rapid.Uint64Range(1, 6).Draw(rt, "at")
		e.W = joinEnded(e.W, []Ended{{Prefix{byte(at % 4)}, at}})
	}
	e.M.Rank = rapid.Uint64Range(0, 2).Draw(rt, "rank")
	return e
}

// TestJoinLaws: replicas that join the same entries in any order, and any
// number of times, know the same.
func TestJoinLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := drawEntry(rt), drawEntry(rt)
		if x, y := Join(a, b), Join(b, a); !x.Equal(y) {
			rt.Fatalf("Join(%v, %v) = %v, the other way round %v", a, b, x, y)
		}
		x := Join(a, b)
		if again := Join(x, a); !again.Equal(x) {
			rt.Fatalf("Join(%v, %v) = %v, with the first again %v", a, b, x, again)
		}
	})
}

// TestJoinAnyOrder takes three entries, whose found versions may be ended by
// contents that one order forgets earlier than another: what all of them say
// in the end is the same once everybody has heard of everybody.
func TestJoinAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b, c := drawEntry(rt), drawEntry(rt), drawEntry(rt)
		x, y := Join(Join(a, b), c), Join(a, Join(b, c))
		if x, y = Join(x, y), Join(y, x); !x.Equal(y) {
			rt.Fatalf("%v, %v, %v: %v and %v", a, b, c, x, y)
		}
	})
}

// FuzzReceive feeds a replica whatever decodes as a batch. It must refuse it
// or stay able to say what it knows, and never stop.
func FuzzReceive(f *testing.F) {
	good := Batch{
		Replica: ReplicaID{'Q'}, Replicas: []ReplicaRecord{{ReplicaID{'Q'}, DeviceID{'Q'}, "Q"}},
		Rows: []Announced{
			{Path: "d/a", Seq: 1, Entry: Entry{V: Vector{{ReplicaID{'Q'}, 1}}, S: []Version{{Dot: Dot{ReplicaID{'Q'}, 1}, Kind: File, Size: 1, Content: Hash{1}}}}},
			{Path: "d/a/b", Seq: 2, Entry: Entry{V: Vector{{ReplicaID{'Q'}, 2}}, S: []Version{{Dot: Dot{ReplicaID{'Q'}, 2}, Kind: Dir}}}},
			{Path: "e", Seq: 3, Withdrawn: true},
		},
		Head: &Head{Replica: ReplicaID{'Q'}, Seq: 3},
	}
	b, err := wire.Marshal(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{0x80})
	f.Fuzz(func(t *testing.T, data []byte) {
		var b Batch
		if wire.Unmarshal(data, &b) != nil {
			return
		}
		r := newReplica(ReplicaRecord{ID: ReplicaID{'P'}, Device: DeviceID{'P'}, Label: "P"}, ReadWrite, rules{})
		r.load(saved{})
		r.members([]Member{{Device: DeviceID{'Q'}, Role: ReadWrite}})
		if err := r.receive(DeviceID{'Q'}, b); err != nil {
			return
		}
		for _, o := range r.started(r.ops(r.guard.now, 100)) {
			r.done(o, result{Seen: Seen{o.Want.value(), o.Bits}})
		}
		if cs, _ := r.changes(); cs.Announces {
			if err := checkBatch(r.feed(Cursor{}, 256)); err != nil {
				t.Errorf("feed after %x: %v", data, err)
			}
		}
	})
}
