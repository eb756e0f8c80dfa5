package folder

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// An oracle knows what users wrote and ended, and nothing of vectors. Each
// write to a disk is an instance of its content.
type oracle struct {
	w         *world
	names     map[Hash]string
	contents  []Hash                // of each instance
	done      map[int]bool          // instances that a user ended who had them on screen
	endedAt   map[Path]map[int]bool // and where
	instances map[Dot]map[int]bool  // that a version stands for
	lost      bool                  // an index was lost: what was ended before may come back
	wrong     []string
}

func newOracle(w *world) *oracle {
	return &oracle{
		w: w, names: map[Hash]string{}, done: map[int]bool{},
		endedAt: map[Path]map[int]bool{}, instances: map[Dot]map[int]bool{},
	}
}

func (o *oracle) name(v Value) string {
	switch v.Kind {
	case Dir:
		return "/"
	case Link:
		return "@" + v.Target
	}
	return o.names[v.Content]
}

func (o *oracle) wrote(d *modelDevice, p Path, f *modelFile) {
	f.instances[len(o.contents)] = true
	o.contents = append(o.contents, f.seen.Content)
	n := d.r.nodes[p]
	unseen := n != nil && n.row.Seen.Value == f.seen.Value // no program can see that it was written again
	if d.role == ReadOnly || d.ignores(p) || unseen {
		o.done[len(o.contents)-1] = true // nobody promised to keep it
	}
}

func (o *oracle) ended(d *modelDevice, p Path) {
	f := d.disk[p]
	if f == nil || d.role == ReadOnly {
		return
	}
	for i := range f.instances {
		o.done[i] = true
		if d.ignores(p) {
			continue // nobody hears of it before a thaw
		}
		if o.endedAt[p] == nil {
			o.endedAt[p] = map[int]bool{}
		}
		o.endedAt[p][i] = true
	}
}

// refused notes that a person wants what was there before many files went, and
// so ends what came in their place: on this disk, or from a member.
func (o *oracle) refused(d *modelDevice, k guardKind) {
	end := func(is map[int]bool) {
		for i := range is {
			o.done[i] = true
		}
	}
	if k == guardHere {
		for p := range d.r.scanHarms(d.r.heldScan()) {
			if f := d.disk[p]; f != nil {
				end(f.instances)
			}
		}
		return
	}
	for _, n := range d.r.nodes {
		if n.count.harm != harmless {
			for _, v := range n.targetEntry().S {
				end(o.instances[v.Dot])
			}
		}
	}
}

func (o *oracle) lostIndex(*modelDevice) { o.lost = true }

// stamped checks that only what users did got dots, and notes which writes
// the new versions stand for.
func (o *oracle) stamped(d *modelDevice, before map[Path]uint64) {
	for p, n := range d.own() {
		if n == before[p] {
			continue
		}
		f := d.disk[p]
		if f != nil && !f.touched && !o.lost {
			o.fault("%s: %s=%s was sync's, and was stamped", d.name, p, o.name(f.seen.Value))
		}
		if f == nil && !d.gone[p] && !o.lost {
			o.fault("%s: the absence of %s was sync's, and was stamped", d.name, p)
		}
		for _, v := range d.r.nodes[p].row.Entry.S {
			if v.Dot.R == d.r.self.ID && v.Dot.N == n && f != nil {
				o.register(p, v.Dot, f.instances)
			}
		}
	}
}

func (o *oracle) register(p Path, dot Dot, is map[int]bool) {
	for _, k := range []Dot{dot, birthDot(p, dot)} {
		if o.instances[k] == nil {
			o.instances[k] = map[int]bool{}
		}
		maps.Copy(o.instances[k], is)
	}
}

// put notes what a file stands for that sync put on a disk.
func (o *oracle) put(_ *modelDevice, p op, f *modelFile) {
	for _, v := range p.Target.S {
		o.register(p.Path, v.Dot, o.instances[v.Dot])
		if v.is(f.seen.Value) {
			maps.Copy(f.instances, o.instances[v.Dot])
		}
	}
}

// based notes what files stand for since equal versions were joined.
func (o *oracle) based(d *modelDevice) {
	for p, f := range d.disk {
		n := d.r.nodes[p]
		if n == nil || f.touched || n.row.Seen != f.seen {
			continue
		}
		for _, v := range n.row.Entry.S {
			if v.is(f.seen.Value) {
				o.register(p, v.Dot, o.instances[v.Dot])
				maps.Copy(f.instances, o.instances[v.Dot])
			}
		}
	}
}

func (o *oracle) looked(d *modelDevice, p Path) { delete(d.gone, p) }

func (o *oracle) fault(format string, args ...any) {
	o.wrong = append(o.wrong, fmt.Sprintf(format, args...))
}

// check tells what is wrong in a world at rest.
func (o *oracle) check() error {
	if len(o.wrong) > 0 {
		return errors.New(o.wrong[0])
	}
	var first *modelDevice
	live := map[Hash]bool{}
	at := map[Path]map[Hash]map[int]bool{}
	for _, name := range o.w.names {
		d := o.w.devices[name]
		if d.role == ReadOnly {
			continue
		}
		if s := d.r.status(); s.Open && len(d.ignored) == 0 {
			return fmt.Errorf("open: %s still has something to do: %+v", d.name, s)
		}
		for p, f := range d.disk {
			live[f.seen.Content] = true
			if d.ignores(p) {
				continue
			}
			if at[p] == nil {
				at[p] = map[Hash]map[int]bool{}
			}
			if at[p][f.seen.Content] == nil {
				at[p][f.seen.Content] = map[int]bool{}
			}
			maps.Copy(at[p][f.seen.Content], f.instances)
		}
		if first == nil {
			first = d
			continue
		}
		if err := o.equal(first, d); err != nil {
			return err
		}
	}
	return o.kept(live, at)
}

func (o *oracle) kept(live map[Hash]bool, at map[Path]map[Hash]map[int]bool) error {
	ended := map[Hash]bool{}
	for i := range o.done {
		ended[o.contents[i]] = true
	}
	for i, h := range o.contents {
		// After the loss of an index an equal content that was ended elsewhere
		// takes this one with it: nothing tells it from an old one.
		if excused := o.lost && ended[h]; !live[h] && !o.done[i] && !excused {
			return fmt.Errorf("lost: %s, which nobody ended", o.names[h])
		}
	}
	if o.lost {
		return nil
	}
	for p, is := range o.endedAt {
		for i := range is {
			here, shown := at[p][o.contents[i]]
			others := slices.ContainsFunc(slices.Collect(maps.Keys(here)), func(j int) bool { return !is[j] })
			if shown && !others {
				return fmt.Errorf("back: %s at %s, where a user ended it", o.names[o.contents[i]], p)
			}
		}
	}
	return nil
}

func (o *oracle) equal(a, b *modelDevice) error {
	paths := map[Path]bool{}
	for _, d := range []*modelDevice{a, b} {
		for p := range d.r.nodes {
			paths[p] = true
		}
		for p := range d.disk {
			paths[p] = true
		}
	}
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		if p == "" || a.leavesOut(p) || b.leavesOut(p) {
			continue
		}
		fa, fb := a.disk[p], b.disk[p]
		if (fa == nil) != (fb == nil) || fa != nil && fa.seen != fb.seen {
			return fmt.Errorf("diverged: %s has [%s], %s has [%s]: differ at %s", a.name, a.tree(), b.name, b.tree(), p)
		}
		if ea, eb := a.entry(p), b.entry(p); !ea.Equal(eb) {
			return fmt.Errorf("diverged: %s: %s knows %s, %s knows %s", p, a.name, o.show(ea), b.name, o.show(eb))
		}
	}
	return nil
}

// leavesOut tells whether a path is ignored, or must stay a directory for what
// is ignored in it.
func (d *modelDevice) leavesOut(p Path) bool {
	for q := range d.ignored {
		if strings.HasPrefix(string(q), string(p)+"/") {
			return true
		}
	}
	return d.ignores(p)
}

func (d *modelDevice) entry(p Path) Entry {
	if n := d.r.nodes[p]; n != nil {
		return n.row.Entry
	}
	return Entry{}
}

// show is an entry as text.
func (o *oracle) show(e Entry) string {
	s := "{"
	for _, d := range e.V {
		s += fmt.Sprintf("%s%d ", replicaName(d.R), d.N)
	}
	for _, v := range e.S {
		s += fmt.Sprintf("| %s%d=%s ", replicaName(v.Dot.R), v.Dot.N, o.name(v.value()))
	}
	for _, w := range e.W {
		s += fmt.Sprintf("~%x ", w.Content[:2])
	}
	return s + fmt.Sprintf("m%d:%o}", e.M.Rank, e.M.Bits)
}

func replicaName(id ReplicaID) string {
	if id[0] >= 'A' && id[0] <= 'Z' && id[2] == 0 {
		return fmt.Sprintf("%c%d:", id[0], id[1])
	}
	return fmt.Sprintf("%x:", id[:2])
}
