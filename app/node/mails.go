package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"foldpost/app"
	"foldpost/mail"
	"foldpost/p2p/wire"
)

// Bounds of what is remembered of messages.
const (
	maxMails  = 200
	maxMailID = 256 // bytes
)

// loggedMail is a message that was sent or read. Of its content nothing is
// kept.
type loggedMail struct {
	app.Mail
	ID string `json:"id,omitempty"` // what is read again after a start is the same
}

// A mailLog is the list of messages in a home, newest first.
type mailLog struct {
	path string

	mu   sync.Mutex
	list []loggedMail
}

// openMailLog reads the list. A damaged one begins anew: nothing depends on it.
func openMailLog(path string) (*mailLog, error) {
	l := &mailLog{path: path}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of mails: %w", err)
	}
	if json.Unmarshal(b, &l.list) != nil {
		l.list = nil
	}
	return l, nil
}

// note adds a message once.
func (l *mailLog) note(d app.Direction, with string, m mail.Message, now time.Time) error {
	m.ID = m.ID[:min(len(m.ID), maxMailID)]
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.ID != "" && slices.ContainsFunc(l.list, func(o loggedMail) bool { return o.Direction == d && o.ID == m.ID }) {
		return nil
	}
	next := loggedMail{ID: m.ID, Mail: app.Mail{At: now.UTC(), Direction: d, With: wire.SafeName(with), Subject: wire.SafeName(m.Subject)}}
	list := append([]loggedMail{next}, l.list[:min(len(l.list), maxMails-1)]...)
	b, err := json.Marshal(list)
	if err == nil {
		err = writeFile(l.path, b)
	}
	if err != nil {
		return fmt.Errorf("write the list of mails: %w", err)
	}
	l.list = list
	return nil
}

func (l *mailLog) all() []app.Mail {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]app.Mail, len(l.list))
	for i, m := range l.list {
		list[i] = m.Mail
	}
	return list
}

// noteMail keeps a message in the list of those that were sent and read.
func (n *Node) noteMail(d app.Direction, with string, m mail.Message) {
	if err := n.mails.note(d, with, m, time.Now()); err != nil {
		n.log.Warn("note a mail", "err", err)
	}
}

// Mails implements [app.Service].
func (n *Node) Mails(context.Context) ([]app.Mail, error) { return n.mails.all(), nil }
