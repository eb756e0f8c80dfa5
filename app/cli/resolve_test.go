package cli

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"foldpost/app"
)

func TestResolve(t *testing.T) {
	st := app.State{
		Devices: []app.Device{
			{ID: "aaaa1111bbbb", Name: "nas", Owner: "ada@example.org"},
			{ID: "aaaa1111cccc", Name: "Laptop", Owner: "bob@example.org"},
			{ID: "dddd", Name: "phone", Owner: "bob@example.org"},
			{ID: "eeee", Name: "aaaa"},
			{ID: "ffff", Name: "LAPTOP"},
		},
		Folders: []app.Folder{
			{ID: "f1", Name: "Photos", Path: abs(t, "pics")},
			{ID: "f2", Name: "pics", Path: abs(t, "other")},
		},
	}
	for _, c := range []struct{ word, want string }{ // want: an id, or a part of the error
		{"nas", "aaaa1111bbbb"},
		{"NAS", "aaaa1111bbbb"},
		{"ada@example.org", "aaaa1111bbbb"},
		{"ADA@example.org", "aaaa1111bbbb"},
		{"aaaa1111b", "aaaa1111bbbb"},
		{"aaaa1111", "fits more than one device, use more of the id:\n  aaaa1111b  nas (ada@example.org)\n  aaaa1111c"},
		{"aaaa", "eeee"}, // a whole name before the beginning of an id
		{"Laptop", "aaaa1111cccc"},
		{"laptop", "fits more than one"},
		{"bob@example.org", "fits more than one"},
		{"DD", "dddd"},
		{"x", "no device \"x\", but:\n"},
		{"", "no device \"\", but:\n"},
	} {
		d, err := resolve(aDevice, c.word, devices(st))
		if got := string(d.ID); err != nil && !strings.Contains(err.Error(), c.want) || err == nil && got != c.want {
			t.Errorf("resolve(device, %q) = %q, %v, want %q", c.word, got, err, c.want)
		}
	}
	for _, c := range []struct{ word, want string }{
		{"Photos", "f1"},
		{"pics", "f2"},   // a name
		{"./pics", "f1"}, // a path
		{"./pics/", "f1"},
		{"./other", "f2"},
		{"./nosuch", "there is no folder"},
	} {
		f, err := resolve(aFolder, c.word, folders(st))
		if got := string(f.ID); err != nil && !strings.Contains(err.Error(), c.want) || err == nil && got != c.want {
			t.Errorf("resolve(folder, %q) = %q, %v, want %q", c.word, got, err, c.want)
		}
	}
}

func abs(t *testing.T, path string) string {
	t.Helper()
	p, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhom(t *testing.T) {
	st := app.State{Devices: []app.Device{
		{ID: "d1", Name: "nas", Owner: "ada@example.org"},
		{ID: "d2", Name: "phone", Owner: "bob@example.org"},
		{ID: "d3", Name: "laptop", Owner: "bob@example.org"},
		{ID: "d4", Name: "erin@example.org", Owner: "mallory@example.org"}, // as it calls itself
	}, Nearby: []app.Nearby{{ID: "n1", Name: "nas"}, {ID: "n2", Name: "desktop"}, {ID: "n3", Name: "carol@example.org"}}}
	for _, c := range []struct {
		who, ids, people, near string
		code                   app.ErrorCode // of the error
	}{
		{"nas carol@example.org", "d1", "carol@example.org", "", ""},
		{"erin@example.org", "", "erin@example.org", "", ""},
		{"ada@example.org phone", "d1 d2", "", "", ""},
		{"phone Desktop", "d2", "", "n2", ""},
		{"bob@example.org", "", "", "", app.CodeUsage},
		{"nobody", "", "", "", app.CodeNotFound},
	} {
		to, err := whom(st, strings.Fields(c.who))
		var got, near []string
		for _, id := range to.ids {
			got = append(got, string(id))
		}
		for _, d := range to.near {
			near = append(near, string(d.ID))
		}
		if c.code != "" {
			if err == nil || app.CodeOf(err) != c.code {
				t.Errorf("whom(%s) = %v, want code %s", c.who, err, c.code)
			}
			continue
		}
		if err != nil || strings.Join(got, " ") != c.ids || strings.Join(to.people, " ") != c.people || strings.Join(near, " ") != c.near {
			t.Errorf("whom(%s) = %v, %v, %v, %v, want %q, %q, %q", c.who, got, to.people, near, err, c.ids, c.people, c.near)
		}
	}
}

// Whoever waits may delete the originals afterwards: only what is known for
// sure counts.
func TestConfirmed(t *testing.T) {
	has, not := app.Member{Device: "a", Joined: true, HasAll: true}, app.Member{Device: "b", Joined: true}
	invited := app.Member{Device: "c", HasAll: true}
	for _, c := range []struct {
		name    string
		state   app.FolderState
		paused  bool
		members []app.Member
		who     []app.DeviceID
		want    bool
		code    app.ErrorCode
	}{
		{"all have", app.FolderIdle, false, []app.Member{has}, nil, true, ""},
		{"others still send to us", app.FolderSyncing, false, []app.Member{has}, nil, true, ""},
		{"one has not", app.FolderIdle, false, []app.Member{has, not}, nil, false, ""},
		{"the one that counts has", app.FolderIdle, false, []app.Member{has, not}, []app.DeviceID{"a"}, true, ""},
		{"the one that counts has not", app.FolderIdle, false, []app.Member{has, not}, []app.DeviceID{"b"}, false, ""},
		{"it has not said yes", app.FolderIdle, false, []app.Member{invited}, nil, false, ""},
		{"it is no member", app.FolderIdle, false, []app.Member{has}, []app.DeviceID{"z"}, false, ""},
		{"being looked at", app.FolderScanning, false, []app.Member{has}, nil, false, ""},
		{"paused", app.FolderPaused, false, []app.Member{has}, nil, false, ""},
		{"everything paused", app.FolderIdle, true, []app.Member{has}, nil, false, ""},
		{"stopped", app.FolderStopped, false, []app.Member{has}, nil, false, app.CodeQuestion},
		{"nobody", app.FolderIdle, false, nil, nil, false, app.CodeUsage},
	} {
		f := app.Folder{ID: "f", Name: "F", State: c.state, Members: c.members}
		got, err := confirmed(app.State{Paused: c.paused}, f, c.who)
		if got != c.want || err != nil && app.CodeOf(err) != c.code || err == nil && c.code != "" {
			t.Errorf("%s: confirmed = %v, %v, want %v, code %q", c.name, got, err, c.want, c.code)
		}
	}
}

func TestJoinDir(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	for _, c := range []struct{ name, dir, want string }{ // want "" is an error
		{"Photos 2026", "", filepath.Join(home, "Foldpost", "Photos 2026")},
		{"Photos", "pics", abs(t, "pics")},
		{"../../etc", "/srv/x", abs(t, "/srv/x")},
		{"../../etc", "", ""},
		{"..", "", ""},
		{"", "", ""},
		{".ssh", "", ""},
		{"a/b", "", ""},
		{`a\b`, "", ""},
		{"c:", "", ""},
		{"a\x1b[2J", "", ""},
		{"a\u202eb", "", ""},
	} {
		got, err := joinDir(app.Offer{ID: "f", Name: c.name}, c.dir)
		if got != c.want || (err == nil) == (c.want == "") {
			t.Errorf("joinDir(%q, %q) = %q, %v, want %q", c.name, c.dir, got, err, c.want)
		}
	}
}

func TestPathIn(t *testing.T) {
	f := app.Folder{Name: "F", Path: abs(t, "f")}
	for _, c := range []struct{ path, want string }{
		{"a/b c", "a/b c"},
		{"./a//b/", "a/b"},
		{filepath.Join(f.Path, "a", "b"), "a/b"},
		{"../x", ""},
		{"a/../../x", ""},
		{".", ""},
		{filepath.Dir(f.Path), ""},
	} {
		if got, err := pathIn(f, c.path); got != c.want || (err == nil) == (c.want == "") {
			t.Errorf("pathIn(%q) = %q, %v, want %q", c.path, got, err, c.want)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for _, c := range []struct {
		in   string
		want time.Duration // 0 is an error
	}{
		{"90s", 90 * time.Second},
		{"2h30m", 150 * time.Minute},
		{"7d", 7 * 24 * time.Hour},
		{"1w", 7 * 24 * time.Hour},
		{"", 0},
		{"d", 0},
		{"0d", 0},
		{"-1h", 0},
		{"-1d", 0},
		{"60000w", 0},
		{"9999999h", 0},
		{"1.5d", 0},
		{"7", 0},
	} {
		if got, err := parseDuration(c.in); err == nil && got != c.want || (err == nil) == (c.want == 0) {
			t.Errorf("parseDuration(%q) = %v, %v, want %v", c.in, got, err, c.want)
		}
	}
}

func TestShown(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Ada's laptop – ü", "Ada's laptop – ü"},
		{"a\x1b[2Jb", "a\ufffd[2Jb"},
		{"a\nb\tc", "a\ufffdb\ufffdc"},
		{"a\u202eb\u200bc", "a\ufffdb\ufffdc"},
		{"\xff", "\ufffd"},
	} {
		if got := shown(c.in); got != c.want {
			t.Errorf("shown(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestQuoted(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Photos", "Photos"},
		{"/srv/a-b_c.d", "/srv/a-b_c.d"},
		{"Photos 2026", "'Photos 2026'"},
		{"Ada's", `'Ada'\''s'`},
		{"$(rm -r ~)", "'$(rm -r ~)'"},
		{"", "''"},
	} {
		if got := quoted(c.in); got != c.want {
			t.Errorf("quoted(%q) = %s, want %s", c.in, got, c.want)
		}
	}
}

func TestAbbr(t *testing.T) {
	qs := questions(app.State{Questions: []app.Question{{ID: "pairing-aaaa"}, {ID: "pairing-aabb"}, {ID: "mailbox"}, {ID: "abcdefg-hijklmn"}, {ID: "verylongidindeed"}}})
	for _, c := range []struct{ id, want string }{
		{"pairing-aaaa", "pairing-aaa"},
		{"pairing-aabb", "pairing-aab"},
		{"mailbox", "mailbox"},
		{"abcdefg-hijklmn", "abcdefg-hijk"},
		{"verylongidindeed", "verylong"},
	} {
		if got := abbr(qs, c.id); got != c.want {
			t.Errorf("abbr(%s) = %s, want %s", c.id, got, c.want)
		}
	}
}
