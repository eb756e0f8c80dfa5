package folder

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A script is a history, one step a line:
//
//	devices P Q R            who there is, at first (default P Q R)
//	calm                     from here on everybody meets after each step
//	guard [1]                the guard is on, and asks when more files go than that
//	readonly R
//	P write a=x [mtime 6]    a user's steps; ~3 instead of a path is the third
//	P link a=x               path of what that disk has by then
//	P mkdir a
//	P delete a
//	P rename a b
//	P fill d 60              writes d/0 to d/59
//	P chmod a 700
//	P scan                   P's program looks
//	P pull Q                 takes what Q knows
//	P glimpse Q              takes three rows of what Q knows
//	P apply [Q R]            does what it can with content from Q and R
//	P slowly 5 [Q R]         the same, with pulls (1) and scans (2, 4) in between
//	P crash 2 [Q R]          the same, and dies after two changes to the disk
//	P lose                   its index
//	P save, P restore        its index, disk unchanged
//	R forge a=x              its program lies: a write of its own
//	P lag -50                its clock, µs
//	P ignore a, P thaw a
//	P leave a                ignores it when all is quiet
//	P answer here yes
//	sync P Q                 both scan, pull and apply until they agree
//	quiet                    the same for all
//	want P a=x d=/           exactly this tree
//	want P has 61            so many paths
//	want P held
//	want ok                  the oracle, after quiet
//	stop                     here, unjudged
type script []string

func (s script) String() string { return strings.Join(s, "\n") }

// runScript runs a script on devices of its own and lets the oracle judge at
// the end.
func runScript(off rules, s script) error {
	names := []string{"P", "Q", "R"}
	if len(s) > 0 && strings.HasPrefix(s[0], "devices ") {
		names, s = strings.Fields(s[0])[1:], s[1:]
	}
	w := newWorld(off, names...)
	for i, line := range s {
		if line == "stop" {
			return nil
		}
		if err := w.step(line); err != nil {
			return fmt.Errorf("line %d, %s: %w", i+1, line, err)
		}
	}
	return w.judge()
}

func (w *world) judge() error {
	if err := w.quiet(); err != nil {
		return err
	}
	return w.oracle.check()
}

func (w *world) step(line string) error {
	w.micros += 10
	words := strings.Fields(line)
	switch words[0] {
	case "calm":
		w.calm = true
		return nil
	case "guard":
		w.guarded = true
		if len(words) > 1 {
			w.free, _ = strconv.Atoi(words[1])
		}
		for _, d := range w.devices {
			d.start()
		}
		return nil
	case "readonly":
		w.devices[words[1]].role = ReadOnly
		for _, d := range w.devices {
			d.start()
		}
		return nil
	case "quiet":
		return w.quiet()
	case "sync":
		return w.meet(words[1:])
	case "want":
		return w.want(words[1:])
	}
	d := w.devices[strings.TrimSuffix(words[0], ":")]
	if d == nil {
		return fmt.Errorf("no device %s", words[0])
	}
	return w.deviceStep(d, words[1:])
}

func (w *world) deviceStep(d *modelDevice, words []string) error {
	if done, err := w.userStep(d, words); done {
		if err == nil && w.calm {
			return w.calmly(d)
		}
		return err
	}
	switch words[0] {
	case "scan":
		d.scan()
	case "pull":
		for _, o := range w.named(words[1:]) {
			if o != d {
				d.pull(o)
			}
		}
	case "glimpse":
		for _, o := range w.named(words[1:]) {
			if o != d {
				d.take(o, 1)
			}
		}
	case "apply":
		d.apply(w.named(words[1:]), -1)
	case "slowly":
		n, _ := strconv.Atoi(words[1])
		d.slowly(w.named(words[2:]), n)
	case "crash":
		n, _ := strconv.Atoi(words[1])
		d.apply(w.named(words[2:]), n)
	case "lose":
		d.loseIndex()
	case "save":
		d.backup = d.store.clone()
	case "restore":
		if d.backup != nil {
			d.store = *d.backup.clone()
			w.oracle.lostIndex(d)
			d.start()
		}
	case "forge":
		name, content, _ := strings.Cut(words[1], "=")
		d.forge(Path(name), content)
	case "lag":
		d.lag, _ = strconv.ParseInt(words[1], 10, 64)
	case "leave":
		if err := w.quiet(); err != nil {
			return err
		}
		return w.deviceStep(d, []string{"ignore", words[1]})
	case "ignore":
		d.scan()
		d.ignored[Path(words[1])] = true
		d.thaw(d.r.ignore(func(p Path, _ bool) bool { return d.ignores(p) }))
		d.commit()
	case "thaw":
		delete(d.ignored, Path(words[1]))
		d.thaw(d.r.ignore(func(p Path, _ bool) bool { return d.ignores(p) }))
		d.commit()
	case "answer":
		kind := guardHere
		if words[1] == "there" {
			kind = guardThere
		}
		w.oracle.lost = true // a no brings back what was ended
		yes := words[2] == "yes" || kind == guardHere && !d.elsewhere()
		if !yes {
			w.oracle.refused(d, kind)
		}
		d.r.answer(d.now(), kind, yes)
		d.commit()
	default:
		return fmt.Errorf("no step %q", words[0])
	}
	return nil
}

// elsewhere tells whether others have all that a held scan misses: only then
// can a no bring it back.
func (d *modelDevice) elsewhere() bool {
	live := map[Hash]bool{}
	for _, o := range d.others() {
		for _, f := range o.disk {
			live[f.seen.Content] = true
		}
	}
	for p := range d.r.guard.scan {
		if row, ok := d.r.row(p); ok && !live[row.Seen.Content] {
			return false
		}
	}
	return true
}

// userStep does what a user does to a disk.
func (w *world) userStep(d *modelDevice, words []string) (bool, error) {
	switch words[0] {
	case "write", "link":
		name, content, _ := strings.Cut(words[1], "=")
		p := d.pick(name)
		mtime := w.micros
		if len(words) > 3 {
			mtime, _ = strconv.ParseInt(words[3], 10, 64)
		}
		if n := d.r.nodes[p]; n != nil && n.row.Seen.Content == contentOf(content) {
			content += "'" // else nobody could see that it was written again
		}
		w.oracle.names[contentOf(content)] = content
		v, bits := Value{Kind: File, Size: int64(len(content)), Content: contentOf(content)}, uint32(0o644)
		if words[0] == "link" {
			v, bits = Value{Kind: Link, Size: v.Size, Content: v.Content, Target: content}, 0o777
		}
		d.write(p, v, mtime, bits)
	case "mkdir":
		d.write(d.pick(words[1]), Value{Kind: Dir}, 0, 0o755)
	case "delete":
		d.remove(d.pick(words[1]))
	case "fill":
		n, _ := strconv.Atoi(words[2])
		for i := range n {
			name := words[1] + "/" + strconv.Itoa(i)
			if _, err := w.userStep(d, []string{"write", name + "=" + name}); err != nil {
				return true, err
			}
		}
	case "rename":
		d.rename(d.pick(words[1]), Path(words[2]))
	case "chmod":
		bits, err := strconv.ParseUint(words[2], 8, 32)
		if err != nil {
			return true, err
		}
		if f := d.disk[d.pick(words[1])]; f != nil && f.seen.Kind != Link {
			f.seen.Bits, f.touched = uint32(bits), true
			f.stat = w.stat(f.seen, f.stat.MTime)
		}
	default:
		return false, nil
	}
	return true, nil
}

// pick finds the path that ~N stands for on this disk, copy:R:x:a for the copy
// of R's x at a, or another word itself.
func (d *modelDevice) pick(word string) Path {
	if c, ok := strings.CutPrefix(word, "copy:"); ok {
		f := strings.SplitN(c, ":", 3)
		return CopyPath(Path(f[2]), f[0], Version{Content: contentOf(f[1])})
	}
	n, err := strconv.Atoi(strings.TrimPrefix(word, "~"))
	if err != nil || len(d.disk) == 0 {
		return Path(word)
	}
	return slices.Sorted(maps.Keys(d.disk))[n%len(d.disk)]
}

func (w *world) named(words []string) []*modelDevice {
	var ds []*modelDevice
	for _, word := range words {
		if d := w.devices[word]; d != nil {
			ds = append(ds, d)
		}
	}
	return ds
}

// meet lets some devices agree.
func (w *world) meet(words []string) error {
	some := w.named(words)
	for range maxRounds {
		moved := false
		for _, d := range some {
			d.moved = false
			var others []*modelDevice
			for _, o := range some {
				if o != d {
					others = append(others, o)
				}
			}
			d.exchangeFirst(others)
			for _, o := range others {
				d.pull(o)
			}
			d.apply(others, -1)
			moved = moved || d.moved
		}
		if !moved {
			return nil
		}
	}
	return fmt.Errorf("%v do not come to rest", words)
}

// calmly checks that a change which everybody hears of at once is just taken.
func (w *world) calmly(d *modelDevice) error {
	want := d.tree()
	if err := w.quiet(); err != nil {
		return err
	}
	for _, name := range w.names {
		if got := w.devices[name].tree(); got != want {
			return fmt.Errorf("%s has [%s], want [%s]", name, got, want)
		}
	}
	return nil
}

func (w *world) want(words []string) error {
	if words[0] == "ok" {
		return w.judge()
	}
	d := w.devices[words[0]]
	if len(words) > 1 && words[1] == "held" {
		if len(d.r.held()) == 0 {
			return fmt.Errorf("nothing is held")
		}
		return nil
	}
	if len(words) == 3 && words[1] == "has" {
		if n, _ := strconv.Atoi(words[2]); len(d.disk) != n {
			return fmt.Errorf("has %d paths", len(d.disk))
		}
		return nil
	}
	want := strings.Join(words[1:], " ")
	for i, word := range words[1:] {
		if name, content, ok := strings.Cut(word, "="); ok && strings.HasPrefix(name, "copy:") {
			words[i+1] = string(d.pick(name)) + "=" + content
			want = strings.Join(words[1:], " ")
		}
	}
	if got := d.tree(); got != want {
		return fmt.Errorf("has [%s], want [%s]", got, want)
	}
	return nil
}
