package apptest

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"foldpost/app"
)

// wait bounds what a Service does by itself.
const wait = 10 * time.Second

// TestService checks what app promises of every Service. Start returns a new
// one that runs, has no mailbox, no devices and no folders, and ends with t.
func TestService(t *testing.T, start func(t *testing.T) app.Service) {
	for _, c := range []struct {
		name string
		test func(*testing.T, app.Service)
	}{
		{"State", testState},
		{"Watch", testWatch},
		{"InviteByAddress", testInvite},
		{"InviteByLink", testInviteLink},
		{"BadInput", testBadInput},
		{"Unknown", testUnknown},
		{"Share", testShare},
		{"Measure", testMeasure},
		{"Draft", testDraft},
		{"Pause", testPause},
		{"Config", testConfig},
		{"Doctor", testDoctor},
		{"OpenNearby", testOpenNearby},
		{"PairNearby", testUnknownNearby},
		{"Done", testDone},
		{"Reset", testReset},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, start(t)) })
	}
}

func testState(t *testing.T, s app.Service) {
	st := s.State()
	if st.V != app.StateVersion || st.Device.ID == "" || st.Device.Name == "" {
		t.Errorf("State() = v %d, device %+v, want v %d, an id and a name", st.V, st.Device, app.StateVersion)
	}
	b, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte(":null")) {
		t.Errorf("State() as JSON has null in it, want empty lists: %s", b)
	}
}

// testWatch: the state now, then the changed one, then the end.
func testWatch(t *testing.T, s app.Service) {
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	n, seen := 0, false
	for st := range s.Watch(ctx) {
		if n++; n == 1 {
			if err := s.SetConfig(ctx, "name", "watched"); err != nil {
				t.Fatalf("SetConfig(name) = %v", err)
			}
		}
		if st.Device.Name == "watched" {
			seen = true
			cancel()
		}
	}
	if !seen {
		t.Errorf("Watch ended after %d states without the changed one", n)
	}
}

func testInvite(t *testing.T, s app.Service) {
	ctx := t.Context()
	first, err := s.Invite(ctx, app.InviteRequest{To: "bob@example.org", ByHand: true, Note: "hello"})
	if err != nil {
		t.Fatalf("Invite(bob) = %v", err)
	}
	if n := len(strings.Fields(first.Words)); n != 6 || first.Link != "" || first.Mailed {
		t.Errorf("Invite(bob) = %d words, link %q, mailed %v, want 6 words, no link, not mailed", n, first.Link, first.Mailed)
	}
	if first.Text == "" || len(first.File) == 0 {
		t.Error("Invite(bob) has no text or no file to be sent by hand")
	}
	if strings.Contains(first.Text, first.Words) || bytes.Contains(first.File, []byte(first.Words)) {
		t.Error("Invite(bob): the words are in what is sent")
	}
	again, err := s.Invite(ctx, app.InviteRequest{To: "bob@example.org", ByHand: true})
	if err != nil || again.ID != first.ID || again.Words != first.Words {
		t.Errorf("Invite(bob) again = %s, %v, want the same invitation %s with the same words", again.ID, err, first.ID)
	}
	st := until(t, s, "has the one invitation for bob", func(st app.State) bool {
		return len(st.Invitations) == 1 && st.Invitations[0].ID == first.ID && st.Invitations[0].With == "bob@example.org" && st.Invitations[0].Direction == app.Sent
	})
	if b, _ := json.Marshal(st); bytes.Contains(b, []byte(first.Words)) {
		t.Error("State() as JSON has the words in it")
	}
	if err := s.Withdraw(ctx, first.ID); err != nil {
		t.Fatalf("Withdraw(%s) = %v", first.ID, err)
	}
	next, err := s.Invite(ctx, app.InviteRequest{To: "bob@example.org", ByHand: true})
	if err != nil || next.ID == first.ID {
		t.Errorf("Invite(bob) after Withdraw = %s, %v, want a new invitation", next.ID, err)
	}
}

func testInviteLink(t *testing.T, s app.Service) {
	inv, err := s.Invite(t.Context(), app.InviteRequest{Expires: time.Hour})
	if err != nil {
		t.Fatalf("Invite() = %v", err)
	}
	if !strings.HasPrefix(inv.Link, "foldpost:") || strings.ContainsAny(inv.Link, " \n") || inv.Words != "" {
		t.Errorf("Invite() = link %q, words %q, want a link without blanks and no words", inv.Link, inv.Words)
	}
	if d := time.Until(inv.Expires); d > time.Hour+time.Minute || d < time.Hour-time.Minute {
		t.Errorf("Invite(1h) expires in %v", d)
	}
	st := until(t, s, "has the invitation", func(st app.State) bool { return len(st.Invitations) == 1 })
	if b, _ := json.Marshal(st); bytes.Contains(b, []byte(inv.Link)) {
		t.Error("State() as JSON has the link in it")
	}
}

func testBadInput(t *testing.T, s app.Service) {
	ctx := t.Context()
	if _, err := s.Invite(ctx, app.InviteRequest{To: "no address", ByHand: true}); err == nil {
		t.Error(`Invite("no address") = nil, want an error`)
	}
	for _, in := range []string{"hello", "foldpost:1/", "foldpost:1/AAAA", "foldpost://host/x", strings.Repeat("x", 1<<20)} {
		if _, err := s.Look(ctx, in); err == nil {
			t.Errorf("Look(%.20q) = nil, want an error", in)
		}
		if _, err := s.Accept(ctx, app.AcceptRequest{Input: in, Words: Words}); err == nil {
			t.Errorf("Accept(%.20q) = nil, want an error", in)
		}
	}
	if _, err := s.Share(ctx, app.ShareRequest{Dir: filepath.Join(t.TempDir(), "missing")}); err == nil {
		t.Error("Share(missing directory) = nil, want an error")
	}
	if _, err := s.FindMailbox(ctx, "no address"); app.CodeOf(err) != app.CodeUsage || err == nil {
		t.Errorf(`FindMailbox("no address") = %v, want an error of code %s`, err, app.CodeUsage)
	}
	if st := s.State(); len(st.Invitations)+len(st.Folders) > 0 {
		t.Errorf("after bad input State has %d invitations, %d folders, want none", len(st.Invitations), len(st.Folders))
	}
}

func testUnknown(t *testing.T, s app.Service) {
	ctx := t.Context()
	for name, err := range map[string]error{
		"Withdraw":  s.Withdraw(ctx, "zzzz"),
		"Resend":    s.Resend(ctx, "zzzz"),
		"Unpair":    s.Unpair(ctx, "zzzz"),
		"Relay":     s.Relay(ctx, "zzzz", true),
		"Answer":    s.Answer(ctx, "zzzz", "yes"),
		"Unshare":   s.Unshare(ctx, "zzzz", "zzzz"),
		"Join":      s.Join(ctx, "zzzz", t.TempDir()),
		"Leave":     s.Leave(ctx, "zzzz"),
		"Pause":     s.Pause(ctx, "zzzz", 0),
		"Resume":    s.Resume(ctx, "zzzz"),
		"Rescan":    s.Rescan(ctx, "zzzz"),
		"Move":      s.Move(ctx, "zzzz", t.TempDir()),
		"Resolve":   s.Resolve(ctx, "zzzz", "x", app.KeepHere),
		"Restore":   s.Restore(ctx, app.RestoreRequest{Folder: "zzzz", Path: "x"}, nil),
		"SetConfig": s.SetConfig(ctx, "zzzz", "1"),
	} {
		if c := app.CodeOf(err); err == nil || c != app.CodeNotFound && c != app.CodeUsage {
			t.Errorf("%s of what does not exist = %v (%s), want code %s or %s", name, err, c, app.CodeNotFound, app.CodeUsage)
		}
	}
	if list, err := s.Mails(ctx); err != nil || len(list) > 0 {
		t.Errorf("Mails without a mailbox = %v, %v, want none", list, err)
	}
	if err := s.TestMailbox(ctx); err == nil {
		t.Error("TestMailbox without a mailbox = nil, want an error")
	}
}

func testShare(t *testing.T, s app.Service) {
	ctx := t.Context()
	dir := t.TempDir()
	file := filepath.Join(dir, "a")
	if err := os.WriteFile(file, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	shared, err := s.Share(ctx, app.ShareRequest{Dir: dir, People: []string{"bob@example.org"}, ByHand: true})
	if err != nil {
		t.Fatalf("Share(dir, bob) = %v", err)
	}
	if len(shared.Invitations) != 1 || shared.Invitations[0].Words == "" {
		t.Fatalf("Share(dir, bob) = %d invitations, want one with words", len(shared.Invitations))
	}
	again, err := s.Share(ctx, app.ShareRequest{Dir: dir, People: []string{"bob@example.org"}, ByHand: true})
	if err != nil || again.Folder != shared.Folder || len(again.Invitations) != 1 || again.Invitations[0].ID != shared.Invitations[0].ID {
		t.Errorf("Share again = %s, %v, want the same folder and invitation", again.Folder, err)
	}
	until(t, s, "has the shared folder without members", func(st app.State) bool {
		return len(st.Folders) == 1 && st.Folders[0].ID == shared.Folder && len(st.Folders[0].Members) == 0
	})
	if err := s.Rescan(ctx, shared.Folder); err != nil {
		t.Errorf("Rescan = %v", err)
	}
	if l, err := s.LeftOut(ctx, shared.Folder); err != nil || len(l) > 0 {
		t.Errorf("LeftOut = %v, %v, want none", l, err)
	}
	if c, err := s.Conflicts(ctx, shared.Folder); err != nil || len(c) > 0 {
		t.Errorf("Conflicts = %v, %v, want none", c, err)
	}
	for _, keep := range []string{app.KeepHere, app.KeepBoth, "b"} {
		if err := s.Resolve(ctx, shared.Folder, "a", keep); app.CodeOf(err) != app.CodeNotFound {
			t.Errorf("Resolve(%s) of a file without a conflict = %v, want code %s", keep, err, app.CodeNotFound)
		}
	}
	if c, err := s.Recent(ctx, shared.Folder, 0); err != nil || len(c) > 0 {
		t.Errorf("Recent(0) = %v, %v, want none", c, err)
	}
	if k, err := s.Trash(ctx, shared.Folder); err != nil || len(k) > 0 {
		t.Errorf("Trash = %v, %v, want none", k, err)
	}
	var out bytes.Buffer
	if err := s.Restore(ctx, app.RestoreRequest{Folder: shared.Folder, Path: "a"}, &out); err == nil || out.Len() > 0 {
		t.Errorf("Restore of a file that was never replaced = %v and %d bytes, want an error and none", err, out.Len())
	}
	if err := s.Leave(ctx, shared.Folder); err != nil {
		t.Errorf("Leave = %v", err)
	}
	until(t, s, "has no folder after Leave", func(st app.State) bool { return len(st.Folders) == 0 })
	if b, err := os.ReadFile(file); string(b) != "content" {
		t.Errorf("after Leave the file is %q, %v, want as it was", b, err)
	}
}

// testMeasure: what is not there yet is empty, and has room.
func testMeasure(t *testing.T, s app.Service) {
	m, err := s.Measure(t.Context(), filepath.Join(t.TempDir(), "not", "yet"))
	if err != nil || m.Count != (app.Count{}) || m.Free <= 0 {
		t.Errorf("Measure(missing directory) = %+v, %v, want no files and some room", m, err)
	}
}

// testDraft: what a person reads, with the own first line, and nothing is made.
func testDraft(t *testing.T, s app.Service) {
	d, err := s.Draft(t.Context(), app.DraftRequest{To: "bob@example.org", Note: "Photos of the Harz!", Folder: true})
	if err != nil || d.Subject == "" || !strings.Contains(d.Text, "Photos of the Harz!") || d.From != "" {
		t.Errorf("Draft(bob) = %+v, %v, want a subject, the note and no sender", d, err)
	}
	if n := len(s.State().Invitations); n > 0 {
		t.Errorf("after Draft State has %d invitations, want none", n)
	}
}

func testPause(t *testing.T, s app.Service) {
	ctx := t.Context()
	shared, err := s.Share(ctx, app.ShareRequest{Dir: t.TempDir()})
	if err != nil {
		t.Fatalf("Share(dir) = %v", err)
	}
	until(t, s, "has the folder", func(st app.State) bool { return len(st.Folders) == 1 })
	for range 2 { // the second time it is so already
		if err := s.Pause(ctx, shared.Folder, 0); err != nil {
			t.Fatalf("Pause(folder) = %v", err)
		}
		until(t, s, "has the folder paused", func(st app.State) bool { return st.Folders[0].State == app.FolderPaused })
	}
	if err := s.Resume(ctx, shared.Folder); err != nil {
		t.Fatalf("Resume(folder) = %v", err)
	}
	until(t, s, "has the folder resumed", func(st app.State) bool { return st.Folders[0].State != app.FolderPaused })
	if err := s.Pause(ctx, "", time.Hour); err != nil {
		t.Fatalf("Pause(everything) = %v", err)
	}
	until(t, s, "has everything paused", func(st app.State) bool { return st.Paused })
	if err := s.Resume(ctx, ""); err != nil {
		t.Fatalf("Resume(everything) = %v", err)
	}
	until(t, s, "has everything resumed", func(st app.State) bool { return !st.Paused })
}

func testConfig(t *testing.T, s app.Service) {
	ctx := t.Context()
	if err := s.SetConfig(ctx, "name", "laptop"); err != nil {
		t.Fatalf("SetConfig(name) = %v", err)
	}
	until(t, s, "has the name laptop", func(st app.State) bool { return st.Device.Name == "laptop" })
	list, err := s.Config(ctx)
	if err != nil {
		t.Fatalf("Config() = %v", err)
	}
	for _, set := range list {
		if set.Help == "" {
			t.Errorf("setting %s has no help", set.Key)
		}
		if len(set.Values) > 0 && !slices.Contains(set.Values, set.Value) {
			t.Errorf("setting %s is %q, want one of %q", set.Key, set.Value, set.Values)
		}
	}
	for _, key := range []string{app.SettingTheme, app.SettingLanguage, app.SettingSize, app.SettingNotify} {
		set := settingOf(t, s, key)
		last := set.Values[len(set.Values)-1]
		if err := s.SetConfig(ctx, key, last); err != nil {
			t.Errorf("SetConfig(%s, %s) = %v", key, last, err)
		}
		if got := settingOf(t, s, key).Value; got != last {
			t.Errorf("setting %s is %q after it was set to %q", key, got, last)
		}
		if err := s.SetConfig(ctx, key, "purple"); app.CodeOf(err) != app.CodeUsage {
			t.Errorf("SetConfig(%s, purple) = %v, want code %s", key, err, app.CodeUsage)
		}
	}
	if got := settingOf(t, s, "name").Value; got != "laptop" {
		t.Errorf("Config() has name %q, want laptop", got)
	}
	for _, key := range []string{"limit-up", "limit-down"} {
		if got := settingOf(t, s, key).Value; got != "0" {
			t.Errorf("setting %s is %q at first, want 0", key, got)
		}
	}
}

// testDoctor: what works is listed too, each in words, and whose side fails.
func testDoctor(t *testing.T, s app.Service) {
	list, err := s.Doctor(t.Context())
	if err != nil || len(list) == 0 || list[0].Reason != app.FoundProgram {
		t.Fatalf("Doctor() = %+v, %v, want the program first", list, err)
	}
	for _, f := range list {
		if f.Area == "" || f.Reason == "" || f.Text == "" || strings.Contains(f.Text+f.Advice, "{{") || !f.OK && f.Advice == "" {
			t.Errorf("Doctor() found %+v, want an area, a reason and whole texts, with advice where it is wrong", f)
		}
	}
}

func settingOf(t *testing.T, s app.Service, key string) app.Setting {
	t.Helper()
	list, err := s.Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range list {
		if set.Key == key {
			return set
		}
	}
	t.Fatalf("Config() = %+v, want the setting %s", list, key)
	return app.Setting{}
}

// testDone: a Watch whose context is done ends.
func testDone(t *testing.T, s app.Service) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	for range s.Watch(ctx) {
		n++
	}
	if n > 1 {
		t.Errorf("Watch with a done context yielded %d states, want one at most", n)
	}
}

// testReset: everything is forgotten but the files.
func testReset(t *testing.T, s app.Service) {
	ctx := t.Context()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Share(ctx, app.ShareRequest{Dir: dir, People: []string{"bob@example.org"}, ByHand: true}); err != nil {
		t.Fatal(err)
	}
	until(t, s, "has the folder", func(st app.State) bool { return len(st.Folders) == 1 })
	if err := s.Reset(ctx); err != nil {
		t.Errorf("Reset = %v", err)
	}
	if st := s.State(); len(st.Folders)+len(st.Invitations)+len(st.Devices)+len(st.Questions) > 0 {
		t.Errorf("after Reset State is %+v, want nothing in it", st)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "a")); string(b) != "content" {
		t.Errorf("after Reset the file is %q, %v, want as it was", b, err)
	}
}

// until waits for a State: what a call did may show a moment later.
func until(t *testing.T, s app.Service, what string, ok func(app.State) bool) app.State {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	var last app.State
	for last = range s.Watch(ctx) {
		if ok(last) {
			return last
		}
	}
	t.Fatalf("State never %s; the last one is %+v", what, last)
	return last
}
