package folder

import (
	"fmt"
	"testing"
	"time"
)

// TestScale: the work of an event does not depend on the number of rows.
func TestScale(t *testing.T) {
	few, many := fastestEdit(t, 500), fastestEdit(t, 25_000)
	if many > 10*few+time.Millisecond {
		t.Errorf("an edit among 500 files takes %v, among 25,000 %v", few, many)
	}
}

// fastestEdit lets one replica find files and another put them, and returns
// how long the fastest of some edits then takes from finding to status.
func fastestEdit(t *testing.T, files int) time.Duration {
	t.Helper()
	p, q := scaleReplica('P'), scaleReplica('Q')
	var obs []observation
	for i := range files {
		if i%100 == 0 {
			obs = append(obs, observation{Path: Path(fmt.Sprintf("d%d", i/100)), Seen: Seen{Value{Kind: Dir}, 0o755}})
		}
		obs = append(obs, scaleFile(i))
	}
	p.observe(time.Now(), obs)
	p.changes()
	scaleExchange(t, p, q)
	done := scaleApply(q)
	if s := q.status(); done != len(obs) || s.Files != files || s.Open || s.Bytes != int64(10*files) || s.NeedFiles != 0 {
		t.Fatalf("%d ops for %d findings, status %+v", done, len(obs), s)
	}
	fastest := time.Hour
	for i := range 300 {
		o := scaleFile(i)
		o.Seen.Content[31] = 1
		start := time.Now()
		p.observe(start, []observation{o})
		p.changes()
		scaleExchange(t, p, q)
		scaleApply(q)
		p.status()
		fastest = min(fastest, time.Since(start))
	}
	return fastest
}

func scaleReplica(name byte) *replica {
	r := newReplica(ReplicaRecord{ID: ReplicaID{name}, Device: DeviceID{name}, Label: string(name)}, ReadWrite, rules{noGuard: true})
	r.members([]Member{{Device: DeviceID{'P'}, Role: ReadWrite}, {Device: DeviceID{'Q'}, Role: ReadWrite}})
	return r
}

func scaleFile(i int) observation {
	return observation{
		Path: Path(fmt.Sprintf("d%d/f%d", i/100, i)),
		Seen: Seen{Value{Kind: File, Size: 10, Content: Hash{byte(i), byte(i >> 8), byte(i >> 16)}}, 0o644},
	}
}

func scaleExchange(t *testing.T, from, to *replica) {
	t.Helper()
	for {
		b := from.feed(to.cursor(from.self.Device), 256)
		if err := to.receive(from.self.Device, b); err != nil {
			t.Fatal(err)
		}
		to.changes()
		if b.Head != nil {
			return
		}
	}
}

// scaleApply does all that can be done and returns how much that was.
func scaleApply(r *replica) int {
	n := 0
	for {
		ops := r.started(r.ops(time.Now(), 256))
		if len(ops) == 0 {
			return n
		}
		r.changes()
		for _, o := range ops {
			n++
			r.done(o, result{Seen: Seen{o.Want.value(), o.Bits}})
		}
		r.changes()
		r.status()
	}
}
