package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"foldpost/app"
	"foldpost/discovery"
	"foldpost/p2p"
)

var _ p2p.NearbyManager = manager{}

// PairNearby implements [app.Service].
func (n *Node) PairNearby(ctx context.Context, id app.NearbyID) (app.DeviceID, error) {
	all := n.strangers()
	i := slices.IndexFunc(all, func(d discovery.Neighbour) bool { return app.NearbyID(d.Instance) == id })
	if i < 0 {
		return "", app.Errorf(app.CodeNotFound, "no device %s is nearby any more: foldpost nearby lists them", id)
	}
	h := n.holdNearby()
	defer n.leaveNearby(h, 0)
	n.mu.Lock()
	n.nearby.compared = p2p.PairingRequest{}
	n.mu.Unlock()
	r, err := n.endpoint.AskNearby(ctx, all[i].Addrs)
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		n.log.Debug("ask a device nearby", "err", err)
		n.mu.Lock()
		words := n.nearby.compared.Peer != p2p.PeerID{}
		n.mu.Unlock()
		return "", app.Errorf(app.CodeFailed, "%s", nearbyEnd(shownName(all[i].Name), err, words))
	}
	n.publish()
	return deviceID(key(r.Peer)), nil
}

// nearbyEnd says how a request between this device and another ended; words
// tells whether they were shown.
func nearbyEnd(name string, err error, words bool) string {
	if errors.Is(err, p2p.ErrSettling) {
		return fmt.Sprintf("what became of the last try to link with %s is being found out: try again in a moment", name)
	}
	e, ok := errors.AsType[*p2p.PairingError](err)
	if !ok {
		if words {
			return fmt.Sprintf("the connection to %s was lost before both of you had compared the words; nothing was shared. Try again", name)
		}
		return fmt.Sprintf("%s was not reached, or has gone: is it on, in the same network, and does its firewall let foldpost through? `foldpost doctor` looks for the reason", name)
	}
	switch e.Code {
	case p2p.PairingUserNo:
		if words {
			return fmt.Sprintf("the words on the screen of %s are others, so somebody else may be in between; nothing was shared. Try again, or use an invitation: foldpost pair ADDRESS", name)
		}
		return fmt.Sprintf("the person at %s said no; it does not listen to this device for an hour", name)
	case p2p.PairingExpired:
		return fmt.Sprintf("nobody answered in time at %s or here; nothing was shared. Try again when both of you look at the screens", name)
	case p2p.PairingBusy:
		if e.Remote {
			return fmt.Sprintf("%s answers another device just now: try again in a moment", name)
		}
		return "another device nearby waits for an answer here: see `foldpost answer`"
	case p2p.PairingRefused, p2p.PairingLimit:
		return fmt.Sprintf("%s does not let devices nearby in now: open Devices nearby on it, or type `foldpost nearby` there; then try again", name)
	case p2p.PairingCancelled:
		return fmt.Sprintf("%s took its request back; nothing was shared", name)
	case p2p.PairingWrongSecret:
		return fmt.Sprintf("somebody between this device and %s changed what they said to each other; nothing was shared. Use an invitation instead: foldpost pair ADDRESS", name)
	}
	return fmt.Sprintf("the request of %s broke off; nothing was shared. Try again", name)
}

// NearbyRequest implements [p2p.NearbyManager].
func (m manager) NearbyRequest(ctx context.Context, r p2p.PairingRequest) error {
	name := shownName(r.Metadata.Name)
	text := fmt.Sprintf("A device nearby that calls itself %q wants to be linked. If you expect it, compare three words with it.", name)
	s := m.keep.view()
	if old := s.sameClaims(r); old != nil {
		text += " It is not the device of that name that you know."
	}
	choice, err := m.askWhile(ctx, app.Question{
		ID: m.requestID("nearby", r), Kind: app.AskNearby, Name: name, Text: text, Since: time.Now(),
		Choices: []app.Choice{{ID: app.ChoiceOpen, Text: "Compare words"}, {ID: app.ChoiceNo, Text: "Refuse"}},
	})
	if err == nil && choice != app.ChoiceOpen {
		err = &p2p.PairingError{Code: p2p.PairingUserNo}
	}
	return err
}

// NearbyWords implements [p2p.NearbyManager].
func (m manager) NearbyWords(ctx context.Context, r p2p.PairingRequest, words [3]string) error {
	m.mu.Lock()
	m.nearby.compared = r
	m.mu.Unlock()
	name := shownName(r.Metadata.Name)
	choice, err := m.askWhile(ctx, app.Question{
		ID: m.requestID("same", r), Kind: app.AskSame, Name: name, Words: words[:], Since: time.Now(),
		Text:    fmt.Sprintf("Does the screen of %q show the same three words: %s %s %s?", name, words[0], words[1], words[2]),
		Choices: []app.Choice{{ID: app.ChoiceSame, Text: "Yes, the same"}, {ID: app.ChoiceDifferent, Text: "No"}},
	})
	if err == nil && choice != app.ChoiceSame {
		err = &p2p.PairingError{Code: p2p.PairingUserNo}
	}
	return err
}

// requestID names a question about a request: no answer to one is taken for
// another.
func (m manager) requestID(kind string, r p2p.PairingRequest) app.QuestionID {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.nearby.asks++
	return app.QuestionID(fmt.Sprintf("%s-%s-%d", kind, r.Peer.Short(), m.nearby.asks))
}

// maxEnds bounds what is shown of requests that came to nothing: three in ten
// minutes close the door anyway.
const maxEnds = 6

// NearbyEnded implements [p2p.NearbyManager].
func (m manager) NearbyEnded(e p2p.NearbyEnd) {
	pe, ok := errors.AsType[*p2p.PairingError](e.Err)
	own := ok && !pe.Remote && (pe.Code == p2p.PairingUserNo || pe.Code == p2p.PairingCancelled)
	name := shownName(e.Request.Metadata.Name)
	m.mu.Lock()
	words := m.nearby.compared.Peer == e.Request.Peer
	m.mu.Unlock()
	m.log.Info("request nearby ended", "device", e.Request.Peer.Short(), "err", e.Err, "shut", e.Shut)
	if own && !e.Shut {
		return // the person knows
	}
	q := app.Question{
		ID: m.requestID("ended", e.Request), Kind: app.AskBrokenOff, Name: name, Since: time.Now(),
		Text:    fmt.Sprintf("Linking with %q nearby broke off: %s.", name, nearbyEnd(name, e.Err, words)),
		Choices: []app.Choice{{ID: app.ChoiceSeen, Text: "All right"}},
	}
	if e.Shut {
		q.Text += " It was the third request in ten minutes, so none is taken any more until you open Devices nearby again."
		m.shutNearby()
	}
	m.mu.Lock()
	m.nearby.ends = append(m.nearby.ends, q)
	m.nearby.ends = m.nearby.ends[max(0, len(m.nearby.ends)-maxEnds):]
	m.mu.Unlock()
	m.nearbyChanged()
}

// forgetEnd takes the end of a request off the list: it was seen.
func (n *Node) forgetEnd(id app.QuestionID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nearby.ends = slices.DeleteFunc(slices.Clone(n.nearby.ends), func(q app.Question) bool { return q.ID == id })
}

// metAt is where a device was while its words were compared: there it is asked
// what became of the pairing, if the link breaks.
func (n *Node) metAt(id p2p.PeerID) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r := n.nearby.compared; r.Peer == id && r.Addr.IsValid() {
		return []string{r.Addr.String()}
	}
	return nil
}
