package node

import (
	"testing"

	"foldpost/app"
	"foldpost/app/folder"
	"foldpost/p2p/wire"
)

func TestProgressShown(t *testing.T) {
	for _, tt := range []struct {
		name   string
		p      memberProgress
		needs  int64 // as the index says
		hasAll bool
		want   int64
	}{
		{"on its way", memberProgress{needs: 30, of: 100}, 100, false, 30},
		{"more than the index knows", memberProgress{needs: 300, of: 100}, 100, false, 100},
		{"got here, not confirmed", memberProgress{needs: 0, of: 100}, 100, false, 1},
		{"since then a file was added", memberProgress{needs: 30, of: 100}, 150, false, 80},
		{"since then a file was confirmed", memberProgress{needs: 30, of: 100}, 20, false, 20},
		{"everything", memberProgress{needs: 30, of: 100}, 0, true, 0},
	} {
		if got := tt.p.left(app.Member{HasAll: tt.hasAll, NeedBytes: tt.needs}); got != tt.want {
			t.Errorf("%s: left = %d, want %d", tt.name, got, tt.want)
		}
	}
	st := folder.Status{NeedBytes: 100, Moving: []folder.Moving{{Bytes: 60, Done: 50}, {Bytes: 60, Done: 20}}}
	if got := stillNeeds(st); got != 30 {
		t.Errorf("stillNeeds = %d, want 30", got)
	}
	st.NeedBytes = 60 // one of the two is not counted any more
	if got := stillNeeds(st); got != 0 {
		t.Errorf("stillNeeds = %d, want 0", got)
	}
}

func FuzzProgress(f *testing.F) {
	b, err := wire.Marshal(progressFrame{Folder: folder.ID{1}, Needs: 1 << 20})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{0x81, 2, 0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := parseProgress(b)
		if ok && p.Needs > maxNeeds {
			t.Errorf("parseProgress(%x) = %+v", b, p)
		}
	})
}
