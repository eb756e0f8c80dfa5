package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A faultTree calls a function around each change of the disk.
type faultTree struct {
	Tree
	mu    sync.Mutex
	fault func(what string, p Path) error // before it; an error is returned instead
	after func(what string, p Path)
}

func (t *faultTree) set(fault func(string, Path) error, after func(string, Path)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fault, t.after = fault, after
}

func (t *faultTree) around(what string, p Path, do func() error) error {
	t.mu.Lock()
	fault, after := t.fault, t.after
	t.mu.Unlock()
	if fault != nil {
		if err := fault(what, p); err != nil {
			return err
		}
	}
	err := do()
	if after != nil {
		after(what, p)
	}
	return err
}

func (t *faultTree) Put(p Path, old Stat, stage string) (st Stat, k *Kept, err error) {
	err = t.around("put", p, func() error {
		st, k, err = t.Tree.Put(p, old, stage)
		return err
	})
	return st, k, err
}

func (t *faultTree) Remove(p Path, old Stat) (k *Kept, err error) {
	err = t.around("remove", p, func() error {
		k, err = t.Tree.Remove(p, old)
		return err
	})
	return k, err
}

func (t *faultTree) Sync(stages []string, paths []Path) error {
	what := "sync names"
	if len(stages) > 0 {
		what = "sync contents"
	}
	return t.around(what, "", func() error { return t.Tree.Sync(stages, paths) })
}

// again runs a stopped member's folder with the same index.
func (m *testMember) again(change func(*Config)) *testMember {
	m.t.Helper()
	m.stop()
	n := startOn(m.t, m.dir, m.device[0], m.cfg.Role, func(c *Config) {
		c.StorePath = m.cfg.StorePath
		if change != nil {
			change(c)
		}
	})
	m.mu.Lock()
	n.SetMembers(m.members)
	m.mu.Unlock()
	return n
}

// A program that ends between any two steps of a batch must neither take what
// it wrote for a person's edit nor lose anything.
func TestEndsInTheMiddleOfABatch(t *testing.T) {
	for _, point := range []string{"before sync contents", "after sync contents", "before put", "after put", "before remove", "after remove", "before sync names", "after sync names"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			a := startOn(t, t.TempDir(), 1, ReadWrite, nil)
			var faults *faultTree
			b := startOn(t, t.TempDir(), 2, ReadWrite, func(c *Config) {
				faults = &faultTree{Tree: c.Tree}
				c.Tree = faults
			})
			cut := joinBoth(t, a, b)
			a.write("edited", "1")
			a.write("gone", "1")
			for i := range 9 {
				a.write(fmt.Sprint("other", i), "") // so that the guard stays calm
			}
			settle(a, b)

			ended := make(chan struct{})
			end := sync.OnceFunc(func() {
				go func() {
					b.stop()
					close(ended)
				}()
				<-b.ctx.Done()
			})
			when, what, _ := strings.Cut(point, " ")
			if when == "before" {
				faults.set(func(w string, _ Path) error {
					if w == what {
						end()
						return errors.New("the program ended")
					}
					return nil
				}, nil)
			} else {
				faults.set(nil, func(w string, _ Path) {
					if w == what {
						end()
					}
				})
			}
			a.write("edited", "2, longer")
			a.write("new", "2")
			if err := os.Remove(filepath.Join(a.dir, "gone")); err != nil {
				t.Fatal(err)
			}
			<-ended
			cut()

			// The author deletes what B may have put on its disk already.
			for _, name := range []string{"edited", "new"} {
				if err := os.Remove(filepath.Join(a.dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			a.write("stays", "3")
			b = b.again(nil)
			connectBoth(t, a, b)
			settle(a, b)
			wantEqual(t, a, b)
			if got := listing(t, a.dir); strings.Count(got, "\n") != 10 {
				t.Errorf("after a crash %s the directory has\n%s, want nothing but what stays and others", point, got)
			}
		})
	}
}

func TestManyFilesInBatches(t *testing.T) {
	a, b := startOn(t, t.TempDir(), 1, ReadWrite, nil), startOn(t, t.TempDir(), 2, ReadWrite, nil)
	for i := range 700 {
		a.write(fmt.Sprintf("d%d/%d", i%7, i), strings.Repeat("y", i%5)) // few contents: most are copied here
	}
	joinBoth(t, a, b)
	settle(a, b)
	wantEqual(t, a, b)
}
