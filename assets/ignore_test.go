package assets_test

import (
	"testing"

	"foldpost/app/folder"
	"foldpost/assets"
)

func TestIgnore(t *testing.T) {
	rules := folder.ParseIgnore(assets.Ignore, "")
	for path, want := range map[string]bool{
		// what people keep
		"notes.txt": false, "a/b/Thumbs.png": false, "~notes": false, "notes~": false, "._notes": false, ".gitignore": false,
		".git/index": false, "#1 hits.mp3": false, "C#.md": false, "part": false, "a.part2": false, ".stignored": false,
		"sync/x": false, ".foldpostignore": false, ".config/x": false, "$100.txt": false, "swap.swp": false,
		".nfsrc": false, "photo (conflict Ada 1a2b3c4d).jpg": false, "lost+found.txt": false, "x.~1": false,
		// what belongs to a program
		"~$report.docx": true, "a/.~lock.report.odt#": true, ".#notes": true, "#notes#": true, "a/.notes.txt.swp": true,
		".git/index.lock": true, "x/.git/index.lock": true, ".DS_Store": true, "a/b/.DS_Store": true, "Thumbs.db": true,
		"thumbs.db": true, "desktop.ini": true, "Desktop.ini": true, "$RECYCLE.BIN/x": true, "film.mkv.part": true,
		"film.mkv.crdownload": true, ".stfolder": true, ".stfolder/syncthing-folder-1.txt": true, ".stignore": true,
		".stversions/a/b.txt": true, ".syncthing.a.txt.tmp": true, "~syncthing~a.txt.tmp": true, ".sync/ID": true, "a.!sync": true,
		".dropbox": true, ".dropbox.cache/x": true, ".sync_5f3a.db": true, ".sync_5f3a.db-wal": true, "._sync_5f3a.db-shm": true,
		".nextcloudsync.log": true, ".owncloudsync.log": true, ".a.txt.~3ef": true, ".nfs000000a1": true, ".fuse_hidden0001": true,
	} {
		if got := rules.Match(folder.Path(path), false); got != want {
			t.Errorf("default rules ignore %q: %v, want %v", path, got, want)
		}
	}
}
