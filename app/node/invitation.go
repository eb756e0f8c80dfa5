package node

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"foldpost/app"
	"foldpost/mail"
	"foldpost/p2p"
)

// An invitation is one that was made here, or one from outside that this user
// accepted. Its secrets are erased when it ends.
type invitation struct {
	Direction app.Direction `json:"direction"`
	State     invState      `json:"state"`
	Problem   string        `json:"problem,omitempty"` // why it ended, for its user
	With      string        `json:"with,omitempty"`    // mail address; "" for a link
	Via       p2p.Via       `json:"via"`
	Token     tokenKey      `json:"token"`
	Salt      tokenKey      `json:"salt"`
	PSK       key           `json:"psk,omitzero"`
	Words     string        `json:"words,omitempty"` // sent: shown until used
	Secret    tokenKey      `json:"secret,omitzero"` // sent links
	Created   time.Time     `json:"created"`
	Expires   time.Time     `json:"expires"`
	Wrong     int           `json:"wrong,omitempty"`   // proofs
	Folders   []keptShare   `json:"folders,omitempty"` // that follow it
	Note      string        `json:"note,omitempty"`
	MessageID string        `json:"message_id,omitempty"`
	Mailed    mailing       `json:"mailed,omitempty"`
	SentAt    time.Time     `json:"sent_at,omitzero"`  // when its mail left last
	Name      string        `json:"name,omitempty"`    // received: of the person or device, as claimed
	Peer      key           `json:"peer,omitzero"`     // sent: first answerer; received: the inviter
	Static    key           `json:"static,omitzero"`   // of Peer
	Addrs     []string      `json:"addrs,omitempty"`   // where the other side might be
	Network   p2p.Mapping   `json:"network,omitempty"` // what its routers do, as its letter says
	Answered  mailing       `json:"answered,omitempty"`
	Taken     time.Time     `json:"taken,omitzero"` // received: when its user said yes
	Ended     time.Time     `json:"ended,omitzero"` // when it was used up

	AnswerToken tokenKey `json:"answer_token,omitzero"` // of our answer letter
	AnswerID    string   `json:"answer_id,omitempty"`   // of the mail that carries it

	Until     time.Time `json:"until,omitzero"`      // reserved for Peer until then, see reserve.go
	Answer    tokenKey  `json:"answer,omitzero"`     // sent: token of the answer that reserved it
	Account   string    `json:"account,omitempty"`   // sent: the mail address in that answer
	Arrived   time.Time `json:"arrived,omitzero"`    // sent: when that answer came
	Confirmed mailing   `json:"confirmed,omitempty"` // sent: whether the answerer was told
	Seek      seeking   `json:"seek,omitzero"`
}

// keptShare is a folder that follows an invitation's pairing.
type keptShare struct {
	ID   key    `json:"id"`
	Role string `json:"role"`
}

// invState is how far an invitation has come.
type invState string

const (
	invOpen      invState = "open"
	invUsed      invState = "used"
	invCancelled invState = "cancelled"
	invBurnt     invState = "burnt"
	invExpired   invState = "expired"
	invFailed    invState = "failed" // received: the inviter refused
)

// mailing is whether a letter goes by mail.
type mailing string

const (
	mailNone mailing = ""
	mailDue  mailing = "due"
	mailSent mailing = "sent"
)

// How long invitations are good, and how long their ends are remembered so
// that late visitors are told why.
const (
	wordsExpire  = 7 * 24 * time.Hour
	linkExpires  = 24 * time.Hour
	rememberEnds = 7 * 24 * time.Hour

	// A used invitation is shown for a while: to who waits for what it led to,
	// and to its inviter long enough to notice that the wrong one used it.
	showAccepted = time.Minute
	showInvited  = 72 * time.Hour
)

// id is what the user sees of an invitation: a hash, because who knows the
// token could burn it.
func (inv *invitation) id() app.InvitationID {
	h := sha256.Sum256(inv.Token[:])
	return app.InvitationID(hex.EncodeToString(h[:6]))
}

// refusal returns why nobody can use a sent invitation any more, 0 if it is
// open.
func (inv *invitation) refusal(now time.Time) p2p.PairingCode {
	switch inv.State {
	case invOpen:
		if !now.Before(inv.ends()) {
			return p2p.PairingExpired
		}
		return 0
	case invUsed:
		return p2p.PairingUsed
	case invCancelled, invBurnt: // by its user, and by the program
		return p2p.PairingCancelled
	case invExpired:
		return p2p.PairingExpired
	}
	return p2p.PairingRefused
}

// end closes the invitation for good.
func (inv *invitation) end(s invState, problem string) {
	inv.State, inv.Problem = s, problem
	inv.erase()
}

// erase forgets the secrets.
func (inv *invitation) erase() {
	inv.PSK, inv.Words, inv.Secret, inv.Addrs = key{}, "", tokenKey{}, nil
	if inv.Mailed == mailDue {
		inv.Mailed = mailNone
	}
	if inv.Answered == mailDue {
		inv.Answered = mailNone
	}
	inv.Confirmed, inv.Seek = mailNone, seeking{}
}

// shown tells whether the user still sees the invitation.
func (inv *invitation) shown(now time.Time) bool {
	switch inv.State {
	case invOpen:
		return true
	case invUsed:
		shown := showAccepted
		if inv.Direction == app.Sent {
			shown = showInvited
		}
		return inv.Ended.IsZero() || now.Sub(inv.Ended) < shown
	}
	return inv.Problem != "" && now.Before(inv.Expires.Add(24*time.Hour))
}

func (s *kept) sent(t p2p.Token) *invitation     { return s.invitation(app.Sent, t) }
func (s *kept) received(t p2p.Token) *invitation { return s.invitation(app.Received, t) }

// opened returns the invitation that came out of a letter which this user has
// opened, nil if there is none that can lead anywhere.
func (s *kept) opened(salt mail.Salt) *invitation {
	for i := range s.Invitations {
		inv := &s.Invitations[i]
		if inv.Direction == app.Received && inv.Salt == tokenKey(salt) && (inv.State == invOpen || inv.State == invUsed) {
			return inv
		}
	}
	return nil
}

func (s *kept) invitation(d app.Direction, t p2p.Token) *invitation {
	for i := range s.Invitations {
		if inv := &s.Invitations[i]; inv.Direction == d && inv.Token == tokenKey(t) {
			return inv
		}
	}
	return nil
}

// tidyInvitations ends what has expired and forgets old ends. It reports
// whether it changed anything.
func (s *kept) tidyInvitations(now time.Time) bool {
	changed := false
	rest := s.Invitations[:0]
	for _, inv := range s.Invitations {
		if inv.State == invOpen && !now.Before(inv.ends()) {
			problem := "This invitation has expired."
			if inv.Direction == app.Sent {
				problem = "Nobody used this invitation in time. Invite again."
			}
			inv.end(invExpired, problem)
			changed = true
		}
		if inv.State != invOpen && now.After(inv.ends().Add(rememberEnds)) {
			changed = true
			continue
		}
		rest = append(rest, inv)
	}
	s.Invitations = rest
	return changed
}
