package folder

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A Tally is a number of regular files and the sum of their sizes in bytes.
type Tally struct {
	Files int
	Bytes int64
}

func (t *Tally) add(size int64) {
	t.Files++
	t.Bytes += size
}

// A Comparison says how the regular files of a directory differ from those of
// a member's replica.
type Comparison struct {
	Equal     Tally // same path, same content
	OnlyHere  Tally
	OnlyThere Tally
	Different Tally  // same path, other content; bytes are those there
	Examples  []Path // the first of Different
}

// maxExamples is how many paths help a person to see what it is about.
const maxExamples = 5

// Compare reads a tree and a member's rows and tells how they differ. It
// writes nothing. ignoreDefaults are the rules before those of the tree's own
// .foldpostignore.
func Compare(ctx context.Context, t Tree, ignoreDefaults string, r Remote) (Comparison, error) {
	there, err := filesThere(ctx, r)
	if err != nil {
		return Comparison{}, fmt.Errorf("compare with a member: %w", err)
	}
	if _, err := t.Root(); err != nil {
		return Comparison{}, fmt.Errorf("compare with a member: %w", err)
	}
	text, err := rulesText(ctx, t)
	if err != nil {
		return Comparison{}, err
	}
	ig := ParseIgnore(ignoreDefaults, text)
	maps.DeleteFunc(there, func(p Path, _ Version) bool { return ig.Match(p, false) })
	var c Comparison
	if err := c.walk(ctx, t, ig, there); err != nil {
		return Comparison{}, err
	}
	for _, v := range there {
		c.OnlyThere.add(v.Size)
	}
	return c, nil
}

// walk compares what is here, and takes it out of there.
func (c *Comparison) walk(ctx context.Context, t Tree, ig *Ignore, there map[Path]Version) error {
	err := walkShared(ctx, t, ig,
		func(l Listed) error { return c.file(ctx, t, l, there) },
		func(_ Path, err error) error { return err })
	if err != nil {
		return fmt.Errorf("compare with a member: %w", err)
	}
	return nil
}

func (c *Comparison) file(ctx context.Context, t Tree, l Listed, there map[Path]Version) error {
	v, ok := there[l.Path]
	if !ok {
		c.OnlyHere.add(l.Stat.Size)
		return nil
	}
	delete(there, l.Path)
	if v.Size != l.Stat.Size {
		c.differs(l.Path, v)
		return nil
	}
	h, err := hashFile(ctx, t, l.Path, l.Stat)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil && h == v.Content:
		c.Equal.add(v.Size)
	default: // being written, or not readable
		c.differs(l.Path, v)
	}
	return nil
}

func (c *Comparison) differs(p Path, v Version) {
	c.Different.add(v.Size)
	if len(c.Examples) < maxExamples {
		c.Examples = append(c.Examples, p)
	}
}

// filesThere takes a whole feed and returns the files that it shows.
func filesThere(ctx context.Context, r Remote) (map[Path]Version, error) {
	entries := map[Path]Entry{}
	ended := false
	for b, err := range r.Since(ctx, Cursor{}) {
		if err != nil {
			return nil, err
		}
		if err := checkBatch(b); err != nil {
			return nil, errors.Join(ErrRefused, err)
		}
		for _, a := range b.Rows {
			if a.Withdrawn || !a.Entry.Live() {
				delete(entries, a.Path)
			} else {
				entries[a.Path] = a.Entry
			}
		}
		if len(entries) > maxPending {
			return nil, fmt.Errorf("%w: more than %d paths", ErrRefused, maxPending)
		}
		if ended = b.Head != nil && !b.Head.Busy; ended { // busy: what it has is still to come
			break
		}
	}
	if !ended {
		return nil, errFeedEnded
	}
	files := map[Path]Version{}
	parents := map[Path]bool{}
	for p := range entries {
		for dir, _ := p.Split(); dir != "" && !parents[dir]; dir, _ = dir.Split() {
			parents[dir] = true
		}
	}
	for _, p := range slices.Sorted(maps.Keys(entries)) {
		if v := View(entries[p], parents[p]); v.Kind == File {
			files[p] = v
		}
	}
	return files, nil
}
