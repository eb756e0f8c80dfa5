package foldertest

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/text/unicode/norm"

	"foldpost/app/folder"
)

// A node is an inode. Kind Nothing is a pipe.
type node struct {
	kind   folder.Kind
	ino    uint64
	links  uint32
	bits   uint32
	mtime  int64
	ctime  int64
	data   []byte // never changed in place
	target string
	kids   map[string]*node

	dirty bool // differs from safe
	safe  saved
}

// saved is what a crash can not take.
type saved struct {
	data  []byte
	mtime int64
	bits  uint32
}

// A slot is one directory entry, and what it is to hold: nil for nothing.
type slot struct {
	dir  *node
	name string
	to   *node
}

// A nameOp is a change of names that a crash undoes or keeps as a whole.
type nameOp struct {
	slots []slot
	was   []*node
}

// A disk is locked by its Tree.
type disk struct {
	dev, lastIno uint64
	root         *node
	lastTime     int64
	step         time.Duration
	size, used   int64
	readOnly     bool
	log          []*nameOp // not durable yet, oldest first
	events       []folder.Path
	trashDirs    map[*node]bool // with names since the last Sync
}

var lastDev atomic.Uint64

func newDisk(opts Options) *disk {
	d := &disk{dev: lastDev.Add(1), size: opts.Size, step: opts.Granularity, trashDirs: map[*node]bool{}}
	d.root = d.newNode(folder.Dir, 0o755)
	d.root.links = 1
	return d
}

// now is a time of its own for each change, unless the disk is coarse.
func (d *disk) now() int64 {
	t := time.Now()
	if d.step > 0 {
		return t.Truncate(d.step).UnixNano()
	}
	d.lastTime = max(d.lastTime+1, t.UnixNano())
	return d.lastTime
}

func (d *disk) newNode(kind folder.Kind, bits uint32) *node {
	d.lastIno++
	n := &node{kind: kind, ino: d.lastIno, bits: bits, mtime: d.now()}
	n.ctime = n.mtime
	if kind == folder.Dir {
		n.kids = map[string]*node{}
	}
	n.dirty = true
	return n
}

func (d *disk) stat(n *node) folder.Stat {
	st := folder.Stat{Kind: n.kind, MTime: n.mtime, CTime: n.ctime, Dev: d.dev, Ino: n.ino, Bits: n.bits, NLink: n.links}
	switch n.kind {
	case folder.File:
		st.Size = int64(len(n.data))
	case folder.Link:
		st.Size, st.Bits = int64(len(n.target)), 0
	}
	return st
}

// setData gives a file new content; false where it does not fit.
func (d *disk) setData(n *node, data []byte) bool {
	grow := int64(len(data) - len(n.data))
	if grow > 0 && d.used+grow > d.size {
		return false
	}
	d.used += grow
	n.data, n.dirty = data, true
	n.mtime = d.now()
	n.ctime = n.mtime
	return true
}

// name changes directory entries in one step.
func (d *disk) name(slots ...slot) *nameOp {
	op := &nameOp{slots: slots}
	at := d.now()
	for _, s := range slots {
		op.was = append(op.was, s.dir.kids[s.name])
	}
	for i, s := range slots {
		d.set(s.dir, s.name, s.to)
		s.dir.mtime, s.dir.ctime = at, at
		for _, n := range []*node{s.to, op.was[i]} {
			if n != nil {
				n.ctime = at
			}
		}
	}
	d.log = append(d.log, op)
	return op
}

func (d *disk) set(dir *node, name string, to *node) {
	if to != nil {
		to.links++
	}
	if was := dir.kids[name]; was != nil {
		was.links--
		if was.links == 0 {
			d.used -= int64(len(was.data))
		}
	}
	if to == nil {
		delete(dir.kids, name)
	} else {
		dir.kids[name] = to
	}
}

// save makes a file's content, time and bits durable.
func (d *disk) save(n *node) {
	n.safe, n.dirty = saved{n.data, n.mtime, n.bits}, false
}

// saveNames makes the names in a directory durable.
func (d *disk) saveNames(dir *node) {
	d.saveOps(func(op *nameOp) bool {
		return slices.ContainsFunc(op.slots, func(s slot) bool { return s.dir == dir })
	})
}

// saveOps makes changes of names durable, with those that they are built on.
func (d *disk) saveOps(want func(*nameOp) bool) {
	keep := map[*nameOp]bool{}
	for _, op := range d.log {
		if want(op) {
			keep[op] = true
		}
	}
	d.closure(keep)
	d.log = slices.DeleteFunc(d.log, func(op *nameOp) bool { return keep[op] })
}

// closure adds what is needed: earlier changes of the same entry, and those
// that gave or took a name of the same inode.
func (d *disk) closure(keep map[*nameOp]bool) {
	for i := len(d.log) - 1; i >= 0; i-- {
		if !keep[d.log[i]] {
			continue
		}
		for _, earlier := range d.log[:i] {
			keep[earlier] = keep[earlier] || d.log[i].needs(earlier)
		}
	}
}

func (op *nameOp) needs(earlier *nameOp) bool {
	for i, s := range op.slots {
		for j, e := range earlier.slots {
			if s.dir == e.dir && s.name == e.name {
				return true
			}
			for _, n := range []*node{e.to, earlier.was[j]} {
				if n != nil && (n == s.dir || n == s.to || n == op.was[i]) {
					return true
				}
			}
		}
	}
	return false
}

// crash loses some of what is not durable.
func (d *disk) crash(seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	keep := map[*nameOp]bool{}
	share := rng.Float64()
	for _, op := range d.log {
		keep[op] = rng.Float64() < share
	}
	d.closure(keep)
	for _, op := range slices.Backward(d.log) {
		if keep[op] {
			continue
		}
		for i, s := range slices.Backward(op.slots) {
			d.set(s.dir, s.name, op.was[i])
		}
	}
	d.log, d.events = nil, nil
	d.trashDirs = map[*node]bool{}
	d.root.lose(rng, d)
	d.used = used(d.root, map[*node]bool{})
}

// used counts the bytes of files below, each once.
func used(n *node, seen map[*node]bool) int64 {
	if seen[n] {
		return 0
	}
	seen[n] = true
	sum := int64(len(n.data))
	for _, kid := range n.kids {
		sum += used(kid, seen)
	}
	return sum
}

// lose takes from each file below what was not saved.
func (n *node) lose(rng *rand.Rand, d *disk) {
	for _, name := range sortedNames(n) {
		n.kids[name].lose(rng, d)
	}
	if !n.dirty || n.kind != folder.File {
		return
	}
	all := len(n.data)
	switch cut := rng.IntN(all + 1); rng.IntN(4) {
	case 0: // all is there
	case 1:
		n.data = n.safe.data
	case 2:
		n.data = slices.Clip(n.data[:cut])
	case 3:
		n.data = append(slices.Clone(n.data[:cut]), make([]byte, all-cut)...)
	}
	if rng.IntN(2) == 0 {
		n.mtime = d.now()
	}
	d.save(n)
}

func sortedNames(n *node) []string {
	names := make([]string, 0, len(n.kids))
	for name := range n.kids {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// lookup finds an NFC name in whatever normalization it is there.
func (n *node) lookup(name string) (diskName string, kid *node) {
	if kid := n.kids[name]; kid != nil {
		return name, kid
	}
	if isASCII(name) { // but for three characters, which no test uses
		return name, nil
	}
	for _, other := range sortedNames(n) {
		if norm.NFC.String(other) == name {
			return other, n.kids[other]
		}
	}
	return name, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// makeDir returns a directory, a new one where nothing is; nil where
// something else is.
func (d *disk) makeDir(dir *node, name string, bits uint32) *node {
	kid := dir.kids[name]
	if kid == nil {
		kid = d.newNode(folder.Dir, bits)
		d.name(slot{dir, name, kid})
	}
	if kid.kind != folder.Dir {
		return nil
	}
	return kid
}
