package folder

import "time"

// A State is what a folder is doing, the most important first.
type State string

// The states of a folder.
const (
	StateStopped  State = "stopped"  // a question or problem must be solved first
	StatePaused   State = "paused"   // by the user
	StateScanning State = "scanning" // comparing with the index
	StateSyncing  State = "syncing"  // something is wanted, and comes or waits
	StateIdle     State = "idle"     // everything known is here
)

// A Question is something that only a person can decide about a folder.
type Question struct {
	ID      string // stable until answered
	Kind    string // "deletions-here", "deletions-there", "root", "rules"
	Text    string // complete sentence(s) for a person, without the folder's name
	Since   time.Time
	Choices []Choice

	Loss  Loss // of the guard's questions
	Paths int  // of "rules": how many would be shared
}

// A Loss counts files that changes held by the guard would take.
type Loss struct {
	Deleted     int
	Overwritten int
	Of          int // files before
	Told        int // of them, before it was too many: an answer cannot undo these
}

// A Choice is one answer to a Question.
type Choice struct {
	ID   string // a word for the command line
	Text string
}

// MemberStatus is how far a member has come.
type MemberStatus struct {
	Device    DeviceID
	HasAll    bool  // has confirmed everything this device has, on disk
	NeedBytes int64 // of what it has not confirmed yet
	Held      bool  // waits for a person there
}

// Status is what a folder shows. Files and Bytes count regular files on this
// disk that are synced; Need what is wanted and not here yet.
type Status struct {
	State     State
	Problem   string    // complete sentence: cause and what to do
	Cause     string    // of Problem: "root", "space", "write", "scan", "watch"
	Since     time.Time // of Problem
	Role      Role      // ours
	Files     int
	Bytes     int64
	NeedFiles int
	NeedBytes int64
	Rate      float64   // bytes per second, of the last seconds
	Changed   time.Time // when the index last took a change that members hear of; zero if never
	Moving    []Moving  // some of the files that are on their way here, by path
	Conflicts int
	LeftOut   int // paths that are not synced; Folder.LeftOut tells why
	Members   []MemberStatus
	Questions []Question
}

// Moving is a file on its way here.
type Moving struct {
	Path  Path
	From  DeviceID // zero while none was found, and where a file here has it already
	Bytes int64
	Done  int64
}

// A Left path is not synced.
type Left struct {
	Path Path // as the disk has it where it is no allowed path
	Why  string
}

// A Conflict is a path whose other versions were kept beside it, in copies.
type Conflict struct {
	Path   Path
	Copies []Path
	Sides  []Side // the one at Path first, then those of Copies in their order
}

// A Side is one version of a conflict.
type Side struct {
	Path   Path
	Device DeviceID // that wrote it; zero where nobody knows any more
	Label  string   // of that device, as file names have it
	Kind   Kind
	Size   int64
	MTime  int64 // unix ns; 0 where it has none
}
