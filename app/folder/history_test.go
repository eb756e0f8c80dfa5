package folder_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"foldpost/app/folder"
	"foldpost/app/folder/foldertest"
)

// A history is a script of what happens to three devices, one step a line. It
// is drawn before anything runs.
type history []string

var (
	historyPaths = []string{"a", "b", "d/a", "d/b", "d/e/a", "f/a"}
	historyNames = []string{"A", "B", "C"}
	historyOps   = []string{"Stage", "Write", "Seal", "Sync", "Put", "Mkdir", "Remove", "Rmdir", "Chmod", "List", "Read", "Stat"}
)

func drawHistory(steps int, pick func(n int) int) history {
	of := func(list []string) string { return list[pick(len(list))] }
	var h history
	for i := range steps {
		d, p := of(historyNames), of(historyPaths)
		switch pick(18) {
		case 0, 1, 2, 3, 4:
			h = append(h, fmt.Sprintf("%s write %s c%d", d, p, i))
		case 5, 6:
			h = append(h, fmt.Sprintf("%s remove %s", d, of([]string{p, "d", "d/e", "f"})))
		case 7:
			h = append(h, fmt.Sprintf("%s rename %s %s", d, p, of(historyPaths)))
		case 8:
			h = append(h, fmt.Sprintf("%s chmod %s %o", d, p, 0o600+pick(2)*0o55))
		case 9, 10:
			h = append(h, fmt.Sprintf("%s cut %s", d, of(historyNames)))
		case 11, 12:
			h = append(h, fmt.Sprintf("%s link %s", d, of(historyNames)))
		case 13:
			h = append(h, fmt.Sprintf("%s %s %s %d", d, of([]string{"kill", "power", "fail"}), of(historyOps), pick(4)))
		case 14:
			h = append(h, fmt.Sprintf("%s %s", d, of([]string{"kill", "power", "power", "lose"})))
		case 15, 16:
			h = append(h, fmt.Sprintf("%s resolve %s", d, of([]string{"here", "copy", "both"})))
		default:
			h = append(h, fmt.Sprintf("wait %d", []int{0, 50, 150, 1200, 3000, 70000}[pick(6)]))
		}
		if pick(2) == 0 {
			h = append(h, fmt.Sprintf("wait %d", []int{10, 150, 1200, 3000}[pick(4)]))
		}
	}
	return h
}

// A historyRun is a history that runs, in a bubble, and what its users ended.
type historyRun struct {
	t       *testing.T
	devices map[string]*device
	links   map[string]func()
	written map[string]bool // contents
	ended   map[string]bool // contents that a user saw and replaced or deleted
}

func (h history) run(t *testing.T) {
	r, all := newHistoryRun(t)
	for _, line := range h {
		synctest.Wait() // a user's step is atomic
		r.step(strings.Fields(line))
	}
	r.end(all)
}

// newHistoryRun starts three devices that are connected.
func newHistoryRun(t *testing.T) (*historyRun, []*device) {
	r := &historyRun{
		t: t, devices: map[string]*device{}, links: map[string]func(){},
		written: map[string]bool{}, ended: map[string]bool{},
	}
	for _, n := range historyNames {
		r.devices[n] = inMemory(t, n, nil)
	}
	all := r.all()
	know(all...)
	calm(all[0])
	for i, a := range all {
		for _, b := range all[i+1:] {
			r.link(a.name, b.name)
		}
	}
	settle(all...)
	return r, all
}

func (r *historyRun) all() []*device {
	var all []*device
	for _, n := range historyNames {
		all = append(all, r.devices[n])
	}
	return all
}

func linkName(a, b string) string { return min(a, b) + max(a, b) }

func (r *historyRun) link(a, b string) {
	if a != b && r.links[linkName(a, b)] == nil {
		r.links[linkName(a, b)] = connect(r.devices[a], r.devices[b])
	}
}

func (r *historyRun) cut(a, b string) {
	if cut := r.links[linkName(a, b)]; cut != nil {
		cut()
		delete(r.links, linkName(a, b))
	}
}

func (r *historyRun) step(f []string) {
	if f[0] == "wait" {
		ms, _ := strconv.Atoi(f[1])
		<-time.After(time.Duration(ms) * time.Millisecond)
		return
	}
	d := r.devices[f[0]]
	tree := d.config.Tree.(*foldertest.Tree)
	switch f[1] {
	case "write":
		r.write(d, f[2], f[3])
	case "remove":
		if _, err := tree.Stat(folder.Path(f[2])); err == nil {
			r.end1(d, f[2])
			d.Remove(f[2])
		}
	case "rename":
		r.rename(d, f[2], f[3])
	case "chmod":
		if st, err := tree.Stat(folder.Path(f[2])); err == nil && st.Kind == folder.File {
			bits, _ := strconv.ParseUint(f[3], 8, 32)
			d.Chmod(f[2], uint32(bits))
		}
	case "resolve":
		r.resolve(d, f[2])
	case "cut":
		r.cut(f[0], f[2])
	case "link":
		r.link(f[0], f[2])
	default:
		r.fault(d, tree, f[1:])
	}
}

// end1 notes that a user saw what is at a path and ends it.
func (r *historyRun) end1(d *device, path string) {
	for p, c := range d.files() {
		if p == path || folder.Path(p).Below(folder.Path(path)) {
			r.ended[c] = true
		}
	}
}

// ready makes place for a file, as a user would.
func (r *historyRun) ready(d *device, path string) {
	tree := d.config.Tree
	dir := ""
	for part := range strings.SplitSeq(path, "/") {
		if dir != "" {
			st, err := tree.Stat(folder.Path(dir))
			if err == nil && st.Kind != folder.Dir {
				r.end1(d, dir)
				d.Remove(dir)
				err = folder.ErrGone
			}
			if err != nil {
				d.Mkdir(dir)
			}
			dir += "/"
		}
		dir += part
	}
	if st, err := tree.Stat(folder.Path(path)); err == nil && st.Kind == folder.Dir {
		r.end1(d, path)
		d.Remove(path)
	}
}

func (r *historyRun) write(d *device, path, content string) {
	r.ready(d, path)
	r.end1(d, path)
	d.Write(path, content)
	r.written[content] = true
}

func (r *historyRun) rename(d *device, from, to string) {
	st, err := d.config.Tree.Stat(folder.Path(from))
	if err != nil || st.Kind != folder.File || from == to {
		return
	}
	r.ready(d, to)
	r.end1(d, to)
	if _, err := d.config.Tree.Stat(folder.Path(from)); err == nil {
		d.Rename(from, to)
	}
}

// resolve ends the first conflict that a device shows. A user who decides has
// seen all its versions.
func (r *historyRun) resolve(d *device, keep string) {
	cs, err := d.Conflicts(r.t.Context())
	if err != nil || len(cs) == 0 {
		return
	}
	c := cs[0]
	content := d.files()
	switch keep {
	case "here":
		for _, p := range c.Copies {
			r.ended[content[string(p)]] = true
		}
		err = d.KeepHere(r.t.Context(), c.Path)
	case "copy":
		for _, p := range append(c.Copies[1:], c.Path) {
			r.ended[content[string(p)]] = true
		}
		err = d.KeepCopy(r.t.Context(), c.Path, c.Copies[0])
	case "both":
		err = d.KeepBoth(r.t.Context(), c.Path)
	}
	if testing.Verbose() {
		r.t.Logf("%s: resolve %s of %q: %v", d.name, keep, c.Path, err)
	}
}

func (r *historyRun) fault(d *device, tree *foldertest.Tree, f []string) {
	if len(f) == 1 {
		r.restart(d, tree, f[0])
		return
	}
	n, _ := strconv.Atoi(f[2])
	fault := foldertest.Fault{Op: f[1], After: n}
	next, reached := tree, false
	switch f[0] {
	case "fail":
		fault.Err = foldertest.ErrIO
	case "kill":
		fault.Err = foldertest.ErrIO
		fault.Do = func() {
			d.cancel()
			reached = true
		}
	case "power":
		fault.Do = func() {
			d.cancel()
			next, reached = tree.Crash(), true
		}
	}
	tree.Inject(fault)
	<-time.After(3 * time.Second)
	synctest.Wait()
	tree.Heal()
	if reached {
		r.restart(d, next, "")
	}
}

// restart ends a program, or its computer, or takes its index away, and starts
// it anew.
func (r *historyRun) restart(d *device, tree *foldertest.Tree, how string) {
	d.stop()
	switch how {
	case "power":
		tree = tree.Crash()
	case "lose":
		for _, suffix := range []string{"", "-wal", "-shm"} {
			os.Remove(d.config.StorePath + suffix)
		}
	}
	d.again(tree, r.all()...)
	for _, o := range r.all() {
		if r.links[linkName(d.name, o.name)] != nil {
			delete(r.links, linkName(d.name, o.name)) // stop cut it
			r.link(d.name, o.name)
		}
	}
}

// end connects everybody and judges.
func (r *historyRun) end(all []*device) {
	for _, a := range all {
		a.config.Tree.(*foldertest.Tree).Heal()
		for _, b := range all {
			r.link(a.name, b.name)
		}
	}
	<-time.After(3 * time.Minute) // what failed is tried again, second looks are taken
	defer func() {
		if r.t.Failed() {
			for _, d := range all {
				r.t.Logf("%s: %+v\n%s", d.name, d.Status(), d.listing())
			}
		}
	}()
	settle(all...)
	settle(all...)
	wantEqual(r.t, all...)
	live := map[string]bool{}
	for _, d := range all {
		for _, c := range d.files() {
			live[c] = true
		}
		if s := d.Status(); s.Problem != "" || len(s.Questions) > 0 || s.NeedFiles > 0 {
			r.t.Errorf("%s: Status() = %+v in the end", d.name, s)
		}
	}
	for c := range r.written {
		if !live[c] && !r.ended[c] {
			r.t.Errorf("content %s is lost: no user ended it", c)
		}
	}
}

// check runs a history in a bubble of its own.
func (h history) check(t *testing.T) bool {
	return t.Run("history", func(t *testing.T) {
		synctest.Test(t, h.run)
		if t.Failed() {
			t.Logf("history:\n%s", strings.Join(h, "\n"))
		}
	})
}

// TestRandomHistories runs histories of whole folders over disks in memory.
// FOLDPOST_HISTORIES sets how many.
func TestRandomHistories(t *testing.T) {
	n := 25
	if s := os.Getenv("FOLDPOST_HISTORIES"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	first, _ := strconv.ParseUint(os.Getenv("FOLDPOST_SEED"), 10, 64)
	for i := range n {
		seed := first + uint64(i)
		rng := rand.New(rand.NewPCG(seed, 2))
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			drawHistory(10+rng.IntN(25), rng.IntN).check(t)
		})
	}
}

// calmStep lets one user do something while nothing else happens, and maybe a
// program or computer end while it hears of that. All must become as that user
// left it: what sync does is no edit, and nothing comes back.
func (r *historyRun) calmStep(all []*device, line, fault string) bool {
	f := strings.Fields(line)
	d := r.devices[f[0]]
	r.step(f)
	want := d.files()
	if fault != "" && !strings.HasPrefix(fault, d.name) {
		r.step(strings.Fields(fault))
	}
	settle(all...)
	settle(all...)
	for _, o := range all {
		if got := o.files(); !maps.Equal(got, want) {
			r.t.Errorf("after %q, %q: %s has %q, want %q", line, fault, o.name, got, want)
			return false
		}
	}
	return true
}

// TestCalmHistories lets everything settle after each step.
func TestCalmHistories(t *testing.T) {
	n := 8
	if s := os.Getenv("FOLDPOST_HISTORIES"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	first, _ := strconv.ParseUint(os.Getenv("FOLDPOST_SEED"), 10, 64)
	for i := range n {
		seed := first + uint64(i)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, all := newHistoryRun(t)
				rng := rand.New(rand.NewPCG(seed, 3))
				users := drawHistory(40, rng.IntN)
				faults := drawHistory(200, rng.IntN)
				users = slices.DeleteFunc(users, func(l string) bool {
					return !strings.Contains(l, "write") && !strings.Contains(l, "remove") && !strings.Contains(l, "rename")
				})
				faults = slices.DeleteFunc(faults, func(l string) bool {
					return !strings.Contains(l, "kill") && !strings.Contains(l, "power") && !strings.Contains(l, "fail")
				})
				for i, line := range users {
					fault := ""
					if rng.IntN(2) == 0 && i < len(faults) {
						fault = faults[i]
					}
					if !r.calmStep(all, line, fault) {
						return
					}
				}
			})
		})
	}
}

// TestRapidHistories is the same drawn by rapid, which shrinks what fails. It
// draws before it runs: inside of a bubble it could not shrink.
func TestRapidHistories(t *testing.T) {
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		h := drawHistory(rapid.IntRange(1, 20).Draw(rt, "steps"), func(n int) int {
			return rapid.IntRange(0, n-1).Draw(rt, "pick")
		})
		if runs++; runs > rapidHistories && os.Getenv("FOLDPOST_HISTORIES") == "" {
			return
		}
		if !h.check(t) {
			rt.Fatalf("history of %d steps", len(h))
		}
	})
}

const rapidHistories = 12
