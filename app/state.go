package app

import "time"

// StateVersion is the version of State as JSON. Keys are only ever added.
const StateVersion = 1

// A State is everything the program knows that a person may see. It holds no
// secret. As JSON it is what `status --json` prints: counts are integers,
// times RFC 3339, durations milliseconds, and what is not known is absent.
type State struct {
	V           int              `json:"v"`
	Device      ThisDevice       `json:"device"`
	Mailbox     *MailboxState    `json:"mailbox,omitempty"`
	Questions   []Question       `json:"questions"`
	Invitations []OpenInvitation `json:"invitations"`
	Devices     []Device         `json:"devices"`
	Folders     []Folder         `json:"folders"`
	Offers      []Offer          `json:"offers"`
	Nearby      []Nearby         `json:"nearby"`
	Relays      []Relay          `json:"relays,omitempty"` // that go through this device
	Paused      bool             `json:"paused,omitempty"`
	Findings    []Finding        `json:"findings,omitempty"` // of this device's network: only what is wrong
}

// ThisDevice is the device the program runs on.
type ThisDevice struct {
	ID        DeviceID `json:"id"`
	Name      string   `json:"name"`
	Version   string   `json:"version"`
	Port      int      `json:"port"`
	Addresses []string `json:"addresses"`
	Visible   bool     `json:"visible,omitempty"` // devices nearby may see its name and ask to be linked
}

// MailboxState is how the account does.
type MailboxState struct {
	Address string `json:"address"`
	State   string `json:"state"` // "connecting", "ok", "problem"
	Problem string `json:"problem,omitempty"`
	Kept    string `json:"kept,omitempty"` // where the password is: "keyring" or a file's path
}

// A Question is something that only a person can decide.
type Question struct {
	ID         QuestionID   `json:"id"`
	Kind       QuestionKind `json:"kind"`
	Text       string       `json:"text"`
	Choices    []Choice     `json:"choices"`
	Invitation InvitationID `json:"invitation,omitempty"`
	Folder     FolderID     `json:"folder,omitempty"`
	Device     DeviceID     `json:"device,omitempty"`
	Since      time.Time    `json:"since"`

	// What Text says, for who words it anew.
	Name    string `json:"name,omitempty"`    // that the device which asks claims
	Address string `json:"address,omitempty"` // that it, or a letter, claims
	Loss    *Loss  `json:"loss,omitempty"`    // of AskDeletions
	Paths   int    `json:"paths,omitempty"`   // of AskRules: never shared so far

	// Words of AskSame are three, to be compared with the other screen's. They
	// are no secret: who is in between makes them differ, whatever he knows.
	Words []string `json:"words,omitempty"`
}

// A Loss is what a folder's guard holds back.
type Loss struct {
	There       bool `json:"there,omitempty"` // done by another member; else here
	Deleted     int  `json:"deleted"`
	Overwritten int  `json:"overwritten"`
	Of          int  `json:"of"`             // files before
	Told        int  `json:"told,omitempty"` // of them, before it was too many: an answer cannot undo these
}

// A QuestionKind says what a question is about.
type QuestionKind string

// The kinds of questions.
const (
	AskInvitation QuestionKind = "invitation"  // one came by mail; its words are wanted
	AskPairing    QuestionKind = "pairing"     // a device used our invite link: may it in?
	AskOffer      QuestionKind = "offer"       // a folder is offered; where shall it be?
	AskDeletions  QuestionKind = "deletions"   // so much is gone here that nobody was told
	AskChangedKey QuestionKind = "changed-key" // a new device claims to be one we know
	AskMailbox    QuestionKind = "mailbox"     // it does not work
	AskDisk       QuestionKind = "disk"        // no room, or it fails
	AskRules      QuestionKind = "rules"       // another member's rules would share more of this disk
	AskRoot       QuestionKind = "root"        // the folder's directory is not there
	AskNearby     QuestionKind = "nearby"      // a device nearby wants to be linked: compare words with it?
	AskSame       QuestionKind = "same-words"  // does the other screen show the same three words?
	AskBrokenOff  QuestionKind = "broken-off"  // a request nearby came to nothing: to be seen, nothing more
)

// Choices that the command line makes by itself where its command was the
// person's answer. Other choices have ids of their own.
const (
	ChoiceYes       = "yes" // of AskPairing: let the device in
	ChoiceNo        = "no"
	ChoiceOpen      = "open" // of AskNearby: go on to the words
	ChoiceSame      = "same" // of AskSame
	ChoiceDifferent = "different"
	ChoiceSeen      = "ok" // of AskBrokenOff
)

// A Choice is one possible answer. Where Command is set, the answer needs more
// than a word, and the command asks for it.
type Choice struct {
	ID      string `json:"id"`
	Text    string `json:"text"`
	Command string `json:"command,omitempty"`
}

// A Direction says who invited whom.
type Direction string

// The directions of an invitation.
const (
	Sent     Direction = "sent"
	Received Direction = "received"
)

// A Step is how far an invitation has come.
type Step string

// The steps of a pairing, in their order; doc.go draws them.
const (
	StepSending Step = "sending" // the mail has not left yet
	StepWaiting Step = "waiting" // for the other person
	StepWords   Step = "words"   // received: waits for this user's words
	StepLooking Step = "looking" // accepted: looking for the other computer
	// StepReserved: both people have done their part, and each device knows of
	// the other. Files start when both are on at the same time.
	StepReserved Step = "reserved"
	StepSaving   Step = "saving" // proved on both sides, being kept
	StepPaired   Step = "paired" // done; shown to the inviter for three days
	StepFailed   Step = "failed" // Problem says why
)

// An OpenInvitation is one that is not used up yet, without its secrets.
type OpenInvitation struct {
	ID        InvitationID `json:"id"`
	With      string       `json:"with"` // address; "" for a link
	Direction Direction    `json:"direction"`
	Step      Step         `json:"step"`
	Expires   time.Time    `json:"expires"`
	Created   time.Time    `json:"created"`
	Problem   string       `json:"problem,omitempty"`
	Name      string       `json:"name,omitempty"` // of the other person or device, as claimed
	Sent      time.Time    `json:"sent,omitzero"`  // when its mail left

	// AnswerByHand: the other computer was not found, and there is no mailbox
	// to tell it where this one is. Its user sends what Letter gives.
	AnswerByHand bool `json:"answer_by_hand,omitempty"`

	Why *Finding `json:"why,omitempty"` // the two computers have not met yet, as far as can be told

	Folders []FolderID `json:"folders,omitempty"` // that follow it
	Device  DeviceID   `json:"device,omitempty"`  // that it led to
}

// A Device is a paired device.
type Device struct {
	ID        DeviceID  `json:"id"`
	Name      string    `json:"name"`
	Owner     string    `json:"owner,omitempty"` // as typed here, or the address whose letter was opened
	Version   string    `json:"version,omitempty"`
	Connected bool      `json:"connected"`
	Link      string    `json:"link,omitempty"`  // "quic", "tcp", "relay"
	Local     bool      `json:"local,omitempty"` // it leads through this device's own network
	Address   string    `json:"address,omitempty"`
	RTTms     float64   `json:"rtt_ms,omitempty"`
	Through   DeviceID  `json:"through,omitempty"` // that relays the link
	Relay     bool      `json:"relay,omitempty"`   // this device relays for it
	LastSeen  time.Time `json:"last_seen,omitzero"`
	Verified  string    `json:"verified"`        // "words", "link", "nearby"
	Linked    time.Time `json:"linked,omitzero"` // when
	Problem   string    `json:"problem,omitempty"`
	Why       *Finding  `json:"why,omitempty"` // it is not connected; Problem is there if its user should do something
}

// A Relay is a link of two other devices that goes through this one, which can
// read nothing of it.
type Relay struct {
	Between []DeviceID `json:"between"`
	Bytes   int64      `json:"bytes"`
	Since   time.Time  `json:"since"`
}

// A FolderState is what a folder does, the most important first.
type FolderState string

// The states of a folder. It is syncing from Join on, and idle only once a
// member's whole index was heard and nothing of it is needed: who joined waits
// for that.
const (
	FolderStopped  FolderState = "stopped"
	FolderPaused   FolderState = "paused"
	FolderScanning FolderState = "scanning"
	FolderSyncing  FolderState = "syncing"
	FolderIdle     FolderState = "idle"
)

// A Cause says what a folder's Problem is about.
type Cause string

// The causes a person can do something about.
const (
	CauseRoot  Cause = "root"  // its directory is not there
	CauseSpace Cause = "space" // no room on its disk
)

// A Folder is a directory that is kept in sync. Files and Bytes count regular
// files on this disk, Need what is wanted and not here yet.
type Folder struct {
	ID        FolderID    `json:"id"`
	Name      string      `json:"name"`
	Path      string      `json:"path"`
	State     FolderState `json:"state"`
	Role      string      `json:"role"` // ours: "read-write", "read-only"
	Files     int         `json:"files"`
	Bytes     int64       `json:"bytes"`
	NeedFiles int         `json:"need_files"`
	NeedBytes int64       `json:"need_bytes"`
	Rate      int64       `json:"rate,omitempty"`   // bytes per second
	ETAms     int64       `json:"eta_ms,omitempty"` // until nothing is needed
	Conflicts int         `json:"conflicts"`
	LeftOut   int         `json:"left_out,omitempty"` // paths that are not synced
	Problem   string      `json:"problem,omitempty"`
	Cause     Cause       `json:"cause,omitempty"` // of Problem, if it is one of the known ones
	Members   []Member    `json:"members"`

	Changed     time.Time `json:"changed,omitzero"`      // when this device last learnt of a change
	PausedUntil time.Time `json:"paused_until,omitzero"` // if paused for a time
	Moving      []Moving  `json:"moving,omitempty"`      // some of the files that are on their way here
}

// Moving is a file on its way to this device.
type Moving struct {
	Path  string   `json:"path"`
	From  DeviceID `json:"from,omitempty"`
	Bytes int64    `json:"bytes"`
	Done  int64    `json:"done"`
}

// A Member is a device a folder is shared with.
type Member struct {
	Device    DeviceID `json:"device"`
	Role      string   `json:"role"`
	Joined    bool     `json:"joined"`  // has said yes
	HasAll    bool     `json:"has_all"` // has confirmed everything this device has, on disk
	NeedBytes int64    `json:"need_bytes"`
}

// An Offer is a folder that somebody shares with this device.
//
// Where several devices offer the same folder, each offer has an id of its
// own: joining it lets that device write.
type Offer struct {
	ID     FolderID `json:"id"`
	Folder FolderID `json:"folder,omitempty"`
	Name   string   `json:"name"`
	From   DeviceID `json:"from,omitempty"`
	Files  int      `json:"files"`
	Bytes  int64    `json:"bytes"`
	Role   string   `json:"role"`
}

// Nearby is a device in the same network that lets itself be seen, and is not
// linked. Its name is its own word.
type Nearby struct {
	ID    NearbyID  `json:"id"`
	Name  string    `json:"name"`
	Since time.Time `json:"since"` // seen here
}
