package foldertest

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"foldpost/app/folder"
)

// A pair does everything to a tree on disk and to one in memory.
type pair struct {
	t     *testing.T
	trees [2]folder.Tree
	users [2]User
	log   []string
}

var classes = []error{folder.ErrChanged, folder.ErrGone, folder.ErrLeftOut, folder.ErrNotEmpty, folder.ErrNoSpace, folder.ErrNoRoot}

// class is what a caller decides on.
func class(err error) string {
	for _, c := range classes {
		if errors.Is(err, c) {
			return c.Error()
		}
	}
	if err != nil {
		return "other"
	}
	return "ok"
}

// look tells what is comparable of a Stat.
func look(st folder.Stat) string {
	links := st.NLink
	if st.Kind == folder.Dir { // file systems differ
		links, st.Size = 0, 0
	}
	return fmt.Sprintf("kind %d size %d bits %o links %d", st.Kind, st.Size, st.Bits, links)
}

// both runs a step on each tree and compares what it tells.
func (p *pair) both(step string, run func(folder.Tree, User) string) {
	p.t.Helper()
	a, b := run(p.trees[0], p.users[0]), run(p.trees[1], p.users[1])
	p.log = append(p.log, step+": "+a)
	if a != b {
		p.t.Fatalf("%s\non disk:   %s\nin memory: %s\nafter:\n%s", step, a, b, strings.Join(p.log, "\n"))
	}
}

func kept(t folder.Tree, k *folder.Kept) string {
	if k == nil {
		return "kept nothing"
	}
	now, err := t.StatKept(k.Name)
	return fmt.Sprintf("kept %s %s same %v %s %s", k.Path, look(k.Stat), now == k.Stat, class(err), read(t.OpenKept(k.Name)))
}

func read(c folder.Content, err error) string {
	if err != nil {
		return class(err)
	}
	defer c.Close()
	b, err := io.ReadAll(io.NewSectionReader(c, 0, 1<<20))
	return fmt.Sprintf("%q %s", b, class(err))
}

// program is one step of the program, on what it saw before or sees now.
func (p *pair) program(rng *rand.Rand, path folder.Path, old [2]map[folder.Path]folder.Stat) {
	seen := func(t folder.Tree) folder.Stat {
		if t == p.trees[0] {
			return old[0][path]
		}
		return old[1][path]
	}
	if old[0][path].Kind == folder.Dir { // a disk may give a new one the same inode
		for i, t := range p.trees {
			old[i][path], _ = t.Stat(path)
		}
	}
	content, bits := strings.Repeat("n", rng.IntN(20)), uint32(rng.IntN(2)<<6|rng.IntN(8)<<3|0o604)
	switch rng.IntN(8) {
	case 0, 1:
		p.both("Put "+string(path), func(t folder.Tree, _ User) string {
			s, err := t.Stage("00")
			if err == nil {
				err = errors.Join(s.Truncate(0), write(s, content), s.Seal(someTime.UnixNano(), bits), s.Close())
			}
			if err != nil {
				return "stage: " + err.Error()
			}
			st, k, err := t.Put(path, seen(t), "00")
			return look(st) + " " + kept(t, k) + " " + class(err)
		})
	case 2:
		target := []string{"a", "../a", "d/x", "/etc", ".foldpost"}[rng.IntN(5)]
		p.both("PutLink "+string(path)+" to "+target, func(t folder.Tree, _ User) string {
			st, k, err := t.PutLink(path, seen(t), target)
			return look(st) + " " + fmt.Sprint(k != nil) + " " + class(err)
		})
	case 3:
		p.both("Remove "+string(path), func(t folder.Tree, _ User) string {
			k, err := t.Remove(path, seen(t))
			if k != nil && k.Stat.Kind == folder.Link {
				return class(err)
			}
			return kept(t, k) + " " + class(err)
		})
	case 4:
		p.both("Mkdir "+string(path), func(t folder.Tree, _ User) string {
			st, err := t.Mkdir(path, bits|0o700)
			return look(st) + " " + class(err)
		})
	case 5:
		p.both("Rmdir "+string(path), func(t folder.Tree, _ User) string { return class(t.Rmdir(path)) })
	case 6:
		p.both("Chmod "+string(path), func(t folder.Tree, _ User) string {
			st, err := t.Chmod(path, seen(t), bits|0o700)
			return look(st) + " " + class(err)
		})
	case 7:
		p.both("Open and Readlink "+string(path), func(t folder.Tree, _ User) string {
			target, err := t.Readlink(path)
			return read(t.Open(path)) + " " + target + " " + class(err) + " " + class(t.Sync(nil, []folder.Path{path, ""}))
		})
	}
}

// user is one step of the user, if it can be done.
func (p *pair) user(rng *rand.Rand, path, other string) {
	st, err := p.trees[0].Stat(folder.Path(path))
	there := err == nil || errors.Is(err, folder.ErrLeftOut)
	_, err = p.trees[0].Stat(folder.Path(other))
	parent, _ := folder.Path(path).Split()
	if up, uerr := p.trees[0].Stat(parent); uerr != nil || up.Kind != folder.Dir {
		return
	}
	free := !there && errors.Is(err, folder.ErrGone) && !strings.HasPrefix(other, path)
	step := func(name string, run func(User)) {
		p.both("user: "+name+" "+path, func(_ folder.Tree, u User) string { run(u); return "" })
	}
	switch n := rng.IntN(6); {
	case n == 0 && (!there || st.Kind == folder.File):
		step("write", func(u User) { u.Write(path, "user") })
	case n == 1 && st.Kind == folder.File:
		step("append", func(u User) { u.Append(path, "more") })
	case n == 2 && there:
		step("remove", func(u User) { u.Remove(path) })
	case n == 3 && !there:
		step("mkdir", func(u User) { u.Mkdir(path) })
	case n == 4 && !there:
		target := []string{"a", "d", "/x"}[rng.IntN(3)]
		step("symlink", func(u User) { u.Symlink(target, path) })
	case n == 5 && free && runtime.GOOS == "linux":
		step("pipe", func(u User) { u.Pipe(path) })
	}
}

// everything compares the whole trees.
func (p *pair) everything() {
	p.both("List", func(t folder.Tree, _ User) string {
		var b strings.Builder
		var walk func(folder.Path)
		walk = func(dir folder.Path) {
			list, err := t.List(p.t.Context(), dir)
			fmt.Fprintf(&b, "\n%s: %s", dir, class(err))
			for _, l := range list {
				fmt.Fprintf(&b, "\n  %s %s %s %s", l.Name, l.Path, look(l.Stat), class(l.Err))
				if l.Stat.Kind == folder.Dir {
					walk(l.Path)
				}
			}
		}
		walk("")
		return b.String()
	})
	p.both("Trash", func(t folder.Tree, _ User) string {
		var lines []string
		for k, err := range t.Trash() {
			lines = append(lines, fmt.Sprintf("%s %s %s", k.Path, look(k.Stat), class(err)))
		}
		slices.Sort(lines) // a second may end in between
		return strings.Join(lines, "\n")
	})
}

// seeds is enough to see each pair of steps.
const seeds = 100

// The tree in memory answers whatever is asked as the disk does.
func TestMemoryIsLikeDisk(t *testing.T) {
	paths := []string{"a", "b", "d", "d/x", "d/e", "d/e/y", "a/z"}
	for seed := range uint64(seeds) {
		rng := rand.New(rand.NewPCG(seed, 7))
		dir := t.TempDir()
		disk, err := folder.OpenTree(dir)
		if err != nil {
			t.Fatal(err)
		}
		mem := NewTree(Options{})
		p := &pair{t: t, trees: [2]folder.Tree{disk, mem}, users: [2]User{Disk{t, dir}, mem.User(t)}}
		p.both("Mark", func(t folder.Tree, _ User) string { return class(t.Mark("m")) })
		old := [2]map[folder.Path]folder.Stat{{}, {}}
		for range 60 {
			path := paths[rng.IntN(len(paths))]
			switch rng.IntN(3) {
			case 0:
				p.user(rng, path, paths[rng.IntN(len(paths))])
			case 1:
				p.both("Stat "+path, func(t folder.Tree, _ User) string {
					st, err := t.Stat(folder.Path(path))
					if t == p.trees[0] {
						old[0][folder.Path(path)] = st
					} else {
						old[1][folder.Path(path)] = st
					}
					return look(st) + " " + class(err)
				})
			case 2:
				p.program(rng, folder.Path(path), old)
			}
		}
		p.everything()
		disk.Close()
	}
}
