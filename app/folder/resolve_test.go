package folder_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/app/folder"
	"foldpost/app/folder/foldertest"
)

// apart makes one file differ on some devices that did not hear of each other.
func apart(t *testing.T, path string, ds ...*device) folder.Conflict {
	t.Helper()
	know(ds...)
	for i, d := range ds {
		for _, o := range ds[i+1:] {
			connect(d, o)
		}
	}
	ds[0].Write(path, "base")
	ds[0].Write("other", "o")
	settle(ds...)
	for _, d := range ds {
		d.Pause(true)
	}
	for i, d := range ds {
		d.Write(path, "by "+d.name)
		d.Touch(path, time.Now().Add(time.Duration(i-9)*time.Second)) // who wrote last is shown
	}
	for _, d := range ds {
		d.Pause(false)
	}
	settle(ds...)
	wantEqual(t, ds...)
	cs, err := ds[0].Conflicts(t.Context())
	if err != nil || len(cs) != 1 || len(cs[0].Copies) != len(ds)-1 {
		t.Fatalf("Conflicts() = %+v, %v, want one with %d copies", cs, err, len(ds)-1)
	}
	return cs[0]
}

// trashed is what the trash of a device holds.
func (d *device) trashed() []string {
	d.t.Helper()
	kept, err := d.Trash()
	if err != nil {
		d.t.Fatal(err)
	}
	var all []string
	for _, k := range kept {
		var b strings.Builder
		if err := d.Restore(d.t.Context(), k.Path, k.At, &b); err != nil {
			d.t.Fatal(err)
		}
		all = append(all, b.String())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestResolve: each way ends the conflict on all devices, and what is not kept
// is in the trash of who decided.
func TestResolve(t *testing.T) {
	top, other := "by B", "by A"
	for _, c := range []struct {
		name  string
		act   func(d *device, c folder.Conflict) error
		want  map[string]string
		trash []string // of who decided
	}{
		{"here", func(d *device, c folder.Conflict) error {
			return d.KeepHere(d.t.Context(), c.Path)
		}, map[string]string{"x.txt": top, "other": "o"}, []string{other}},
		{"copy", func(d *device, c folder.Conflict) error {
			return d.KeepCopy(d.t.Context(), c.Path, c.Copies[0])
		}, map[string]string{"x.txt": other, "other": "o"}, []string{other, top}},
		{"both", func(d *device, c folder.Conflict) error {
			return d.KeepBoth(d.t.Context(), c.Path)
		}, map[string]string{"x.txt": top, "x (A).txt": other, "other": "o"}, []string{other}},
	} {
		check := func(t *testing.T, a, b *device) {
			conflict := apart(t, "x.txt", a, b)
			side := conflict.Sides
			if len(side) != 2 || side[0].Path != "x.txt" || side[0].Label != "B" || side[1].Device != (folder.DeviceID{'A'}) || side[1].Size != 4 || side[1].MTime == 0 {
				t.Errorf("Sides = %+v, want B's at x.txt, then A's copy", side)
			}
			if err := c.act(b, conflict); err != nil {
				t.Fatalf("resolve on B: %v", err)
			}
			settle(a, b)
			wantEqual(t, a, b)
			if got := a.files(); !maps.Equal(got, c.want) {
				t.Errorf("A has %q, want %q", got, c.want)
			}
			for _, d := range []*device{a, b} {
				if n := d.Status().Conflicts; n != 0 {
					t.Errorf("%s has %d conflicts, want none", d.name, n)
				}
			}
			if got := b.trashed(); !slices.Equal(got, c.trash) {
				t.Errorf("B's trash has %q, want %q", got, c.trash)
			}
			if err := c.act(b, conflict); !errors.Is(err, folder.ErrGone) {
				t.Errorf("again = %v, want ErrGone", err)
			}
		}
		t.Run(c.name+" in memory", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { check(t, inMemory(t, "A", nil), inMemory(t, "B", nil)) })
		})
		t.Run(c.name+" on disk", func(t *testing.T) {
			t.Parallel()
			check(t, onDisk(t, "A"), onDisk(t, "B"))
		})
	}
}

// TestResolveOfMany: of three versions each gets a name of its own, and no file
// that has such a name already is touched.
func TestResolveOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := inMemory(t, "A", nil), inMemory(t, "B", nil), inMemory(t, "C", nil)
		apart(t, "x", a, b, c)
		a.Write("x (A)", "was there")
		settle(a, b, c)
		if err := a.KeepBoth(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		settle(a, b, c)
		wantEqual(t, a, b, c)
		want := map[string]string{"x": "by C", "x (A)": "was there", "x (A 2)": "by A", "x (B)": "by B", "other": "o"}
		if got := c.files(); !maps.Equal(got, want) {
			t.Errorf("C has %q, want %q", got, want)
		}
	})
}

// TestResolveTooLate: what was written into a version since it was looked at is
// not thrown away.
func TestResolveTooLate(t *testing.T) {
	for name, act := range map[string]func(*device, folder.Conflict) error{
		"KeepHere": func(d *device, c folder.Conflict) error { return d.KeepHere(d.t.Context(), c.Path) },
		"KeepCopy": func(d *device, c folder.Conflict) error { return d.KeepCopy(d.t.Context(), c.Path, c.Copies[0]) },
		"KeepBoth": func(d *device, c folder.Conflict) error { return d.KeepBoth(d.t.Context(), c.Path) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
				conflict := apart(t, "x", a, b)
				copied := string(conflict.Copies[0])
				a.Write(copied, "written just now")
				if err := act(a, conflict); !errors.Is(err, folder.ErrChanged) {
					t.Errorf("%s after a write = %v, want ErrChanged", name, err)
				}
				settle(a, b)
				wantEqual(t, a, b)
				want := map[string]string{"x": "by B", copied: "written just now", "other": "o"}
				if got := b.files(); !maps.Equal(got, want) {
					t.Errorf("B has %q, want %q", got, want)
				}
			})
		})
	}
}

// TestResolveOfOthers: who decided between two versions throws no third one
// away that came since.
func TestResolveOfOthers(t *testing.T) {
	for name, act := range map[string]func(*device, folder.Conflict, []folder.Side) error{
		"KeepHere": func(d *device, c folder.Conflict, of []folder.Side) error {
			return d.KeepHere(d.t.Context(), c.Path, of...)
		},
		"KeepCopy": func(d *device, c folder.Conflict, of []folder.Side) error {
			return d.KeepCopy(d.t.Context(), c.Path, c.Copies[0], of...)
		},
		"KeepBoth": func(d *device, c folder.Conflict, of []folder.Side) error {
			return d.KeepBoth(d.t.Context(), c.Path, of...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b, c := inMemory(t, "A", nil), inMemory(t, "B", nil), inMemory(t, "C", nil)
				conflict := apart(t, "x", a, b, c)
				was := a.files()
				other := slices.Clone(conflict.Sides)
				other[0].MTime--
				for _, saw := range [][]folder.Side{conflict.Sides[:2], other} {
					if err := act(a, conflict, saw); !errors.Is(err, folder.ErrChanged) {
						t.Errorf("%s of %+v = %v, want ErrChanged", name, saw, err)
					}
				}
				settle(a, b, c)
				if got := a.files(); !maps.Equal(got, was) {
					t.Errorf("A has %q, want %q", got, was)
				}
				if err := act(a, conflict, conflict.Sides); err != nil {
					t.Errorf("%s of what is there = %v, want nil", name, err)
				}
			})
		})
	}
}

// TestResolveNotHere: while the version that is to stay has no room here, the
// other one is not thrown away for it.
func TestResolveNotHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		c := inMemory(t, "C", func(c *folder.Config) {
			c.Tree = foldertest.NewTree(foldertest.Options{Size: folder.DiskReserve + 50_000})
		})
		know(a, b, c)
		a.Write("x", "by A")
		b.Write("x", strings.Repeat("by B", 50_000))
		b.Touch("x", time.Now().Add(time.Second)) // shown
		connect(a, b)
		settle(a, b)
		connect(a, c)
		c.until("it has the copy alone", func(s folder.Status) bool { return s.Conflicts == 1 && s.Files == 1 && s.Cause == "space" })
		cs, err := c.Conflicts(t.Context())
		if err != nil || len(cs) != 1 || len(cs[0].Copies) != 1 {
			t.Fatalf("Conflicts() = %+v, %v, want one", cs, err)
		}
		if err := c.KeepHere(t.Context(), "x", cs[0].Sides...); !errors.Is(err, folder.ErrNotHere) {
			t.Errorf("KeepHere of what is not here = %v, want ErrNotHere", err)
		}
		if got := c.files()[string(cs[0].Copies[0])]; got != "by A" {
			t.Errorf("the copy is %q, want what A wrote", got)
		}
	})
}

// TestResolveRefused: where there is no conflict, and on who only receives.
func TestResolveRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		conflict := apart(t, "x", a, b)
		r := inMemory(t, "R", func(c *folder.Config) { c.Role = folder.ReadOnly })
		know(a, b, r)
		connect(a, r)
		settle(a, r)
		if err := r.KeepHere(t.Context(), "x"); !errors.Is(err, folder.ErrReadOnly) {
			t.Errorf("KeepHere where it is only received = %v, want ErrReadOnly", err)
		}
		for _, p := range []folder.Path{"other", "nosuch", conflict.Copies[0]} {
			if err := a.KeepHere(t.Context(), p); !errors.Is(err, folder.ErrGone) {
				t.Errorf("KeepHere(%q) = %v, want ErrGone", p, err)
			}
		}
		if err := a.KeepCopy(t.Context(), "x", "other"); !errors.Is(err, folder.ErrGone) {
			t.Errorf("KeepCopy of what is no copy = %v, want ErrGone", err)
		}
		if got := a.files(); len(got) != 3 {
			t.Errorf("A has %q, want all three files", got)
		}
	})
}

// TestResolveAll: who decides about many conflicts, one after the other, is not
// asked again whether so many files may go.
func TestResolveAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
		pair(a, b)
		for _, d := range []*device{a, b} {
			d.Pause(true)
			for i := range 60 {
				d.Write(fmt.Sprint(i), fmt.Sprint(d.name, i))
			}
		}
		a.Pause(false)
		b.Pause(false)
		settle(a, b)
		cs, err := a.Conflicts(t.Context())
		if err != nil || len(cs) != 60 {
			t.Fatalf("Conflicts() = %d, %v, want 60", len(cs), err)
		}
		for _, c := range cs {
			if err := a.KeepCopy(t.Context(), c.Path, c.Copies[0]); err != nil {
				t.Fatal(err)
			}
		}
		a.until("all is decided", func(s folder.Status) bool {
			return s.Conflicts == 0 && s.Files == 60 || len(s.Questions) > 0
		})
		if qs := a.Status().Questions; len(qs) > 0 {
			t.Errorf("Questions = %+v, want none", qs)
		}
	})
}

// TestResolveLinks: a link is a version like any other.
func TestResolveLinks(t *testing.T) {
	for _, both := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a, b := inMemory(t, "A", nil), inMemory(t, "B", nil)
			pair(a, b)
			a.Write("target", "t")
			settle(a, b)
			a.Pause(true)
			b.Pause(true)
			a.Symlink("target", "x")
			b.Write("x", "a file")
			a.Pause(false)
			b.Pause(false)
			settle(a, b)
			cs, err := a.Conflicts(t.Context())
			if err != nil || len(cs) != 1 || len(cs[0].Copies) != 1 {
				t.Fatalf("Conflicts() = %+v, %v, want one", cs, err)
			}
			lost := cs[0].Sides[1]
			own := folder.Path("x (" + lost.Label + ")")
			if both {
				err = a.KeepBoth(t.Context(), "x")
			} else {
				own, err = "x", a.KeepCopy(t.Context(), "x", cs[0].Copies[0])
			}
			if err != nil {
				t.Fatal(err)
			}
			settle(a, b)
			wantEqual(t, a, b)
			if st, err := b.config.Tree.Stat(own); err != nil || st.Kind != lost.Kind {
				t.Errorf("both %t: B's %s is of kind %d, %v, want %d", both, own, st.Kind, err, lost.Kind)
			}
			if n := b.Status().Conflicts; n != 0 {
				t.Errorf("both %t: B has %d conflicts, want none", both, n)
			}
		})
	}
}
