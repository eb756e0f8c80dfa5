package mail

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"foldpost/p2p/wire"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const (
	window       = 8 * 24 * time.Hour // an invitation lives 7 days; IMAP knows days only
	windowUIDs   = 5000               // so many UIDs back at most: the answer is one line
	manyNew      = 200                // more than this and the server is asked which are ours
	newestAnyway = 100                // of many, looked at whatever the server said
	newestMarked = 500                // of many that the server said are ours
	headerChunk  = 50                 // headers per command
	headerBytes  = 4096               // of the wanted header fields of one message
	maxMail      = 64 << 10           // bytes of a message that is fetched
	fetchTime    = time.Minute
	maxTries     = 3 // fetches of a message that end the connection each time
)

// versionField marks this program's messages.
var versionField = strings.ToUpper(wire.Name[:1]) + wire.Name[1:] + "-Version"

// A place is how far a folder has been looked at.
type place struct {
	folder   string
	junk     bool
	validity uint32   // UIDVALIDITY: when it changes, UIDs mean other messages
	next     imap.UID // first UID not looked at, 0 before the first look
}

// attempt names a message, or the first of several, whose fetch may end the
// connection.
type attempt struct {
	folder   string
	validity uint32
	uid      imap.UID
}

// examine opens a folder and looks at what is new in it.
func (r *receiver) examine(ctx context.Context, s *session, folder string, junk bool) error {
	select {
	case <-s.news:
	default:
	}
	now, err := s.examine(folder)
	var refused *imap.Error
	if junk && errors.As(err, &refused) {
		r.log.Info("cannot open the junk folder", "folder", folder, "error", refused)
		return nil
	}
	if err != nil {
		return err
	}
	p := r.folders[folder]
	renumbered := p != nil && (p.validity != now.validity || now.next != 0 && now.next < p.next)
	if p == nil || renumbered {
		p = &place{folder: folder, junk: junk, validity: now.validity}
		r.folders[folder] = p
	}
	if now.next != 0 && now.next == p.next {
		return nil
	}
	return r.look(ctx, s, p, now.next)
}

// look takes this program's messages from p on. next is the folder's UIDNEXT,
// 0 if unknown.
func (r *receiver) look(ctx context.Context, s *session, p *place, next imap.UID) error {
	q := query{from: max(p.next, 1)}
	if p.next == 0 {
		q.since = time.Now().Add(-window)
		if next > windowUIDs {
			q.from = next - windowUIDs
		}
	}
	uids, err := s.search(q)
	if err != nil {
		return err
	}
	if len(uids) > manyNew {
		uids = s.narrow(q, uids)
	}
	for len(uids) > 0 {
		n, err := r.lookAt(ctx, s, p, uids[:min(len(uids), headerChunk)])
		if err != nil || r.stopped {
			return err
		}
		uids = uids[n:]
	}
	p.next = max(p.next, next, 1)
	return nil
}

// lookAt reads the headers of the first of uids and takes what is ours. It
// tells how many UIDs are done with.
func (r *receiver) lookAt(ctx context.Context, s *session, p *place, uids []imap.UID) (int, error) {
	try := attempt{p.folder, p.validity, uids[0]}
	switch n := r.tries[try]; {
	case n > 2*maxTries:
		r.log.Warn("left out a message that the server cannot show", "folder", p.folder, "uid", uids[0])
		p.next = uids[0] + 1
		return 1, nil
	case n >= maxTries: // one of the chunk breaks the connection: find out which
		uids = uids[:1]
	}
	if err := r.headers.WaitN(ctx, len(uids)); err != nil {
		return 0, err
	}
	r.tries[try]++
	headers, err := s.fetch(uids, headerSection, headerBytes)
	if err != nil {
		return 0, fmt.Errorf("fetch headers: %w", err)
	}
	delete(r.tries, try)
	kinds := make(map[imap.UID]kind, len(headers))
	for _, h := range headers {
		if h.size <= maxMail {
			kinds[h.uid] = classify(h.bytes)
		}
	}
	for _, uid := range uids {
		if k := kinds[uid]; k != foreign {
			if err := r.take(ctx, s, p, uid, k); err != nil || r.stopped {
				return 0, err
			}
		}
		p.next = max(p.next, uid+1)
	}
	return len(uids), nil
}

// take fetches a message and yields it.
func (r *receiver) take(ctx context.Context, s *session, p *place, uid imap.UID, k kind) error {
	if k == report {
		ours, err := s.search(query{from: uid, to: uid, text: versionField})
		if err != nil || len(ours) == 0 {
			return err
		}
	}
	try := attempt{p.folder, p.validity, uid}
	if r.tries[try] >= maxTries {
		return nil
	}
	if err := r.bodies.Wait(ctx); err != nil {
		return err
	}
	r.tries[try]++
	got, err := s.fetch([]imap.UID{uid}, wholeSection, maxMail)
	if err != nil {
		return fmt.Errorf("fetch message %d: %w", uid, err)
	}
	delete(r.tries, try)
	if len(got) != 1 || !r.seen.add(sha256.Sum256(got[0].bytes)) {
		return nil
	}
	m, err := Parse(got[0].bytes)
	if err != nil {
		r.log.Debug("dropped a message", "folder", p.folder, "uid", uid, "error", err)
		return nil
	}
	m.Junk = p.junk
	r.stopped = !r.yield(m, nil)
	return nil
}

// kind is what a message is, judged by its headers.
type kind int

const (
	foreign kind = iota
	ours         // claims to be of this program
	report       // claims to be a mail server's report
)

// classify reads the header fields of headerSection, possibly cut short.
func classify(header []byte) kind {
	text := strings.NewReplacer("\r\n ", " ", "\r\n\t", " ", "\n ", " ", "\n\t", " ").Replace(string(header))
	k := foreign
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(line, ":")
		value = strings.ToLower(value)
		switch {
		case !ok:
		case strings.EqualFold(name, versionField):
			return ours
		case strings.EqualFold(name, "Content-Type") && strings.Contains(value, "multipart/report"):
			k = report
		case strings.EqualFold(name, "From") && (strings.Contains(value, "mailer-daemon") || strings.Contains(value, "postmaster@")):
			k = report
		}
	}
	return k
}

var (
	headerSection = &imap.FetchItemBodySection{
		Specifier:    imap.PartSpecifierHeader,
		HeaderFields: []string{versionField, "Content-Type", "From"},
		Partial:      &imap.SectionPartial{Size: headerBytes},
		Peek:         true,
	}
	wholeSection = &imap.FetchItemBodySection{Peek: true}
)

// fetched is a part of a message.
type fetched struct {
	uid   imap.UID
	size  int64 // of the whole message
	bytes []byte
}

// fetch gets one section of each message. What has more than limit bytes is
// left out, as is what the server sends unasked.
func (s *session) fetch(uids []imap.UID, section *imap.FetchItemBodySection, limit int64) ([]fetched, error) {
	var all []fetched
	err := s.within(fetchTime, func() (err error) {
		all, err = collect(s.client.Fetch(imap.UIDSetNum(uids...), &imap.FetchOptions{
			UID: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{section},
		}), limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func collect(cmd *imapclient.FetchCommand, limit int64) ([]fetched, error) {
	var all []fetched
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		var f fetched
		has := false
		for item := msg.Next(); item != nil; item = msg.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				f.uid = item.UID
			case imapclient.FetchItemDataRFC822Size:
				f.size = item.Size
			case imapclient.FetchItemDataBodySection:
				if item.Literal == nil || item.Literal.Size() > limit {
					continue
				}
				size := item.Literal.Size()
				b, err := io.ReadAll(item.Literal)
				if err != nil || int64(len(b)) != size {
					// The connection is gone. Next and Close would read on, at
					// the same time as the parser does.
					return nil, io.ErrUnexpectedEOF
				}
				f.bytes, has = b, true
			}
		}
		if has && f.uid != 0 {
			all = append(all, f)
		}
	}
	return all, cmd.Close()
}
