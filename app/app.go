// Package app is the vocabulary of the program as its users meet it: what the
// running program knows ([State]) and what it can be asked to do ([Service]).
// The window and the command line know nothing else of it. It imports nothing
// of ours; doc.go says in which order to read the rest.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// Ids as users and scripts meet them: lower-case letters and digits, stable
// while the thing exists; any prefix that fits one is as good.
type (
	DeviceID     string
	FolderID     string
	InvitationID string
	QuestionID   string
)

// A Service is the running program. Its methods may be called at the same
// time. Errors are [*Error] where a person can do something about them.
// Repeating a call that has taken effect is harmless. What a call changed may
// show in the State a moment after it has returned.
type Service interface {
	// State returns what is known now. The value never changes afterwards.
	State() State
	// Watch yields the state now and after each change until ctx is done. A
	// slow reader misses states in between, never the last.
	Watch(ctx context.Context) iter.Seq[State]

	// Invite makes an invitation, or returns the open one for the same
	// address with its words. With an address it is mailed, which needs a
	// mailbox, unless ByHand.
	Invite(ctx context.Context, r InviteRequest) (Invitation, error)
	// Look reads an invitation without acting on it: no packet is sent and
	// no name looked up. Input is a link, a file's content, a pasted message,
	// or the id of an invitation that came by mail; "" is any such one: the
	// words tell which.
	Look(ctx context.Context, input string) (Proposal, error)
	// Accept takes an invitation: this is its user's yes. Words are needed
	// where the Proposal says so. It returns as soon as the words are right;
	// the State tells how the pairing goes on.
	Accept(ctx context.Context, r AcceptRequest) (InvitationID, error)
	// Letter returns an open invitation again, or the answer to one that was
	// accepted here, to be sent by hand.
	Letter(ctx context.Context, id InvitationID) (Invitation, error)
	// Withdraw cancels an open invitation, sent or received.
	Withdraw(ctx context.Context, id InvitationID) error
	// Unpair removes a device: links, keys, shares and open invitations.
	Unpair(ctx context.Context, id DeviceID) error
	// Answer chooses one of a question's choices.
	Answer(ctx context.Context, id QuestionID, choice string) error

	// Share offers a directory, now a folder, to devices and to people who
	// are invited by their addresses.
	Share(ctx context.Context, r ShareRequest) (Shared, error)
	// Unshare takes a folder from one device; it keeps its copy.
	Unshare(ctx context.Context, f FolderID, d DeviceID) error
	// Compare tells what joining an offer into a directory would meet.
	// Nothing is written.
	Compare(ctx context.Context, offer FolderID, dir string) (Comparison, error)
	// Join keeps an offered folder in sync in a directory of this device.
	Join(ctx context.Context, offer FolderID, dir string) error
	// Leave ends syncing here; the files stay.
	Leave(ctx context.Context, f FolderID) error
	// Pause stops a folder, or with "" everything, until Resume or for a
	// time (0: for ever).
	Pause(ctx context.Context, f FolderID, d time.Duration) error
	Resume(ctx context.Context, f FolderID) error
	// Rescan looks at the whole folder on disk; when it returns, the State
	// counts what was found.
	Rescan(ctx context.Context, f FolderID) error
	// Conflicts lists paths whose other versions were kept beside them.
	Conflicts(ctx context.Context, f FolderID) ([]Conflict, error)
	// Trash lists deleted and replaced files, newest first.
	Trash(ctx context.Context, f FolderID) ([]Kept, error)
	// Restore brings a deleted or replaced file back: to its place, or as
	// bytes to w if w is not nil.
	Restore(ctx context.Context, r RestoreRequest, w io.Writer) error

	// SetMailbox logs in to both servers and, if that works, keeps the
	// account.
	SetMailbox(ctx context.Context, m MailboxSettings) error
	TestMailbox(ctx context.Context) error
	ForgetMailbox(ctx context.Context) error
	// Config lists all settings; SetConfig changes one.
	Config(ctx context.Context) ([]Setting, error)
	SetConfig(ctx context.Context, key, value string) error
}

// An InviteRequest says whom to pair with.
type InviteRequest struct {
	To      string        // a mail address; "" for a link
	ByHand  bool          // do not mail it
	Note    string        // the sender's own first line
	Expires time.Duration // 0: 7 days, links 24 hours
}

// An Invitation is a new or still open invitation with its secrets. It is
// shown to its user and goes nowhere else.
type Invitation struct {
	ID      InvitationID
	To      string
	Words   string // six words, to be told by voice or chat; "" for links
	Link    string // the invite link; "" for words
	Mailed  bool   // it is on its way by mail
	Subject string // of the mail
	Text    string // for a person, with the sealed letter in it: to be sent by hand
	Mailto  string // opens the user's own mail program with Text
	File    []byte // content of the .foldpost file
	Expires time.Time
}

// A Proposal is what an invitation says of itself: claims, until its words
// have opened it.
type Proposal struct {
	ID         InvitationID `json:"id"`
	From       string       `json:"from,omitempty"` // address it says it is from
	Name       string       `json:"name,omitempty"` // person or device
	NeedsWords bool         `json:"needs_words"`
	Expires    time.Time    `json:"expires,omitzero"`
	Folders    []Offer      `json:"folders,omitempty"`
	Accepted   bool         `json:"accepted,omitempty"` // was accepted here already
}

// An AcceptRequest is a user's yes to an invitation.
type AcceptRequest struct {
	Input string // as for Look
	Words string
}

// A ShareRequest says what to share with whom.
type ShareRequest struct {
	Dir      string
	Devices  []DeviceID
	People   []string // addresses to invite; the folder follows each invitation's pairing only
	ReadOnly bool     // they receive and change nothing
	Note     string
	ByHand   bool
}

// Shared is a folder that is shared now, and the invitations it waits for.
type Shared struct {
	Folder      FolderID
	Invitations []Invitation
}

// A Comparison counts what is in an offer and in a directory.
type Comparison struct {
	Equal     Count    `json:"equal"`
	OnlyHere  Count    `json:"only_here"`
	OnlyThere Count    `json:"only_there"`
	Different Count    `json:"different"`
	Examples  []string `json:"examples,omitempty"` // some of the different paths
}

// A Count is a number of files and their bytes.
type Count struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

// A Conflict is a path and the copies that hold its other versions.
type Conflict struct {
	Path   string   `json:"path"`
	Copies []string `json:"copies"`
}

// Kept is a deleted or replaced file.
type Kept struct {
	Path string    `json:"path"`
	At   time.Time `json:"at"`
	Size int64     `json:"size"`
}

// A RestoreRequest names a kept file. A zero At is the newest.
type RestoreRequest struct {
	Folder FolderID
	Path   string
	At     time.Time
}

// MailboxSettings is an e-mail account. Empty servers are guessed.
type MailboxSettings struct {
	Address  string
	IMAP     string // HOST:PORT; 993 is TLS at once, 143 STARTTLS
	SMTP     string // HOST:PORT; 465 is TLS at once, 587 STARTTLS
	User     string // "" is the address
	Password string
	CA       []byte // PEM of a private certificate authority, "" for the system's
}

// A Setting is one line of config.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Help  string `json:"help"`
}

// An ErrorCode says what a caller may do about an error.
type ErrorCode string

// The codes of errors.
const (
	CodeFailed     ErrorCode = "failed"      // the text says what to do
	CodeUsage      ErrorCode = "usage"       // the request makes no sense
	CodeNotFound   ErrorCode = "not-found"   // no such device, folder, …
	CodeQuestion   ErrorCode = "question"    // a person must answer first
	CodeWords      ErrorCode = "words"       // the words do not open the invitation
	CodeNotRunning ErrorCode = "not-running" // no foldpost runs for this home
)

// An Error is one line for a person: what was tried, and what to do.
type Error struct {
	Code ErrorCode
	Text string
}

func (e *Error) Error() string { return e.Text }

// Errorf makes an [*Error].
func Errorf(c ErrorCode, format string, args ...any) *Error {
	return &Error{c, fmt.Sprintf(format, args...)}
}

// CodeOf returns the code of an error, CodeFailed if it has none.
func CodeOf(err error) ErrorCode {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeFailed
}
