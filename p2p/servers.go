package p2p

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// The pace of questions to STUN servers.
const (
	askServer  = 5 * time.Minute
	holdEvery  = 15 * time.Second // while a letter is under way: routers forget after 30 s
	askTwice   = time.Second      // one that did not answer
	maxMisses  = 4                // in a row, then it is asked at the usual pace
	maxServers = 8
)

// servers are the STUN servers that the user named. Their word counts alone.
type servers struct {
	mu   sync.Mutex
	list []*server
	hold time.Time     // the routers' mapping is held until then
	all  bool          // linked peers are asked at once, too
	wake chan struct{} // capacity 1
}

type server struct {
	addr   netip.AddrPort
	seen   seen
	next   time.Time // when it is asked
	misses int       // questions since its last answer
}

func newServers() *servers { return &servers{wake: make(chan struct{}, 1)} }

// poke has the loop that asks look again.
func (s *servers) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// askAgain has the servers asked at once; s.mu is held.
func (s *servers) askAgain() {
	for _, v := range s.list {
		v.next, v.misses = time.Time{}, 0
	}
	s.poke()
}

// wakeUp tells that the network may have changed: who can is asked at once.
func (s *servers) wakeUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = true
	s.askAgain()
}

// takeAll tells whether linked peers are to be asked at once.
func (s *servers) takeAll() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all
	s.all = false
	return all
}

// mapped notes a server's answer. It returns where the server saw us before,
// and where it does now.
func (s *servers) mapped(addr, mapped netip.AddrPort, now time.Time) (before, after seen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.list {
		if v.addr == addr {
			before, after = v.seen, seen{addr: unmap(mapped), by: addr.Addr(), at: now}
			v.seen = after
			v.misses, v.next = 0, now.Add(s.every(now))
			s.poke()
		}
	}
	return before, after
}

func (s *servers) every(now time.Time) time.Duration {
	if now.Before(s.hold) {
		return holdEvery
	}
	return askServer
}

// due returns the servers to ask now, and when to look again; zero: when
// something changes.
func (s *servers) due(now time.Time) (list []netip.AddrPort, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.list {
		if !now.Before(v.next) {
			list = append(list, v.addr)
			v.misses++
			v.next = now.Add(s.every(now))
			if v.misses < maxMisses {
				v.next = now.Add(askTwice)
			}
		}
		if next.IsZero() || v.next.Before(next) {
			next = v.next
		}
	}
	return list, next
}

// known returns what servers said not long ago.
func (s *servers) known(now time.Time) []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []seen
	for _, v := range s.list {
		if v.seen.addr.IsValid() && now.Sub(v.seen.at) < 2*askServer {
			list = append(list, v.seen)
		}
	}
	return list
}

// silent tells whether none answers of several that were asked often enough to
// say so.
func (s *servers) silent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.list {
		if v.misses < maxMisses {
			return false
		}
	}
	return len(s.list) > 1
}

// SetSTUN says which STUN servers, named by the user, are asked for this
// device's address: at most eight.
func (e *Endpoint) SetSTUN(servers []netip.AddrPort) {
	s := e.servers
	servers = servers[:min(len(servers), maxServers)]
	s.mu.Lock()
	defer s.mu.Unlock()
	same := slices.EqualFunc(s.list, servers, func(v *server, a netip.AddrPort) bool { return v.addr == a })
	if same {
		return
	}
	old := s.list
	s.list = nil
	for _, a := range servers {
		v := &server{addr: a}
		if i := slices.IndexFunc(old, func(o *server) bool { return o.addr == a }); i >= 0 {
			v.seen = old[i].seen
		}
		s.list = append(s.list, v)
	}
	s.askAgain()
}

// HoldMapping keeps what routers on the way map this device's port to until a
// moment, where a STUN server can be asked: a letter with the address is under
// way.
func (e *Endpoint) HoldMapping(until time.Time) {
	s := e.servers
	s.mu.Lock()
	defer s.mu.Unlock()
	if until.After(s.hold) {
		s.hold = until
		s.askAgain()
	}
}

// ask sends a server one request.
func (e *Endpoint) ask(addr netip.AddrPort) {
	s, err := e.socketFor(addr.Addr(), false)
	if err != nil {
		return
	}
	e.outside.sentTo(addr.Addr(), time.Now())
	id, packet := newRequest("", checkKey{})
	if e.checker.remember(id, asked{addr: addr, at: time.Now()}) {
		_ = s.write(packet, addr, 0) // asked again later
	}
}
