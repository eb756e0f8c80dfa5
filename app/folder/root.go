package folder

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// rootTries is how often a missing root is looked for.
const rootTries = 5 * time.Second

// rootState is which directory is the folder's.
type rootState struct {
	is    RootID
	ok    bool
	known bool // is was stored
	at    time.Time
}

// storedRoot is a RootID in the index.
type storedRoot struct {
	Dev    uint64 `wire:"1"`
	Ino    uint64 `wire:"2"`
	Marker string `wire:"3"`
}

func (e *engine) initRoot() error {
	var r storedRoot
	known, err := e.store.blob("root", &r)
	e.root = rootState{is: RootID(r), known: known}
	return err
}

// rootReady looks for the root where it is not known to be there.
func (e *engine) rootReady(ctx context.Context, now time.Time) bool {
	if e.root.ok {
		return true
	}
	if now.Before(e.root.at) {
		return false
	}
	e.root.at = now.Add(rootTries)
	id, err := e.tree.Root()
	if err != nil {
		e.trouble.set("root", rootMissing)
		e.refuseScans(errors.Join(errRoot, err))
		e.log.Debug("look for the folder's directory", "error", err)
		return false
	}
	e.trouble.clear("root")
	switch is := e.root.is; {
	case !e.root.known:
		err = e.takeRoot(id)
	case id == is:
		e.root.ok = true
	case e.named && id.Marker == markerOf(e.cfg.ID):
		// Before inodes count: new disks give the same ones to a copy.
		e.f.cfg.Named = false // it was said of this directory alone
		e.useRoot()
		return false
	case id.Ino == is.Ino && (id.Marker == is.Marker || id.Dev == is.Dev && id.Marker == ""):
		// Device numbers change when a computer starts, and people clean up
		// what they do not know.
		err = e.takeRoot(id)
	default:
		e.refuseScans(errRoot)
		e.askRoot(now, id)
		return false
	}
	if err != nil {
		e.trouble.set("root", fmt.Sprintf("The folder's directory can not be used: %v.", err))
		return false
	}
	delete(e.asked, askRootID)
	e.named = false
	e.scanAll(now)
	e.startWatch(ctx)
	return e.root.ok
}

const rootMissing = "The folder's directory is missing. Connect its disk, or put the directory back where it was."

// markerOf is what marks a folder's directory.
func markerOf(id ID) string { return hex.EncodeToString(id[:]) }

// Holds tells whether a tree is one of the folder's directories: it was one
// when it was marked, on this or another device.
func Holds(t Tree, id ID) (bool, error) {
	is, err := t.Root()
	return err == nil && is.Marker == markerOf(id), err
}

// takeRoot marks a directory as the folder's.
func (e *engine) takeRoot(id RootID) error {
	marker := markerOf(e.cfg.ID)
	if id.Marker != marker {
		if err := e.tree.Mark(marker); err != nil {
			return err
		}
		var err error
		if id, err = e.tree.Root(); err != nil {
			return err
		}
	}
	if err := e.store.write(func() error { return e.store.setBlob("root", storedRoot(id)) }); err != nil {
		return err
	}
	e.root = rootState{is: id, ok: true, known: true}
	return nil
}

// lostRoot stops everything until the root is back.
func (e *engine) lostRoot(now time.Time, why error) {
	if e.root.ok {
		e.log.Warn("the folder's directory is gone or another one")
		e.log.Debug("the folder's directory", "error", why)
	}
	e.root.ok, e.root.at = false, now
	e.stopWatch()
}

const askRootID = "root"

func (e *engine) askRoot(now time.Time, id RootID) {
	e.ask(now, Question{
		ID: askRootID, Kind: askRootID,
		Text: "Another directory is where the folder was, so nothing is compared or changed. Using it deletes nothing: what differs is kept twice.",
		Choices: []Choice{
			{ID: "look", Text: "The right one is back"},
			{ID: "use", Text: "Use this directory"},
		},
	}, func(choice string) {
		e.root.at = time.Now()
		if choice == "use" {
			e.useRoot()
		}
	})
}

// useRoot begins anew with what is there: with the old index everything that
// is not there would be deleted at the others.
func (e *engine) useRoot() {
	err := e.store.write(func() error {
		return errors.Join(e.store.renew(e.cfg), e.store.exec("DELETE FROM meta WHERE key = 'root'"))
	})
	if err == nil {
		err = errFresh
	}
	e.fail(err)
}

func (e *engine) nextRoot() time.Time {
	if e.root.ok || e.paused {
		return time.Time{}
	}
	return e.root.at
}
