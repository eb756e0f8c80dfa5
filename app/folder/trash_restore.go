package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Trash lists what sync replaced or deleted and still keeps, newest first.
func (f *Folder) Trash() ([]Kept, error) {
	var ks []Kept
	for k, err := range f.cfg.Tree.Trash() {
		if err != nil {
			return nil, fmt.Errorf("list what was deleted and replaced: %w", err)
		}
		ks = append(ks, k)
	}
	slices.SortStableFunc(ks, func(a, b Kept) int { return b.At.Compare(a.At) })
	return ks, nil
}

// Restore takes the version of p that was replaced or deleted at the given
// time (zero: the newest) out of the trash: into to, or, if that is nil, back
// to its place; what is there now goes to the trash. It fails with ErrGone
// when the trash has no such version.
func (f *Folder) Restore(ctx context.Context, p Path, at time.Time, to io.Writer) error {
	ks, err := f.Trash()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(ks, func(k Kept) bool {
		return k.Path == p && (at.IsZero() || k.At.Equal(at) || k.At.Truncate(time.Second).Equal(at))
	})
	if i < 0 {
		return fmt.Errorf("restore %q: %w", p, ErrGone)
	}
	if to == nil {
		err = f.putBack(ctx, ks[i])
	} else {
		err = copyKept(ctx, f.cfg.Tree, ks[i], to)
	}
	if err != nil {
		return fmt.Errorf("restore %q: %w", p, err)
	}
	return nil
}

func copyKept(ctx context.Context, t Tree, k Kept, to io.Writer) error {
	c, err := t.OpenKept(k.Name)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = copyAt(ctx, to, c, 0)
	return err
}

// putBack is a person's write: the next look at the path makes a dot of it.
func (f *Folder) putBack(ctx context.Context, k Kept) error {
	t := f.cfg.Tree
	old, err := t.Stat(k.Path)
	if errors.Is(err, ErrGone) {
		old, err = Stat{}, nil
	}
	if err != nil {
		return err
	}
	if old.Kind == Dir {
		return errors.New("a directory is in its place")
	}
	if k.Stat.Kind == Link {
		return errors.New("it is a symbolic link")
	}
	replaced, err := unkeep(ctx, t, k.Name, k.Path, old)
	if err != nil {
		return err
	}
	return f.call(context.WithoutCancel(ctx), func(e *engine) {
		now := time.Now()
		if replaced != nil {
			e.lookAgain(*replaced, now)
		}
		e.notice(k.Path, now)
	})
}
