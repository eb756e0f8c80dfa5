package folder_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"foldpost/app/folder"
	"foldpost/app/folder/foldertest"
)

// A device is one Folder that runs, with its disk and user.
type device struct {
	*folder.Folder
	foldertest.User
	t       *testing.T
	name    string
	config  folder.Config
	changed chan struct{} // Status may have changed
	ended   chan struct{} // Run returned
	cancel  context.CancelFunc
	cuts    []func()
}

// start runs a Folder on a tree. The first letter of its name is its device id.
func start(t *testing.T, name string, tree folder.Tree, user foldertest.User, change func(*folder.Config)) *device {
	t.Helper()
	c := folder.Config{
		ID: folder.ID{1}, Device: folder.DeviceID{name[0]}, Label: name, Role: folder.ReadWrite,
		Tree: tree, StorePath: filepath.Join(stateDir(t), name+".db"), Machine: "m",
	}
	if testing.Verbose() {
		c.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("on", name)
	}
	if change != nil {
		change(&c)
	}
	d := &device{t: t, name: name, User: user, config: c}
	d.run()
	return d
}

// stateDir is in memory where the system has such a place: what SQLite makes
// durable here needs no disk.
func stateDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "foldpost")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (d *device) run() {
	changed := make(chan struct{}, 1)
	d.config.Changed = func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	d.changed, d.ended = changed, make(chan struct{})
	d.Folder = folder.New(d.config)
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	go func(f *folder.Folder, ended chan struct{}) {
		defer close(ended)
		if err := f.Run(ctx); !errors.Is(err, context.Canceled) {
			d.t.Errorf("Run of %s = %v, want canceled", d.name, err)
		}
	}(d.Folder, d.ended)
	d.t.Cleanup(d.stop)
}

// stop ends the program at once, wherever it is.
func (d *device) stop() {
	d.cancel()
	for _, cut := range d.cuts {
		cut()
	}
	d.cuts = nil
	<-d.ended
}

// again starts the program anew, on tree if that is not nil, with the same
// index, members and links.
func (d *device) again(tree *foldertest.Tree, members ...*device) {
	d.t.Helper()
	d.stop()
	if tree != nil {
		d.config.Tree, d.User = tree, tree.User(d.t)
	}
	d.run()
	know(members...)
}

// know makes devices members of each other.
func know(ds ...*device) {
	for _, d := range ds {
		var ms []folder.Member
		for _, o := range ds {
			if o != d {
				ms = append(ms, folder.Member{Device: o.config.Device, Name: o.name, Role: o.config.Role})
			}
		}
		d.SetMembers(ms)
	}
}

// connect links two members until the returned function is called.
func connect(a, b *device) (cut func()) {
	a.t.Helper()
	return connectBy(a, b, func(r folder.Remote) folder.Remote { return r })
}

// connectBy lets a test stand between two members.
func connectBy(a, b *device, wrap func(folder.Remote) folder.Remote) (cut func()) {
	a.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, way := range [][2]*device{{a, b}, {b, a}} {
		from, to := way[0], way[1]
		r, err := from.Serve(to.config.Device)
		if err != nil {
			a.t.Fatalf("%s.Serve(%s): %v", from.name, to.name, err)
		}
		f := to.Folder
		wg.Go(func() { f.Connect(ctx, wrap(r)) })
	}
	cut = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
	})
	a.cuts, b.cuts = append(a.cuts, cut), append(b.cuts, cut)
	a.t.Cleanup(cut)
	return cut
}

// pair makes two devices members of each other, and connects them.
func pair(a, b *device) (cut func()) {
	a.t.Helper()
	know(a, b)
	return connect(a, b)
}

// until waits for a status.
func (d *device) until(what string, ok func(folder.Status) bool) {
	d.t.Helper()
	late := time.After(30 * time.Second)
	for !ok(d.Status()) {
		select {
		case <-d.changed:
		case <-late:
			d.t.Fatalf("%s: Status() = %+v, want %s", d.name, d.Status(), what)
		}
	}
}

// untilHas waits until these members have all of d.
func (d *device) untilHas(ds ...*device) {
	d.t.Helper()
	for _, o := range ds {
		d.until(o.name+" has all", func(s folder.Status) bool {
			for _, m := range s.Members {
				if m.Device == o.config.Device {
					return m.HasAll
				}
			}
			return false
		})
	}
}

// settle waits until all of the connected devices have everything of each
// other.
func settle(ds ...*device) {
	for range 2 { // what the first round brings is news for those before it
		for _, d := range ds {
			d.t.Helper()
			if err := d.Rescan(context.Background()); err != nil {
				d.t.Fatalf("Rescan of %s: %v", d.name, err)
			}
			for _, o := range ds {
				if o != d {
					d.untilHas(o)
				}
			}
		}
	}
}

// listing tells the whole state of a tree, a line for each path.
func (d *device) listing() string {
	d.t.Helper()
	var b strings.Builder
	d.list(&b, "")
	return b.String()
}

func (d *device) list(b *strings.Builder, dir folder.Path) {
	tree := d.config.Tree
	names, err := tree.List(context.Background(), dir)
	if err != nil {
		d.t.Fatalf("%s: %v", d.name, err)
	}
	for _, l := range names {
		p, st := l.Path, l.Stat
		switch {
		case l.Err != nil:
			fmt.Fprintf(b, "%s/%s %v\n", dir, l.Name, l.Err)
		case st.Kind == folder.Dir:
			fmt.Fprintf(b, "%s/ %o\n", p, st.Bits)
			d.list(b, p)
		case st.Kind == folder.Link:
			target, _ := tree.Readlink(p)
			fmt.Fprintf(b, "%s -> %s\n", p, target)
		default:
			fmt.Fprintf(b, "%s %o %d %d %q\n", p, st.Bits, st.MTime, st.Size, d.content(p, 40))
		}
	}
}

func (d *device) content(p folder.Path, most int64) string {
	c, err := d.config.Tree.Open(p)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	b, err := io.ReadAll(io.NewSectionReader(c, 0, most))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// files maps each file's path to its content.
func (d *device) files() map[string]string {
	d.t.Helper()
	all := map[string]string{}
	dirs := []folder.Path{""}
	for len(dirs) > 0 {
		names, err := d.config.Tree.List(context.Background(), dirs[0])
		if err != nil { // a fault that was meant for the program
			names, err = d.config.Tree.List(context.Background(), dirs[0])
		}
		if err != nil {
			d.t.Fatalf("%s: %v", d.name, err)
		}
		dirs = dirs[1:]
		for _, l := range names {
			switch {
			case l.Stat.Kind == folder.Dir:
				dirs = append(dirs, l.Path)
			case l.Stat.Kind == folder.File:
				all[string(l.Path)] = d.content(l.Path, l.Stat.Size)
			}
		}
	}
	return all
}

func wantEqual(t *testing.T, ds ...*device) {
	t.Helper()
	want := ds[0].listing()
	for _, d := range ds[1:] {
		if got := d.listing(); got != want {
			t.Errorf("%s has\n%s\n%s has\n%s", ds[0].name, want, d.name, got)
		}
	}
}
