package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"foldpost/app"
	"foldpost/mail/mailtest"
)

// reasonIn is how long a device may take to say why it cannot reach another.
const reasonIn = 30 * time.Second

// why waits until a device says why the other one is not connected.
func (d *device) why(want app.Reason, side app.Side, within time.Duration) {
	d.w.t.Helper()
	d.eventually("says "+string(want), within, func(s app.State) bool {
		return len(s.Devices) > 0 && s.Devices[0].Why != nil && s.Devices[0].Why.Reason == want
	})
	list, err := d.Doctor(d.w.t.Context())
	d.w.must(err)
	i := slices.IndexFunc(list, func(f app.Finding) bool { return f.Area == app.AreaLink })
	if i < 0 || list[i].Reason != want || list[i].Side != side || list[i].OK {
		d.w.t.Errorf("%s: Doctor() = %+v, want %s on side %q", d.name, list, want, side)
	}
}

// servers are two hosts in different networks, which know nobody and answer
// who asks where they see him.
func (w *world) servers(ask ...*device) {
	w.device("cem")
	w.device("nas")
	for _, d := range ask {
		w.must(d.SetConfig(w.t.Context(), "stun", "192.0.2.3:4003 198.51.100.7:4007"))
	}
}

// TestDoctorOff: the other computer is off.
func TestDoctorOff(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, _ := w.acquainted()
		list, err := ada.Doctor(t.Context())
		w.must(err)
		if bad := slices.IndexFunc(list, func(f app.Finding) bool { return !f.OK }); bad >= 0 {
			t.Errorf("Doctor() while all is well = %+v, want nothing wrong", list[bad])
		}
		w.unplug(bob, true)
		ada.eventually("lost", 2*time.Minute, func(s app.State) bool { return !connected(s) })
		ada.why(app.FoundAway, app.SideThere, reasonIn)
		if p := ada.State().Devices[0].Problem; p != "" {
			t.Errorf("Problem of a device that is off = %q, want none: nothing is to be done", p)
		}
		w.unplug(bob, false)
		ada.eventually("linked again", 2*time.Minute, connected)
		if why := ada.State().Devices[0].Why; why != nil {
			t.Errorf("Why of a connected device = %+v, want nil", why)
		}
	})
}

// TestDoctorRouters: two friends move behind routers that change the port for
// each destination, and both are told so.
func TestDoctorRouters(t *testing.T) {
	for _, c := range []struct {
		name     string
		ada, bob bool // change ports
		atAda    app.Reason
		side     app.Side
		atBob    app.Reason
		bobSide  app.Side
	}{
		{"both", true, true, app.FoundBothChange, app.SideNetwork, app.FoundBothChange, app.SideNetwork},
		{"one", true, false, app.FoundChangesHere, app.SideHere, app.FoundChangesThere, app.SideThere},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				ada, bob, _ := w.acquainted()
				w.servers(ada, bob)
				ada.end()
				bob.end()
				ada.move("192.168.1.2:4001")
				bob.move("192.168.2.2:4002")
				w.routers(map[*device]router{ada: {"198.51.100.11", c.ada}, bob: {"203.0.113.12", c.bob}})
				ada.start()
				bob.start()
				// Half a minute until they ask each other by mail, who has moved.
				ada.why(c.atAda, c.side, askTime+reasonIn)
				bob.why(c.atBob, c.bobSide, askTime+reasonIn)
				for _, d := range []*device{ada, bob} {
					if p := d.State().Devices[0].Problem; !strings.Contains(p, "No way to") {
						t.Errorf("%s: Problem = %q, want that there is no way", d.name, p)
					}
				}
			})
		})
	}
}

// askTime is how long it takes until devices that have moved ask by mail, and
// the mail has come.
const askTime = 40 * time.Second

// TestDoctorInvitation: two strangers behind such routers have done their part;
// both are told why it goes no further, as far as each can know.
func TestDoctorInvitation(t *testing.T) {
	for _, c := range []struct {
		name    string
		servers bool
		want    app.Reason
	}{
		{"servers", true, app.FoundBothChange},
		{"no servers", false, app.FoundNoWay},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				ada, bob := w.deviceAt("ada", "192.168.1.2:4001"), w.deviceAt("bob", "192.168.2.2:4002")
				if c.servers {
					w.servers(ada, bob)
				}
				w.routers(map[*device]router{ada: {"198.51.100.11", true}, bob: {"203.0.113.12", true}})
				ada.mailbox()
				bob.mailbox()
				time.Sleep(time.Minute) // simulated: the servers have answered
				inv := ada.invite(bob)
				bob.eventually("invited", time.Minute, invited)
				w.must(bob.accept(inv.Words))
				for d, other := range map[*device]*device{bob: ada, ada: bob} {
					d.eventually("told why", reasonIn+10*time.Second, func(s app.State) bool {
						return len(s.Invitations) > 0 && s.Invitations[0].Why != nil && s.Invitations[0].Why.Reason == c.want
					})
					if text := d.State().Invitations[0].Why.Text; !strings.Contains(text, other.email) {
						t.Errorf("%s is told %q, want that it names %s", d.name, text, other.email)
					}
				}
			})
		})
	}
}

// TestDoctorBlocked: nothing but mail and web gets out of one network.
func TestDoctorBlocked(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, _ := w.acquainted()
		w.servers(ada)
		ada.end()
		w.watch(func(p packet) bool { return addrOf(p.From) == ada.addr || addrOf(p.To) == ada.addr })
		ada.start()
		ada.why(app.FoundBlockedHere, app.SideHere, reasonIn)
		if !slices.ContainsFunc(ada.State().Findings, func(f app.Finding) bool { return f.Reason == app.FoundBlocked }) {
			t.Errorf("Findings = %+v, want that UDP is blocked", ada.State().Findings)
		}
		bob.why(app.FoundAway, app.SideThere, 2*time.Minute)
	})
}

// TestDoctorBounce: the mail that asks where the other device is comes back.
func TestDoctorBounce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, _ := w.acquainted()
		bob.end()
		ada.end()
		w.mail.SetFaults(mailtest.Faults{Bounce: true})
		ada.move("192.168.1.2:4001") // nobody knows it there: it asks soon
		ada.start()
		ada.why(app.FoundUndelivered, app.SideThere, 2*time.Minute)
	})
}

// TestDoctorRelay: the link leads through a third device, and two know why.
func TestDoctorRelay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, nas := w.device("ada"), w.device("bob"), w.device("nas")
		w.link(ada, nas)
		w.link(bob, nas)
		w.link(ada, bob)
		for _, d := range []*device{ada, bob} {
			w.must(nas.Relay(t.Context(), d.State().Device.ID, true)) // a contact who agreed
		}
		w.device("cem")
		for _, d := range []*device{ada, bob} {
			w.must(d.SetConfig(t.Context(), "stun", "192.0.2.3:4003 198.51.100.7:4007"))
			d.end()
		}
		ada.move("192.168.1.2:4001")
		bob.move("192.168.2.2:4002")
		w.routers(map[*device]router{ada: {"198.51.100.11", true}, bob: {"203.0.113.12", true}})
		ada.start()
		bob.start()
		ada.eventually("linked through nas", 2*time.Minute, func(s app.State) bool {
			return slices.ContainsFunc(s.Devices, func(d app.Device) bool { return d.Link == "relay" })
		})
		list, err := ada.Doctor(t.Context())
		w.must(err)
		i := slices.IndexFunc(list, func(f app.Finding) bool { return f.Reason == app.FoundLinkedRelay })
		if i < 0 || !strings.Contains(list[i].Text, "nas's laptop") || !strings.Contains(list[i].Detail, "no direct way: routers-change-port") {
			t.Errorf("Doctor() = %+v, want a link through nas, because both routers change ports", list)
		}
		for _, f := range list {
			if f.Reason == app.FoundChangesPort && !f.OK {
				t.Errorf("Doctor() says %+v, want that it is no fault while nothing is missing", f)
			}
		}
	})
}

// TestDoctorReport: a report that anybody may read names nobody.
func TestDoctorReport(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ada, bob, s := w.acquainted()
		hidden := secrets{}
		hidden.addHome(ada)
		hidden.addHome(bob)
		for what, text := range map[string]string{
			"a device's name": "laptop", "Ada's mail": ada.email, "Bob's mail": bob.email, "an address": bob.addr.Addr().String(),
			"a folder's name": s.name, "a path": s.dirs[ada],
		} {
			hidden.addText(what, text)
		}
		read := func(when string) {
			list, err := ada.Doctor(t.Context())
			w.must(err)
			for i := range list {
				list[i] = list[i].ForReport()
			}
			b, err := json.Marshal(list)
			w.must(err)
			hidden.in(t, "the report "+when, b)
		}
		read("while linked")
		w.unplug(bob, true)
		time.Sleep(2 * time.Minute) // simulated
		w.mail.Cut()
		read("while not linked")
	})
}
