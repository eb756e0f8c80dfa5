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
	NearbyID     string // good for about an hour: devices nearby change it
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
	Accept(ctx context.Context, r AcceptRequest) (Accepted, error)
	// Letter returns an open invitation again, or the answer to one that was
	// accepted here, to be sent by hand.
	Letter(ctx context.Context, id InvitationID) (Invitation, error)
	// Draft returns the mail that Invite or Share would send, without its
	// sealed letter. Nothing is made or sent.
	Draft(ctx context.Context, r DraftRequest) (Draft, error)
	// Resend mails an open invitation once more, with the same words.
	Resend(ctx context.Context, id InvitationID) error
	// Withdraw cancels an open invitation, sent or received.
	Withdraw(ctx context.Context, id InvitationID) error
	// OpenNearby lets devices in the same network see this one's name and ask
	// to be linked, until ctx is done and for so long after it. It returns
	// when ctx is done, or with an error when it was closed for safety.
	OpenNearby(ctx context.Context, after time.Duration) error
	// PairNearby asks a device nearby to be linked, and returns it once it is.
	// Both people have a part: the other one opens the request, and then
	// AskSame asks each whether both screens show the same three words. It is
	// broken off when ctx ends. The device may ask for this one meanwhile.
	PairNearby(ctx context.Context, id NearbyID) (DeviceID, error)
	// Unpair removes a device: links, keys, shares and open invitations.
	Unpair(ctx context.Context, id DeviceID) error
	// Relay says whether this device relays for another: between it and a third
	// one, where the two can not reach each other. Without it, it does for its
	// user's own.
	Relay(ctx context.Context, id DeviceID, on bool) error
	// Answer chooses one of a question's choices.
	Answer(ctx context.Context, id QuestionID, choice string) error

	// Share offers a directory, now a folder, to devices and to people who
	// are invited by their addresses.
	Share(ctx context.Context, r ShareRequest) (Shared, error)
	// Measure counts what sharing a directory would share, and the room on
	// its disk. The directory need not be there yet: then it is empty.
	Measure(ctx context.Context, dir string) (Measure, error)
	// Unshare takes a folder from one device; it keeps its copy.
	Unshare(ctx context.Context, f FolderID, d DeviceID) error
	// Compare tells what joining an offer into a directory would meet.
	// Nothing is written.
	Compare(ctx context.Context, offer FolderID, dir string) (Comparison, error)
	// Join keeps an offered folder in sync in a directory of this device.
	Join(ctx context.Context, offer FolderID, dir string) error
	// Move tells where a folder's directory is now, after its user moved it.
	// What is there must be that folder.
	Move(ctx context.Context, f FolderID, dir string) error
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
	// Resolve ends the conflict at a path: KeepHere keeps what is at the path,
	// KeepBoth makes files of their own of all copies, and the path of a copy
	// puts that copy's content at the path. What is not kept goes to the trash.
	// Of are the versions that the user chose from; if there are others by now,
	// nothing is done. Without any it is taken as it is.
	Resolve(ctx context.Context, f FolderID, path, keep string, of ...Version) error
	// LeftOut lists paths that are on this device only because they are not
	// synced, at most a thousand.
	LeftOut(ctx context.Context, f FolderID) ([]LeftOut, error)
	// Recent lists the latest changes, newest first, at most n.
	Recent(ctx context.Context, f FolderID, n int) ([]Change, error)
	// Trash lists deleted and replaced files, newest first.
	Trash(ctx context.Context, f FolderID) ([]Kept, error)
	// Restore brings a deleted or replaced file back: to its place, or as
	// bytes to w if w is not nil.
	Restore(ctx context.Context, r RestoreRequest, w io.Writer) error

	// FindMailbox tells which servers an address has and what they want to
	// log in. It asks the address's own domain, nobody else.
	FindMailbox(ctx context.Context, address string) (MailboxGuess, error)
	// SetMailbox logs in to both servers and, if that works, keeps the
	// account.
	SetMailbox(ctx context.Context, m MailboxSettings) error
	TestMailbox(ctx context.Context) error
	ForgetMailbox(ctx context.Context) error
	// Mails lists the messages that were sent and read, newest first.
	Mails(ctx context.Context) ([]Mail, error)
	// Config lists all settings; SetConfig changes one.
	Config(ctx context.Context) ([]Setting, error)
	SetConfig(ctx context.Context, key, value string) error
	// Doctor looks at what works and what does not, on whose side it fails and
	// what helps: findings by area. It changes nothing.
	Doctor(ctx context.Context) ([]Finding, error)
	// Reset leaves every folder and forgets devices, keys, mailbox and
	// settings. The folders' files stay, and what their trash holds. The
	// program ends after it.
	Reset(ctx context.Context) error
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

// A DraftRequest says which mail to show before it is sent.
type DraftRequest struct {
	To     string // need not be complete yet
	Note   string
	Folder bool // Share's mail, else Invite's
}

// A Draft is a mail before it is sent.
type Draft struct {
	From    string // "" without a mailbox
	Subject string
	Text    string
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

// Accepted is an invitation that was taken. Where one of its words was misheard
// and repaired, Heard is what was typed and Fits the right one.
type Accepted struct {
	ID    InvitationID
	Heard string
	Fits  string
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

// A Measure is what a directory holds and the room on its disk.
type Measure struct {
	Count
	Free int64 `json:"free"`           // bytes that its user may still write
	Kept int64 `json:"kept,omitempty"` // bytes of them that syncing leaves free
}

// A Conflict is a path and the copies that hold its other versions. Versions
// are all of them, the one at Path first.
type Conflict struct {
	Path     string    `json:"path"`
	Copies   []string  `json:"copies"`
	Versions []Version `json:"versions,omitempty"`
}

// A Version is one side of a conflict, on this disk.
type Version struct {
	Path   string    `json:"path"`
	Device DeviceID  `json:"device,omitempty"` // that wrote it; "" if not known any more
	By     string    `json:"by,omitempty"`     // the name of that device
	Size   int64     `json:"size"`
	At     time.Time `json:"at,omitzero"` // its modification time
}

// Choices of Resolve beside the path of a copy. A path never begins with ":".
const (
	KeepHere = ":here"
	KeepBoth = ":both"
)

// LeftOut is a path that is not synced.
type LeftOut struct {
	Path string `json:"path"`
	Why  string `json:"why"` // "a pipe", "permission denied", …
}

// A Change is one entry of a folder's recent past, as this device learnt it.
type Change struct {
	Path   string     `json:"path"`
	What   ChangeKind `json:"what"`
	At     time.Time  `json:"at"`
	Device DeviceID   `json:"device,omitempty"` // that made it; "" if not known any more
	Size   int64      `json:"size,omitempty"`
}

// A ChangeKind says what happened to a path.
type ChangeKind string

// The kinds of changes.
const (
	Changed ChangeKind = "changed" // is new or has other content
	Deleted ChangeKind = "deleted"
)

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

// A MailboxGuess is what is known of an address's provider.
type MailboxGuess struct {
	Provider string        `json:"provider,omitempty"` // its name for people
	IMAP     string        `json:"imap,omitempty"`
	SMTP     string        `json:"smtp,omitempty"`
	User     string        `json:"user,omitempty"` // "" is the address
	Login    MailboxLogin  `json:"login"`
	Help     string        `json:"help,omitempty"` // https page where an app password is made, or IMAP switched on
	Hint     string        `json:"hint,omitempty"` // what to know before the password is asked
	Source   MailboxSource `json:"source"`

	// Confirm: the servers are not of the address's domain and nothing
	// vouches for them. Their names must be shown before a password is typed.
	Confirm bool `json:"confirm,omitempty"`
}

// A MailboxLogin is what a provider takes from a program.
type MailboxLogin string

// What providers take.
const (
	LoginPassword    MailboxLogin = "password"
	LoginAppPassword MailboxLogin = "app-password" // made for this program on the provider's page
	LoginNone        MailboxLogin = "none"         // no password at all: send invitations by hand
)

// A MailboxSource says where a guess comes from.
type MailboxSource string

// The sources, the surest first.
const (
	FromTable      MailboxSource = "table"
	FromAutoconfig MailboxSource = "autoconfig"
	FromDNS        MailboxSource = "dns"
	FromGuess      MailboxSource = "guess"
)

// A Mail is one message of this program's, sent or read.
type Mail struct {
	At        time.Time `json:"at"`
	Direction Direction `json:"direction"`
	With      string    `json:"with"`
	Subject   string    `json:"subject"`
}

// A Setting is one line of config.
type Setting struct {
	Key    string   `json:"key"`
	Value  string   `json:"value"`
	Help   string   `json:"help"`
	Values []string `json:"values,omitempty"` // if only these are allowed
}

// Settings that the window obeys.
const (
	SettingTheme    = "theme"          // system, light, dark
	SettingLanguage = "language"       // system, en, de
	SettingSize     = "size"           // of the interface: 85, 100, 115, 130, 150 percent
	SettingLogin    = "start-at-login" // on, off
	SettingNotify   = "notify"         // on, off
)

// SettingTURNPassword is never shown, and never an argument of a command.
const SettingTURNPassword = "turn-password"

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
