package mailtest

import (
	"net"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// imapSession is one connection to a mailbox in memory. It adds to the
// library's what that lacks: the attribute \Junk, faults, and counting what
// touches messages.
type imapSession struct {
	*imapmemserver.UserSession // nil before login
	server                     *Server
	user                       *user
}

func (s *Server) newIMAPSession(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, net.ErrClosed
	}
	s.open++
	return &imapSession{server: s}, nil, nil
}

func (i *imapSession) Close() error {
	i.server.mu.Lock()
	i.server.open--
	i.server.ended.Broadcast()
	i.server.mu.Unlock()
	return i.UserSession.Close()
}

func (i *imapSession) Login(username, password string) error {
	u := i.server.login(username, password)
	if u == nil {
		return imapserver.ErrAuthFailed
	}
	i.UserSession, i.user = imapmemserver.NewUserSession(u.box), u
	return nil
}

// Idle tells of new messages until stop is closed. The library's own misses
// those that came between the last command and IDLE.
func (i *imapSession) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	news := make(chan struct{}, 1)
	i.server.mu.Lock()
	i.user.idle[news] = true
	i.server.mu.Unlock()
	defer func() {
		i.server.mu.Lock()
		delete(i.user.idle, news)
		i.server.mu.Unlock()
	}()
	for {
		if err := i.Poll(w, true); err != nil {
			return err
		}
		select {
		case <-news:
		case <-stop:
			return nil
		}
	}
}

func (i *imapSession) List(w *imapserver.ListWriter, ref string, patterns []string, _ *imap.ListOptions) error {
	for _, f := range []imap.ListData{
		{Mailbox: "INBOX", Delim: '/'},
		{Mailbox: JunkFolder, Delim: '/', Attrs: []imap.MailboxAttr{imap.MailboxAttrJunk}},
	} {
		for _, pattern := range patterns {
			if !imapserver.MatchList(f.Mailbox, f.Delim, ref, pattern) {
				continue
			}
			if err := w.WriteList(&f); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

func (i *imapSession) touch() {
	i.server.mu.Lock()
	i.server.touched++
	i.server.mu.Unlock()
}

func (i *imapSession) Fetch(w *imapserver.FetchWriter, set imap.NumSet, options *imap.FetchOptions) error {
	for _, section := range options.BodySection {
		if !section.Peek {
			i.touch()
		}
	}
	return i.UserSession.Fetch(w, set, options)
}

func (i *imapSession) Select(folder string, options *imap.SelectOptions) (*imap.SelectData, error) {
	if !options.ReadOnly {
		i.touch()
	}
	return i.UserSession.Select(folder, options)
}

func (i *imapSession) Store(w *imapserver.FetchWriter, set imap.NumSet, flags *imap.StoreFlags, options *imap.StoreOptions) error {
	i.touch()
	return i.UserSession.Store(w, set, flags, options)
}

func (i *imapSession) Expunge(w *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	i.touch()
	return i.UserSession.Expunge(w, uids)
}

func (i *imapSession) Copy(set imap.NumSet, folder string) (*imap.CopyData, error) {
	i.touch()
	return i.UserSession.Copy(set, folder)
}

func (i *imapSession) Move(w *imapserver.MoveWriter, set imap.NumSet, folder string) error {
	i.touch()
	return i.UserSession.Move(w, set, folder)
}

func (i *imapSession) Append(folder string, r imap.LiteralReader, options *imap.AppendOptions) (*imap.AppendData, error) {
	i.touch()
	return i.UserSession.Append(folder, r, options)
}

func (i *imapSession) Create(folder string, options *imap.CreateOptions) error {
	i.touch()
	return i.UserSession.Create(folder, options)
}

func (i *imapSession) Delete(folder string) error {
	i.touch()
	return i.UserSession.Delete(folder)
}

func (i *imapSession) Rename(from, to string, options *imap.RenameOptions) error {
	i.touch()
	return i.UserSession.Rename(from, to, options)
}
