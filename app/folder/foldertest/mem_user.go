package foldertest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"foldpost/app/folder"
)

// A memUser is the user of a Tree.
type memUser struct {
	testing.TB
	tree *Tree
}

// User returns who works on the tree past the program.
func (t *Tree) User(tb testing.TB) User { return memUser{tb, t} }

// do runs one action. What users do is durable, and so is what it is built on.
func (u memUser) do(path string, run func(*disk) error) {
	u.Helper()
	u.tree.mu.Lock()
	defer u.tree.mu.Unlock()
	d := u.tree.disk
	if d == nil || u.tree.off {
		u.Fatalf("user: %q: no disk", path)
	}
	before := len(d.log)
	if err := run(d); err != nil {
		u.Fatalf("user: %q: %v", path, err)
	}
	mine := slices.Clone(d.log[before:])
	at, _ := d.userAt(path)
	d.saveOps(func(op *nameOp) bool {
		return slices.Contains(mine, op) || at.node != nil && slices.ContainsFunc(op.slots, func(s slot) bool { return s.to == at.node })
	})
	u.tree.notify()
}

// at follows links like any program.
func (d *disk) userAt(path string) (place, error) {
	dir := d.root
	parts := strings.Split(path, "/")
	for _, part := range parts[:len(parts)-1] {
		kid := dir.kids[part]
		if kid != nil && kid.kind == folder.Link && !strings.Contains(kid.target, "/") {
			kid = dir.kids[kid.target]
		}
		if kid == nil || kid.kind != folder.Dir {
			return place{}, fmt.Errorf("no directory %q", part)
		}
		dir = kid
	}
	name := parts[len(parts)-1]
	return place{dir, name, dir.kids[name]}, nil
}

func (d *disk) userFile(path string) (*node, error) {
	at, err := d.userAt(path)
	if err == nil && (at.node == nil || at.kind != folder.File) {
		err = fmt.Errorf("no file")
	}
	return at.node, err
}

func pathOf(path string) folder.Path { return folder.Path(norm.NFC.String(path)) }

func (d *disk) userWrite(n *node, content []byte) error {
	if !d.setData(n, content) {
		return ErrFull
	}
	d.save(n)
	return nil
}

// Write implements [User].
func (u memUser) Write(path, content string) {
	u.Helper()
	u.do(path, func(d *disk) error {
		at, err := d.userAt(path)
		if err != nil {
			return err
		}
		n := at.node
		if n == nil {
			n = d.newNode(folder.File, 0o644)
			d.name(slot{at.dir, at.name, n})
		}
		d.changed(pathOf(path))
		return d.userWrite(n, []byte(content))
	})
}

// Append implements [User].
func (u memUser) Append(path, content string) {
	u.Helper()
	u.do(path, func(d *disk) error {
		n, err := d.userFile(path)
		if err != nil {
			return err
		}
		d.changed(pathOf(path))
		return d.userWrite(n, append(slices.Clone(n.data), content...))
	})
}

// Touch implements [User].
func (u memUser) Touch(path string, mtime time.Time) {
	u.Helper()
	u.do(path, func(d *disk) error {
		n, err := d.userFile(path)
		if err != nil {
			return err
		}
		n.mtime, n.ctime = mtime.UnixNano(), d.now()
		d.save(n)
		d.changed(pathOf(path))
		return nil
	})
}

// Remove implements [User].
func (u memUser) Remove(path string) {
	u.Helper()
	u.do(path, func(d *disk) error {
		at, err := d.userAt(path)
		if err != nil || at.node == nil {
			return err
		}
		d.changedBelow(pathOf(path), at.node)
		d.clear(at.node)
		d.name(slot{at.dir, at.name, nil})
		return nil
	})
}

func (d *disk) clear(n *node) {
	for _, name := range sortedNames(n) {
		d.clear(n.kids[name])
		d.name(slot{n, name, nil})
	}
}

// Rename implements [User].
func (u memUser) Rename(from, to string) {
	u.Helper()
	u.do(from, func(d *disk) error {
		a, err := d.userAt(from)
		if err != nil {
			return err
		}
		b, err := d.userAt(to)
		if err != nil {
			return err
		}
		if a.node == nil {
			return fmt.Errorf("nothing there")
		}
		d.name(slot{a.dir, a.name, nil}, slot{b.dir, b.name, a.node})
		d.changed(pathOf(from))
		d.changedBelow(pathOf(to), a.node)
		return nil
	})
}

// Mkdir implements [User].
func (u memUser) Mkdir(path string) {
	u.Helper()
	u.do(path, func(d *disk) error {
		at, err := d.userAt(path)
		if err == nil && at.node != nil {
			err = fmt.Errorf("something is there")
		}
		if err != nil {
			return err
		}
		d.makeDir(at.dir, at.name, 0o755)
		d.changed(pathOf(path))
		return nil
	})
}

// Chmod implements [User].
func (u memUser) Chmod(path string, bits uint32) {
	u.Helper()
	u.do(path, func(d *disk) error {
		at, err := d.userAt(path)
		if err == nil && at.node == nil {
			err = fmt.Errorf("nothing there")
		}
		if err != nil {
			return err
		}
		d.chmod(at.node, bits)
		d.changed(pathOf(path))
		return nil
	})
}

// Symlink implements [User].
func (u memUser) Symlink(target, path string) {
	u.Helper()
	u.make(path, func(d *disk) *node {
		n := d.newNode(folder.Link, 0o777)
		n.target = target
		return n
	})
}

// Pipe implements [User].
func (u memUser) Pipe(path string) {
	u.Helper()
	u.make(path, func(d *disk) *node { return d.newNode(folder.Nothing, 0o644) })
}

// Link implements [User].
func (u memUser) Link(from, to string) {
	u.Helper()
	u.make(to, func(d *disk) *node {
		n, _ := d.userFile(from)
		return n
	})
}

func (u memUser) make(path string, node func(*disk) *node) {
	u.Helper()
	u.do(path, func(d *disk) error {
		at, err := d.userAt(path)
		if err != nil {
			return err
		}
		n := node(d)
		if n == nil || at.node != nil {
			return fmt.Errorf("can not be made")
		}
		d.name(slot{at.dir, at.name, n})
		d.changed(pathOf(path))
		return nil
	})
}

// Read implements [User].
func (u memUser) Read(path string) (content string) {
	u.Helper()
	u.do(path, func(d *disk) error {
		n, err := d.userFile(path)
		if err == nil {
			content = string(n.data)
		}
		return err
	})
	return content
}

// Names implements [User].
func (u memUser) Names(dir string) (names []string) {
	u.do(dir, func(d *disk) error {
		n := d.root
		if dir != "" {
			at, err := d.userAt(dir)
			if err != nil || at.node == nil {
				return nil
			}
			n = at.node
		}
		names = sortedNames(n)
		return nil
	})
	return names
}
