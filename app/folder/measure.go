package folder

import (
	"context"
	"fmt"
)

// Measure counts the regular files of a tree that a folder would share, with
// ignoreDefaults before the rules of the tree's own .foldpostignore. It
// writes nothing. Directories that can not be read, or went meanwhile, count
// as empty: a scan leaves them out as well.
func Measure(ctx context.Context, t Tree, ignoreDefaults string) (Tally, error) {
	if _, err := t.Root(); err != nil {
		return Tally{}, fmt.Errorf("measure: %w", err)
	}
	text, err := rulesText(ctx, t)
	if err != nil {
		return Tally{}, fmt.Errorf("measure: %w", err)
	}
	var sum Tally
	err = walkShared(ctx, t, ParseIgnore(ignoreDefaults, text), func(l Listed) error {
		sum.add(l.Stat.Size)
		return nil
	}, func(dir Path, err error) error {
		if dir == "" {
			return err
		}
		return ctx.Err()
	})
	if err != nil {
		return Tally{}, fmt.Errorf("measure: %w", err)
	}
	return sum, nil
}

// walkShared calls file for each regular file that is not ignored. A directory
// that can not be listed is given to unlisted, whose error ends the walk.
func walkShared(ctx context.Context, t Tree, ig *Ignore, file func(Listed) error, unlisted func(Path, error) error) error {
	dirs := []Path{""}
	for len(dirs) > 0 {
		dir := dirs[len(dirs)-1]
		dirs = dirs[:len(dirs)-1]
		if err := ctx.Err(); err != nil {
			return err
		}
		names, err := t.List(ctx, dir)
		if err != nil {
			if err := unlisted(dir, err); err != nil {
				return err
			}
			continue
		}
		for _, l := range names {
			switch {
			case l.Err != nil || ig.Match(l.Path, l.Stat.Kind == Dir):
			case l.Stat.Kind == Dir:
				dirs = append(dirs, l.Path)
			case l.Stat.Kind == File:
				if err := file(l); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
