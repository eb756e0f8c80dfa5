package p2p

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"slices"
	"strings"
	"time"

	"foldpost/p2p/wire"
)

// The pace of checks with one peer.
const (
	checkSpacing  = 100 * time.Millisecond // between two checks of one peer
	checksPerSec  = 50                     // to all peers together
	firstRound    = checkSpacing           // a peer on the own network is dialled meanwhile
	quickRounds   = 5                      // 250 ms apart
	quickRound    = 250 * time.Millisecond
	eagerChecks   = 20 * time.Second // a round each second
	checkTime     = 5 * time.Minute  // after an offer; a round each 5 s
	burstRound    = 2 * time.Second  // later, for as long as the eager ones, between pauses
	pauseChecks   = 35 * time.Second // after them: a router that took a flow for its own forgets it
	firstFar      = 12 * time.Second // the letter left after 5 s and was read by then, as a rule
	quietTime     = time.Hour        // low checks go on every 20 s: they end within a few hops
	firstFull     = 35 * time.Second // one round of the usual hops among low ones, for routers
	nextFull      = 90 * time.Second // that must hear from here first
	quietRound    = 20 * time.Second // less than the 30 s for which routers keep a mapping
	nominateAfter = time.Second      // the larger id leaves the dial to the smaller one for so long
	openTime      = 30 * time.Second // an address that answered is dialled for so long
	blindTime     = 5 * time.Second  // one that did not, now and then
	triggerAgain  = 250 * time.Millisecond
	spareAfter    = time.Second // the main socket has so long to be heard on
	maxHeard      = 3           // addresses that only checks told, of a peer
	maxReplays    = 256
	checkSource   = "check"
)

// Hops of an early check: enough to leave the own router, or a carrier's behind
// it, too few to reach the other side's, as a rule. There it would be a packet
// that nobody asked for; some routers then refuse that very pair of addresses
// until no such packet came for 30 s. So the far ones are few: carriers'
// routers remember for longer.
const (
	lowHops  = 2
	farHops  = 4 // once
	mostHops = 5 // in place of the usual ones, where these leave the spare socket
)

// A checkKey signs the checks that one side of a pair sends.
type checkKey Secret

// newCheckKey returns the key of what sender sends under a secret that it
// shares with the receiver: the PSK of an invitation, or pairwise.
func newCheckKey(shared Secret, sender PeerID) checkKey {
	return checkKey(expand(shared[:], wire.Name+"/1 check "+string(sender[:])))
}

// shared are the keys of a secret that this device has in common with a peer.
type shared struct{ out, in checkKey }

func newShared(secret Secret, self, peer PeerID) *shared {
	return &shared{out: newCheckKey(secret, self), in: newCheckKey(secret, peer)}
}

// Sizes of a check's name: random ‖ tag, as base32.
const (
	nameRandom = 8
	nameTag    = 8
)

// name is the USERNAME of a new check. It is another one each time, so that
// nobody else can tell whose checks they are.
func (k checkKey) name() string {
	var r [nameRandom]byte
	rand.Read(r[:]) // never fails
	return k.nameOf(r)
}

func (k checkKey) nameOf(r [nameRandom]byte) string {
	h := hmac.New(sha256.New, k[:])
	h.Write([]byte("name"))
	h.Write(r[:])
	return strings.ToLower(idEncoding.EncodeToString(append(r[:], h.Sum(nil)[:nameTag]...)))
}

// made tells whether a name was made with this key.
func (k checkKey) made(name string) bool {
	b, err := idEncoding.DecodeString(strings.ToUpper(name))
	if err != nil || len(b) != nameRandom+nameTag {
		return false
	}
	return hmac.Equal([]byte(k.nameOf([nameRandom]byte(b))), []byte(name))
}

// checks is how far the checks with a peer have come; under the endpoint's mu.
type checks struct {
	pairwise Secret    // of its record; zero: none
	paired   *shared   // of pairwise
	pairings []*shared // of pairings under way

	since  time.Time // of the last offer: new candidates, a letter, a user's wish
	quiet  bool      // our letter is under way: the other side may not know of us yet
	rounds int
	round  time.Time // of the next round
	queue  []turn    // what is left of this round
	full   bool      // this round has the usual hops though quiet, and reflexive candidates are dialled
	far    bool      // this round goes further than other low ones
	wasFar bool      // there was one
	spare  bool      // there is a spare socket: that is where the usual hops leave from while quiet
	fulls  int
	alone  bool      // no letter of ours goes to the peer: the first round is full
	last   time.Time // check sent
	seen   [][12]byte
	wake   chan struct{} // capacity 1: there may be something to do

	nominate time.Time // when an address that answered may be dialled
	spared   time.Time // when the peer was first heard on the spare socket, in this offer
}

// A turn is a candidate's in a round.
type turn struct {
	k     *known
	spare bool // from the spare socket
}

// offered begins the checks with a peer anew: something is known that was not
// before.
func (c *checks) offered(now time.Time) {
	c.since, c.rounds, c.round, c.queue = now, 0, now.Add(firstRound), nil
	c.full, c.fulls, c.wasFar, c.spared = false, 0, false, time.Time{}
	c.poke()
}

func (c *checks) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// keys returns what checks with the peer may be signed with.
func (c *checks) keys() []*shared {
	if c.paired == nil {
		return c.pairings
	}
	return append([]*shared{c.paired}, c.pairings...)
}

// setPairwise notes the secret of the peer's record; zero: there is none.
func (c *checks) setPairwise(s Secret, self, peer PeerID) {
	if s == c.pairwise {
		return
	}
	c.pairwise, c.paired = s, nil
	if s != (Secret{}) {
		c.paired = newShared(s, self, peer)
	}
}

// replayed tells whether a transaction was seen before, and remembers it.
func (c *checks) replayed(id [12]byte) bool {
	if slices.Contains(c.seen, id) {
		return true
	}
	if len(c.seen) >= maxReplays {
		c.seen = slices.Delete(c.seen, 0, 1)
	}
	c.seen = append(c.seen, id)
	return false
}

// interval is the time from one round to the next.
func (c *checks) interval(now time.Time, paired bool) time.Duration {
	age := now.Sub(c.since)
	switch {
	case !c.quiet && c.rounds < quickRounds:
		return quickRound
	case age < eagerChecks:
		return time.Second
	case !c.quiet && age < checkTime:
		return inBurst(age)
	case age < checkTime:
		return 5 * time.Second
	case c.quiet && age < quietTime:
		return quietRound
	case paired:
		return lastBackoff
	}
	return patientWait
}

// inBurst is the time to the next round where those and pauses alternate.
func inBurst(age time.Duration) time.Duration {
	if age %= eagerChecks + pauseChecks; age >= eagerChecks {
		return eagerChecks + pauseChecks - age
	}
	return burstRound
}

// begin begins a round.
func (c *checks) begin(now time.Time, paired bool) {
	c.round = now.Add(c.interval(now, paired))
	c.rounds++
	first := firstFull
	if c.alone {
		first = 0
	}
	c.full = (c.quiet || c.alone) && now.Sub(c.since) >= first+time.Duration(c.fulls)*nextFull
	if c.full {
		c.fulls++
	}
	c.far = c.quiet && !c.wasFar && now.Sub(c.since) >= firstFar
	c.wasFar = c.wasFar || c.far
}

// blind lets the reflexive candidates be dialled though none answered: the
// peer may be reachable there, and not know by what key our checks are signed.
func (p *peer) blind(now time.Time) {
	for _, k := range p.candidates {
		if k.Kind == Reflexive {
			k.blind = now
			p.checks.nominate = now
		}
	}
}

// hops returns the hop limit of a check of this round to a candidate, 0 for
// the usual one. While our letter is under way, a router of the other side
// that did not ask for the check shall not see it; but where nobody can know
// our port before a check shows it, it must.
func (c *checks) hops(k *known, m Mapping, now time.Time) int {
	switch {
	case !c.quiet || m == MappingDependent || k.Kind != Reflexive || !k.Addr.Addr().Is4(), now.Sub(c.since) >= quietTime:
		return 0
	case c.full && c.spare:
		return mostHops
	case c.full:
		return 0
	case c.far:
		return farHops
	}
	return lowHops
}

// A check is one that is due.
type check struct {
	to    *known
	hops  int
	keys  *shared
	spare bool // from the spare socket
}

// due returns the check to send now, if there is one, else when to look again;
// zero: when something changes. Answers to what the peer sent come first.
func (p *peer) due(n network, m Mapping, now time.Time) (check, time.Time) {
	c := &p.checks
	keys := c.keys()
	if p.settled() || len(keys) == 0 {
		c.queue = nil
		return check{}, time.Time{}
	}
	if free := c.last.Add(checkSpacing); now.Before(free) {
		return check{}, free
	}
	for _, k := range p.candidates {
		if k.trigger && n.usable(k.Addr) == nil {
			k.trigger = false
			return check{to: k, keys: k.keys, spare: k.spare}, time.Time{}
		}
	}
	for {
		for len(c.queue) > 0 {
			t := c.queue[0]
			c.queue = c.queue[1:]
			if !slices.Contains(p.candidates, t.k) || !t.k.checkable(n) {
				continue
			}
			d := check{to: t.k, keys: keys[c.rounds%len(keys)], spare: t.spare}
			if !t.spare {
				d.hops = c.hops(t.k, m, now)
			}
			return d, time.Time{}
		}
		if c.since.IsZero() {
			return check{}, time.Time{}
		}
		if now.Before(c.round) {
			return check{}, c.round
		}
		if c.begin(now, p.kept); c.full {
			p.blind(now)
		}
		for _, k := range p.candidates {
			if !k.checkable(n) {
				continue
			}
			c.queue = append(c.queue, turn{k: k})
			if c.spares(k, m, now) {
				c.queue = append(c.queue, turn{k, true})
			}
		}
		if len(c.queue) == 0 {
			c.since = time.Time{}
			return check{}, time.Time{}
		}
		slices.SortStableFunc(c.queue, func(a, b turn) int {
			if ga, gb := global6(a.k), global6(b.k); ga != gb {
				return sign(ga)
			}
			return int(a.k.Kind) - int(b.k.Kind)
		})
	}
}

// checkable tells whether a candidate is checked: on the own network it is
// just dialled.
func (k *known) checkable(n network) bool {
	a := k.Addr.Addr()
	return n.usable(k.Addr) == nil && k.Kind != Relayed && !n.onLink(a) && (!a.IsPrivate() || k.proven || k.probes < privateTries)
}

// dialable tells whether a candidate may be dialled. A reflexive one only after
// it answered a check: then by the side with the smaller id at once, by the
// other one a little later, so that not both do. Now and then it is dialled
// all the same.
func (k *known) dialable(now time.Time) bool {
	if k.Kind != Reflexive || k.proven {
		return true
	}
	return k.answers(now) || !k.blind.IsZero() && now.Before(k.blind.Add(blindTime))
}

// onSpare tells whether a candidate is dialled from the spare socket: it was met
// there, or is not to see us on the main one yet.
func (k *known) onSpare(c *checks, now time.Time) bool {
	if k.answers(now) {
		return k.spare
	}
	return c.quiet && c.spare && now.Sub(c.since) < quietTime && k.Kind == Reflexive && !k.proven && k.Addr.Addr().Is4()
}

func (k *known) answers(now time.Time) bool {
	return !k.open.IsZero() && !now.Before(k.open) && now.Before(k.open.Add(openTime))
}

// spares tells whether a candidate is checked in this round from the spare
// socket, too: where the check of the main one is low.
func (c *checks) spares(k *known, m Mapping, now time.Time) bool {
	age := now.Sub(c.since)
	due := c.full || age < eagerChecks || c.rounds%2 == 1 && age < checkTime
	return c.spare && due && c.hops(k, m, now) > 0
}

// spareMay tells whether the peer may be met on the spare socket: only if it
// can not be on the main one, whose address it was told.
func (c *checks) spareMay(now time.Time) bool {
	if c.spared.IsZero() {
		c.spared = now
	}
	return now.Sub(c.spared) >= spareAfter
}

// heard notes that a signed check of the peer came: it knows of us.
func (c *checks) heard(now time.Time) {
	if c.quiet {
		c.quiet = false
		c.offered(now)
	}
}

// heardFrom returns the candidate for an address that a signed check of the
// peer came from, new if it was not known (peer-reflexive, RFC 8445 §7.3.1.3);
// nil if it is not used.
func (p *peer) heardFrom(addr netip.AddrPort, n network, now time.Time) *known {
	for _, k := range p.candidates {
		if k.Addr == addr {
			return k
		}
	}
	if n.usable(addr) != nil {
		return nil
	}
	told := 0
	oldest := -1
	for i, k := range p.candidates {
		if k.Source != checkSource {
			continue
		}
		if told++; oldest < 0 || k.added.Before(p.candidates[oldest].added) {
			oldest = i
		}
	}
	if told >= maxHeard {
		p.candidates = slices.Delete(p.candidates, oldest, oldest+1)
	}
	p.candidates.add(Candidate{Peer: p.id, Addr: addr, Kind: Reflexive, Source: checkSource, Expires: now.Add(checkTime)}, now)
	i := slices.IndexFunc(p.candidates, func(k *known) bool { return k.Addr == addr })
	if i < 0 {
		return nil
	}
	return p.candidates[i]
}
