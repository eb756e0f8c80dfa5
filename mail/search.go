package mail

import (
	"errors"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
)

const (
	searchTime = time.Minute
	maxHits    = 10000 // UIDs of a search answer that are looked at
)

// query selects messages of the open folder.
type query struct {
	from, to imap.UID  // to 0: all later ones
	since    time.Time // the day it came in, zero: any
	header   string    // has this header field, "": any
	text     string    // contains this anywhere, "": any
}

// search gives the UIDs that match, in ascending order. A server that refuses
// the question has no matches.
func (s *session) search(q query) ([]imap.UID, error) {
	uids := imap.UIDSet{imap.UIDRange{Start: q.from, Stop: q.to}}
	criteria := &imap.SearchCriteria{UID: []imap.UIDSet{uids}, Since: q.since}
	if q.header != "" {
		criteria.Header = []imap.SearchCriteriaHeaderField{{Key: q.header}}
	}
	if q.text != "" {
		criteria.Text = []string{q.text}
	}
	var data *imap.SearchData
	err := s.within(searchTime, func() (err error) {
		data, err = s.client.UIDSearch(criteria, nil).Wait()
		return err
	})
	var refused *imap.Error
	if errors.As(err, &refused) && (q.header != "" || q.text != "") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	set, _ := data.All.(imap.UIDSet)
	return expand(set, q), nil
}

// expand lists the UIDs of a set. A hostile one claims all four thousand
// million of them, and n:* always has the newest message, however old.
func expand(set imap.UIDSet, q query) []imap.UID {
	var uids []imap.UID
	for _, r := range set {
		if r.Start == 0 || r.Stop == 0 {
			continue // "*" in an answer is not a message
		}
		low, high := max(min(r.Start, r.Stop), q.from), max(r.Start, r.Stop)
		if q.to != 0 {
			high = min(high, q.to)
		}
		for uid := uint64(low); uid <= uint64(high) && len(uids) < maxHits; uid++ {
			uids = append(uids, imap.UID(uid))
		}
	}
	slices.Sort(uids)
	return slices.Compact(uids)
}

// narrow leaves of many messages those that the server says are ours, and the
// newest: not every server searches all headers.
func (s *session) narrow(q query, uids []imap.UID) []imap.UID {
	few := slices.Clone(uids[max(0, len(uids)-newestAnyway):])
	q.header = versionField
	if marked, err := s.search(q); err == nil {
		few = append(few, marked[max(0, len(marked)-newestMarked):]...)
	}
	slices.Sort(few)
	return slices.Compact(few)
}

// remembered is a set of the newest maxRemembered hashes.
type remembered struct {
	has   map[[32]byte]bool
	order [][32]byte
}

// add tells whether h is new.
func (r *remembered) add(h [32]byte) bool {
	if r.has[h] {
		return false
	}
	if r.has == nil {
		r.has = make(map[[32]byte]bool)
	}
	if len(r.order) >= maxRemembered {
		delete(r.has, r.order[0])
		r.order = r.order[1:]
	}
	r.has[h] = true
	r.order = append(r.order, h)
	return true
}
