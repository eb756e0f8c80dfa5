//go:build desktop

package desktop

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"foldpost/app"
)

// TestWayNearby is the way of two computers in one network to each other, by
// three words on both screens and without a mail.
func TestWayNearby(t *testing.T) {
	for _, look := range []struct{ theme, scale, screen string }{
		{"light", "1", "1280x900x24"},
		{"dark", "1.5", "1900x1250x24"},
	} {
		t.Run(look.theme+" at "+look.scale, func(t *testing.T) {
			s := newSession(t, look.screen, "FYNE_THEME="+look.theme, "FYNE_SCALE="+look.scale)
			s.bridge("ada", "bob")
			linkNearby(t, s)
		})
	}
}

func linkNearby(t *testing.T, s *session) {
	a, b := s.called("Ada", "Desktop of Ada"), s.called("Bob", "Laptop of Bob")
	b.click("Connect my other computer")
	b.sees("In this network")
	a.click("Connect my other computer")
	a.sees("Laptop of Bob")
	s.picture("nearby")
	a.click("Link")
	a.sees("Open the request on Laptop of Bob now.")
	b.sees("Desktop of Ada wants to be linked")
	b.front()
	s.picture("asked")
	b.press("Return") // is no answer
	b.click("Compare words")
	b.sees("Compare three words")
	words := func(p *person) (words []string) {
		p.state("words to compare", func(st app.State) bool {
			i := slices.IndexFunc(st.Questions, func(q app.Question) bool { return q.Kind == app.AskSame })
			if i >= 0 {
				words = st.Questions[i].Words
			}
			return i >= 0
		})
		p.sees(strings.Join(words, " "))
		return words
	}
	if x, y := words(a), words(b); len(x) != 3 || !slices.Equal(x, y) {
		t.Fatalf("words %v and %v, want the same three", x, y)
	}
	s.picture("words")
	a.press("Return") // is no answer
	a.click("Yes, the same")
	a.sees("Now Laptop of Bob has to say so, too.")
	b.click("Yes, the same")
	for _, p := range []*person{a, b} {
		p.sees("Linked with")
		st := p.state("linked", func(st app.State) bool { return len(st.Devices) == 1 && st.Devices[0].Connected })
		if st.Devices[0].Verified != "nearby" || st.Mailbox != nil {
			t.Errorf("%s: device %+v, mailbox %v, want one verified nearby and no mailbox", p.name, st.Devices[0], st.Mailbox)
		}
	}
	a.front()
	s.picture("linked")
	a.press("Escape")
	b.front()
	b.press("Escape")
	for _, p := range []*person{a, b} {
		p.state("hidden again", func(st app.State) bool { return !st.Device.Visible && len(st.Questions) == 0 })
	}
}

// bridge gives persons' computers a network of their own, and nothing else.
func (s *session) bridge(names ...string) {
	s.t.Helper()
	if os.Geteuid() != 0 {
		s.t.Fatal("network namespaces need root")
	}
	do := func(args ...string) {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			s.t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	space := func(name string) string {
		ns := fmt.Sprintf("fpdesk%d-%s", os.Getpid(), name)
		do("netns", "add", ns)
		s.t.Cleanup(func() { exec.Command("ip", "netns", "del", ns).Run() })
		do("-n", ns, "link", "set", "lo", "up")
		return ns
	}
	hub := space("switch")
	do("-n", hub, "link", "add", "name", "lan", "type", "bridge", "mcast_snooping", "0")
	do("-n", hub, "link", "set", "lan", "up")
	s.onto = map[string][]string{}
	for i, name := range names {
		ns, port := space(name), fmt.Sprintf("port%d", i)
		do("-n", hub, "link", "add", "name", port, "type", "veth", "peer", "name", "eth0", "netns", ns)
		do("-n", hub, "link", "set", port, "master", "lan", "up")
		do("-n", ns, "addr", "add", fmt.Sprintf("192.168.7.%d/24", i+1), "dev", "eth0")
		do("-n", ns, "link", "set", "eth0", "up")
		s.onto[name] = []string{"ip", "netns", "exec", ns}
	}
}
