// Package mail carries letters: sealed messages inside ordinary e-mail that a
// person can read. It knows the mailbox (IMAP to receive, SMTP to send), the
// form of the e-mail around a letter, and how a letter is sealed and opened.
//
// It does not know what a letter leads to: no pairing, no folder, no network
// link. Of the user's mailbox it reads the headers of recent messages and this
// program's own messages; it marks, moves and deletes nothing.
package mail

import (
	"context"
	"iter"
	"time"
)

// A Message is one e-mail of this program: a text for a person and a letter.
type Message struct {
	ID        string // Message-ID without angle brackets; Send keeps it on retries
	From, To  string // bare addresses
	FromName  string
	Subject   string
	InReplyTo string // Message-ID without angle brackets, or ""
	Date      time.Time
	Text      string // for a person, UTF-8
	Letter    []byte // the sealed attachment
	FileName  string // of the attachment, e.g. "Invitation from Ada.foldpost"
	Auto      string // Auto-Submitted: "", "auto-generated", "auto-replied"
	Received  string // topmost Received: header of our own provider, receiving only
	Junk      bool   // found in the junk folder, receiving only

	// Bounce is set, and Letter is not, when the message is a mail server's
	// report about a message of this program. Receiving only.
	Bounce *Bounce
}

// A Bounce says that a message was not delivered, or not yet. Anybody can
// forge one: it is a hint for the person, never a reason to forget an
// invitation.
type Bounce struct {
	ID        string // Message-ID of what was sent, without angle brackets
	Recipient string // who did not get it, "" if the report does not say
	Reason    string // the other server's words, one line, at most 200 bytes
	Delayed   bool   // the server goes on trying
}

// A Mailbox is an e-mail account, as little of it as letters need.
type Mailbox interface {
	// Address is the account's bare address.
	Address() string

	// Send delivers m to the account's submission server. After a lost
	// connection it is open whether m was taken: sending m again with the same
	// ID is right, the receiver drops the second copy. Errors are a *Problem,
	// or ctx's.
	Send(ctx context.Context, m Message) error

	// Messages yields this program's messages of the last days, oldest first,
	// then waits for more until ctx is done. An error, a *Problem, says why the
	// mailbox does not work at the moment; the loop goes on by itself with
	// back-off and yields again. A message may come twice, after the server
	// renumbered its mailbox. Nothing is marked, moved or deleted; no body is
	// fetched but of this program's messages and of bounces of them.
	Messages(ctx context.Context) iter.Seq2[Message, error]
}
