package folder

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/blake3"
)

// A world is devices with model disks, each driven by a real replica, and the
// oracle that watches them.
type world struct {
	off     rules
	names   []string
	devices map[string]*modelDevice
	micros  int64 // the common clock
	serial  int64 // of disk states
	oracle  *oracle
	guarded bool
	free    int  // files that may go before the guard asks, 0: as built in
	calm    bool // everybody meets after each step
}

// A modelDevice is a disk, a store and a replica between them.
type modelDevice struct {
	w       *world
	name    string
	id      DeviceID
	role    Role
	gen     byte
	lag     int64 // of its clock, µs
	disk    map[Path]*modelFile
	store   modelStore
	backup  *modelStore
	r       *replica
	ignored map[Path]bool
	moved   bool          // something was committed
	gone    map[Path]bool // a user removed it since the last scan
}

// A modelFile is what a disk has at a path.
type modelFile struct {
	seen      Seen
	stat      Stat
	instances map[int]bool // writes by users that it stands for
	touched   bool         // by a user, since the last scan
}

// A modelStore is the committed index.
type modelStore struct {
	self    ReplicaRecord
	rows    map[Path]Row
	pending map[pendingKey]pendingRow
	records map[ReplicaID]ReplicaRecord
	heads   map[DeviceID]memberHead
	intents map[Path]intent
	seq     uint64
	lastN   uint64
	fresh   bool
}

func newWorld(off rules, names ...string) *world {
	w := &world{off: off, names: names, devices: map[string]*modelDevice{}, micros: 1000}
	w.oracle = newOracle(w)
	for _, name := range names {
		d := &modelDevice{
			w: w, name: name, id: DeviceID{name[0]}, role: ReadWrite,
			disk: map[Path]*modelFile{}, ignored: map[Path]bool{}, gone: map[Path]bool{},
		}
		w.devices[name] = d
		d.store = emptyStore(d.record(), false)
	}
	for _, name := range names {
		w.devices[name].start()
	}
	return w
}

func emptyStore(self ReplicaRecord, fresh bool) modelStore {
	return modelStore{
		self: self, fresh: fresh,
		rows: map[Path]Row{}, pending: map[pendingKey]pendingRow{}, records: map[ReplicaID]ReplicaRecord{},
		heads: map[DeviceID]memberHead{}, intents: map[Path]intent{},
	}
}

func (d *modelDevice) record() ReplicaRecord {
	return ReplicaRecord{ID: ReplicaID{d.name[0], d.gen}, Device: d.id, Label: d.name}
}

func (d *modelDevice) now() time.Time { return time.UnixMicro(d.w.micros + d.lag) }

// start makes the replica from what the store has, as after a crash.
func (d *modelDevice) start() {
	off := d.w.off
	off.noGuard = off.noGuard || !d.w.guarded
	d.r = newReplica(d.store.self, d.role, off)
	if d.w.free > 0 {
		d.r.guard.files = d.w.free
	}
	s := d.store
	d.r.load(saved{
		Rows: sortedValues(s.rows, cmp.Compare), Pending: sortedValues(s.pending, comparePendingKeys),
		Records: sortedValues(s.records, func(a, b ReplicaID) int { return slices.Compare(a[:], b[:]) }),
		Intents: sortedValues(s.intents, cmp.Compare),
		Heads:   sortedValues(s.heads, func(a, b DeviceID) int { return slices.Compare(a[:], b[:]) }),
		Seq:     s.seq, LastN: s.lastN, Fresh: s.fresh,
	})
	d.r.members(d.w.membersBut(d))
	d.thaw(d.r.ignore(func(p Path, _ bool) bool { return d.ignores(p) }))
	d.commit()
	d.observe(d.r.intentPaths())
}

func sortedValues[K comparable, V any](m map[K]V, compare func(K, K) int) []V {
	var vs []V
	for _, k := range slices.SortedFunc(maps.Keys(m), compare) {
		vs = append(vs, m[k])
	}
	return vs
}

func (w *world) membersBut(d *modelDevice) []Member {
	var ms []Member
	for _, name := range w.names {
		if o := w.devices[name]; o != d {
			ms = append(ms, Member{Device: o.id, Name: o.name, Role: o.role})
		}
	}
	return ms
}

func (d *modelDevice) ignores(p Path) bool {
	for ; p != ""; p = parentOf(p) {
		if d.ignored[p] {
			return true
		}
	}
	return false
}

// commit is one transaction.
func (d *modelDevice) commit() {
	cs, any := d.r.changes()
	if !any {
		return
	}
	if cs.Announces || len(cs.Rows)+len(cs.Pending)+len(cs.DropPending)+len(cs.Heads) > 0 {
		d.moved = true
	}
	s := &d.store
	for _, r := range cs.Rows {
		s.rows[r.Path] = r
	}
	for _, p := range cs.DropRows {
		delete(s.rows, p)
	}
	for _, p := range cs.Pending {
		s.pending[p.pendingKey] = p
	}
	for _, k := range cs.DropPending {
		delete(s.pending, k)
	}
	for _, r := range cs.Records {
		s.records[r.ID] = r
	}
	for _, h := range cs.Heads {
		s.heads[h.Device] = h
	}
	for _, id := range cs.DropHeads {
		delete(s.heads, id)
	}
	for _, in := range cs.Intents {
		s.intents[in.Path] = in
	}
	for _, p := range cs.DropIntents {
		delete(s.intents, p)
	}
	s.seq, s.lastN, s.fresh = cs.Seq, cs.LastN, cs.Fresh
	d.w.oracle.based(d)
}

func (s modelStore) clone() *modelStore {
	s.rows, s.pending, s.records = maps.Clone(s.rows), maps.Clone(s.pending), maps.Clone(s.records)
	s.heads, s.intents = maps.Clone(s.heads), maps.Clone(s.intents)
	return &s
}

// loseIndex leaves the disk and a device that knows nothing of it.
func (d *modelDevice) loseIndex() {
	last := uint64(0)
	if !d.w.off.oldID {
		d.gen++
	}
	d.store = emptyStore(d.record(), true)
	d.store.lastN = last
	d.w.oracle.lostIndex(d)
	d.start()
}

// scan looks at everything on disk and at everything the index has.
func (d *modelDevice) scan() {
	paths := map[Path]bool{}
	for p := range d.disk {
		paths[p] = true
	}
	for row := range d.r.below("") {
		paths[row.Path] = true
	}
	for p := range paths {
		if row, ok := d.r.row(p); ok && row.Frozen && (d.disk[p] == nil || d.disk[p].seen != row.Seen) {
			d.r.lost(p)
		}
	}
	d.observe(slices.Sorted(maps.Keys(paths)))
	d.r.scanned()
	d.r.again()
	d.commit()
}

func (d *modelDevice) thaw(ps []Path) { d.observe(ps) }

func (d *modelDevice) observe(ps []Path) {
	var obs []observation
	for _, p := range ps {
		if d.ignores(p) {
			continue
		}
		o := observation{Path: p, DiskName: path.Base(string(p))}
		if f := d.disk[p]; f != nil {
			o.Seen, o.Stat = f.seen, f.stat
		}
		obs = append(obs, o)
	}
	before := d.own()
	d.r.observe(d.now(), obs)
	d.w.oracle.stamped(d, before)
	for _, p := range ps {
		if _, held := d.r.guard.scan[p]; held {
			continue
		}
		if f := d.disk[p]; f != nil && !d.ignores(p) {
			f.touched = false
		}
		d.w.oracle.looked(d, p)
	}
	d.commit()
}

// own returns, per path, the number of this replica's dot there.
func (d *modelDevice) own() map[Path]uint64 {
	ns := map[Path]uint64{}
	for p, n := range d.r.nodes {
		if i, ok := n.row.Entry.V.find(d.r.self.ID); ok {
			ns[p] = n.row.Entry.V[i].N
		}
	}
	return ns
}

// pull takes all rows of another device.
func (d *modelDevice) pull(from *modelDevice) { d.take(from, 1<<30) }

// take takes at most so many batches.
func (d *modelDevice) take(from *modelDevice, batches int) {
	for ; batches > 0; batches-- {
		from.commit()
		b := from.r.feed(d.r.cursor(from.id), 3)
		err := d.r.receive(from.id, b)
		if errors.Is(err, errFresh) {
			d.loseIndex()
			continue
		}
		if errors.Is(err, errReconnect) {
			continue
		}
		if err != nil {
			d.w.oracle.fault("%s refuses %s: %v", d.name, from.name, err)
			return
		}
		d.commit()
		if b.Head != nil {
			return
		}
	}
}

func (w *world) stat(s Seen, mtime int64) Stat {
	w.serial++
	return Stat{Kind: s.Kind, Size: s.Size, MTime: mtime, CTime: w.serial, Ino: uint64(w.serial), Bits: s.Bits}
}

func contentOf(s string) Hash { return Hash(blake3.Sum256([]byte(s))) }

// write is a user's: parents are made, what is in the way goes.
func (d *modelDevice) write(p Path, v Value, mtime int64, bits uint32) {
	for dir := parentOf(p); dir != ""; dir = parentOf(dir) {
		if f := d.disk[dir]; f == nil || f.seen.Kind != Dir {
			d.write(dir, Value{Kind: Dir}, 0, 0o755)
		}
	}
	if f := d.disk[p]; f != nil && f.seen.Kind == Dir {
		if v.Kind == Dir {
			return
		}
		d.remove(p)
	}
	d.w.oracle.ended(d, p)
	f := &modelFile{seen: Seen{v, bits}, touched: true, instances: map[int]bool{}}
	f.stat = d.w.stat(f.seen, mtime)
	d.disk[p] = f
	if v.Kind != Dir {
		d.w.oracle.wrote(d, p, f)
	}
}

// remove is a user's, with all that is below.
func (d *modelDevice) remove(p Path) {
	for q := range d.disk {
		if q == p || strings.HasPrefix(string(q), string(p)+"/") {
			d.w.oracle.ended(d, q)
			delete(d.disk, q)
			d.gone[q] = true
		}
	}
}

// rename is a user's; it does nothing where a shell would refuse.
func (d *modelDevice) rename(p, to Path) {
	f := d.disk[p]
	if f == nil || p == to || strings.HasPrefix(string(to), string(p)+"/") || strings.HasPrefix(string(p), string(to)+"/") {
		return
	}
	var moved []Path
	for q := range d.disk {
		if q == p || strings.HasPrefix(string(q), string(p)+"/") {
			moved = append(moved, q)
		}
	}
	slices.Sort(moved)
	files := map[Path]*modelFile{}
	for _, q := range moved {
		files[q] = d.disk[q]
	}
	d.remove(p)
	d.remove(to)
	for _, q := range moved {
		d.write(to+q[len(p):], files[q].seen.Value, files[q].stat.MTime, files[q].seen.Bits)
	}
}

func (d *modelDevice) others() []*modelDevice {
	var ds []*modelDevice
	for _, name := range d.w.names {
		if name != d.name {
			ds = append(ds, d.w.devices[name])
		}
	}
	return ds
}

// maxRounds is how long a world may take to come to rest.
const maxRounds = 25

// quiet connects everybody until nothing changes any more.
func (w *world) quiet() error {
	for range maxRounds {
		for _, name := range w.names {
			w.devices[name].moved = false
		}
		for _, name := range w.names {
			d := w.devices[name]
			d.exchangeFirst(d.others())
			for _, o := range d.others() {
				d.pull(o)
			}
			d.apply(d.others(), -1)
			d.allowAll()
			w.micros += 10
		}
		if !slices.ContainsFunc(w.names, func(n string) bool { return w.devices[n].moved }) {
			return nil
		}
	}
	return fmt.Errorf("not quiet after %d rounds", maxRounds)
}

// allowAll answers what the guard asks.
func (d *modelDevice) allowAll() {
	for _, h := range d.r.held() {
		d.r.answer(d.now(), h.Kind, true)
		d.moved = true
	}
	d.commit()
}

// exchangeFirst scans; a fresh index hears of the others before.
func (d *modelDevice) exchangeFirst(from []*modelDevice) {
	if d.r.fresh {
		for _, o := range from {
			d.pull(o)
		}
	}
	d.scan()
}

// tree is what a disk shows, as text.
func (d *modelDevice) tree() string {
	var b strings.Builder
	for _, p := range slices.Sorted(maps.Keys(d.disk)) {
		if !d.ignores(p) {
			fmt.Fprintf(&b, "%s=%s ", p, d.w.oracle.name(d.disk[p].seen.Value))
		}
	}
	return strings.TrimSpace(b.String())
}

// forge puts an entry into the index that no honest program would make.
func (d *modelDevice) forge(p Path, content string) {
	v := Value{Kind: File, Size: int64(len(content)), Content: contentOf(content)}
	n := d.r.node(p)
	f := &modelFile{seen: Seen{v, 0o644}, instances: map[int]bool{}}
	f.stat = d.w.stat(f.seen, 1)
	d.disk[p] = f
	d.r.setSeen(n, result{Seen: f.seen, Stat: f.stat})
	d.r.setBase(n, d.r.over(d.now(), n.row.Entry, v, 1))
	d.commit()
}
