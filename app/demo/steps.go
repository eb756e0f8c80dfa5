package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"

	"foldpost/app"
)

// fillFolder makes what Ada shares: many small files and some larger ones.
func fillFolder(dir string) (files int, size int64, err error) {
	write := func(name string, n int) {
		path := filepath.Join(dir, name)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o755)
		}
		if err == nil {
			err = os.WriteFile(path, randomBytes(n), 0o644)
		}
		files, size = files+1, size+int64(n)
	}
	for i := range 300 {
		write(fmt.Sprintf("day %d/photo %03d.jpg", i/100+1, i), 20_000+i*100)
	}
	for i := range 3 {
		write(fmt.Sprintf("films/brocken %d.mp4", i+1), 16<<20)
	}
	write("empty file", 0)
	write("Lies mich zuerst – größer als gedacht.txt", 500)
	return files, size, err
}

// progress shows what arrives at Bob's until everything has.
func (d *demo) progress(ctx context.Context, o app.Offer) error {
	var bar *progressbar.ProgressBar
	if d.Terminal {
		bar = progressbar.NewOptions64(o.Bytes, progressbar.OptionSetWriter(d.Out), progressbar.OptionSetDescription("  "),
			progressbar.OptionShowBytes(true), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
		defer bar.Close()
	}
	shown := 0
	for s := range d.bob.node.Watch(ctx) {
		if len(s.Folders) != 1 {
			continue
		}
		f := s.Folders[0]
		percent := 100
		if o.Bytes > 0 {
			percent = int(min(100, f.Bytes*100/o.Bytes))
		}
		if bar != nil {
			if err := bar.Set64(min(o.Bytes, f.Bytes)); err != nil {
				return err
			}
		} else if percent >= shown+25 {
			shown = percent - percent%25
			d.say("   %3d %%  %s", shown, megabytes(f.Bytes))
		}
		if f.Problem != "" {
			return fmt.Errorf("bob's folder: %s", f.Problem)
		}
		if f.State == app.FolderIdle && f.Files >= o.Files {
			return d.settled(ctx)
		}
	}
	return fmt.Errorf("waited for the files in vain")
}

// settled waits until each device knows that the other has everything.
func (d *demo) settled(ctx context.Context) error {
	for _, x := range []*device{d.ada, d.bob} {
		if err := x.node.Rescan(ctx, x.id); err != nil {
			return fmt.Errorf("%s's folder: %w", x.name, err)
		}
	}
	for _, x := range []*device{d.ada, d.bob} {
		err := d.wait(ctx, x, "everything to be confirmed", func(s app.State) bool {
			if len(s.Folders) != 1 || len(s.Folders[0].Members) != 1 {
				return false
			}
			f := s.Folders[0]
			return f.State == app.FolderIdle && f.NeedFiles == 0 && f.Members[0].HasAll
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) changes(ctx context.Context) error {
	type change struct {
		text string
		do   func() error
		seen func() bool
	}
	a, b := d.ada.folder, d.bob.folder
	steps := []change{
		{
			"Ada writes notes.txt", func() error { return os.WriteFile(filepath.Join(a, "notes.txt"), []byte("bring tea\n"), 0o644) },
			func() bool { return readsAs(filepath.Join(b, "notes.txt"), "bring tea\n") },
		},
		{
			"Bob appends a line to it", func() error {
				return os.WriteFile(filepath.Join(b, "notes.txt"), []byte("bring tea\nand cake\n"), 0o644)
			},
			func() bool { return readsAs(filepath.Join(a, "notes.txt"), "bring tea\nand cake\n") },
		},
		{
			"Ada renames the directory day 1 to Monday", func() error { return os.Rename(filepath.Join(a, "day 1"), filepath.Join(a, "Monday")) },
			func() bool {
				return exists(filepath.Join(b, "Monday", "photo 042.jpg")) && !exists(filepath.Join(b, "day 1"))
			},
		},
		{
			"Bob deletes a film", func() error { return os.Remove(filepath.Join(b, "films", "brocken 3.mp4")) },
			func() bool { return !exists(filepath.Join(a, "films", "brocken 3.mp4")) },
		},
	}
	for _, c := range steps {
		began := time.Now()
		if err := c.do(); err != nil {
			return err
		}
		if err := until(ctx, c.seen); err != nil {
			return fmt.Errorf("%s, and the other side did not see it", c.text)
		}
		d.say("   %s: there after %.2f s", c.text, time.Since(began).Seconds())
	}
	kept, err := d.ada.node.Trash(ctx, d.ada.id)
	if err != nil {
		return err
	}
	for _, k := range kept {
		if k.Path == "films/brocken 3.mp4" {
			d.say("   The deleted film can be had back for 30 days: foldpost restore %q %q", "Harz 2026", k.Path)
			return d.settled(ctx)
		}
	}
	return fmt.Errorf("the deleted film is not in the trash")
}

func (d *demo) conflict(ctx context.Context) error {
	for _, x := range []*device{d.ada, d.bob} {
		if err := x.node.Pause(ctx, x.id, 0); err != nil {
			return err
		}
		if err := d.wait(ctx, x, "the pause", func(s app.State) bool { return s.Folders[0].State == app.FolderPaused }); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(x.folder, "notes.txt"), []byte(x.name+" was here\n"), 0o644); err != nil {
			return err
		}
	}
	for _, x := range []*device{d.ada, d.bob} {
		if err := x.node.Resume(ctx, x.id); err != nil {
			return err
		}
	}
	if err := d.wait(ctx, d.ada, "the conflict", func(s app.State) bool { return s.Folders[0].Conflicts == 1 }); err != nil {
		return err
	}
	if err := d.settled(ctx); err != nil {
		return err
	}
	list, err := d.ada.node.Conflicts(ctx, d.ada.id)
	if err != nil {
		return err
	}
	if len(list) != 1 || len(list[0].Copies) != 1 {
		return fmt.Errorf("expected one conflict with one copy, found %v", list)
	}
	both := map[string]bool{}
	for _, p := range []string{list[0].Path, list[0].Copies[0]} {
		b, err := os.ReadFile(filepath.Join(d.bob.folder, filepath.FromSlash(p)))
		if err != nil {
			return err
		}
		both[string(b)] = true
		d.say("   kept on both: %-44q %s", p, firstLine(b))
	}
	if !both["Ada was here\n"] || !both["Bob was here\n"] {
		return fmt.Errorf("a version is missing: %v", both)
	}
	return nil
}

func (d *demo) equal(ctx context.Context) error {
	var sum [2]string
	var files int
	for i, x := range []*device{d.ada, d.bob} {
		var err error
		if sum[i], files, err = treeSum(x.folder); err != nil {
			return err
		}
	}
	if sum[0] != sum[1] {
		return fmt.Errorf("they differ: %s and %s", sum[0], sum[1])
	}
	d.say("   %d files, SHA-256 over names and contents of both: %s…", files, sum[0][:16])
	d.say("   Deleted and replaced files are kept for 30 days in %s", filepath.Join(d.ada.folder, ".foldpost", "trash"))
	return nil
}
