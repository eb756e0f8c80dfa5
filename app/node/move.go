package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"foldpost/app"
	"foldpost/app/folder"
	"foldpost/p2p/wire"
)

// Move implements [app.Service].
func (n *Node) Move(_ context.Context, f app.FolderID, dir string) error {
	k, others, err := n.folderAmong(f)
	if err != nil {
		return err
	}
	real, err := n.checkDir(dir, others, false)
	if err != nil {
		return err
	}
	if real == k.Path {
		return nil // is so already
	}
	if err := others.taken(real); err != nil {
		return err
	}
	tree, err := n.cfg.OpenTree(real)
	if err != nil {
		return app.Errorf(app.CodeFailed, "%s can not be used: %v", real, err)
	}
	defer tree.Close()
	switch ok, err := folder.Holds(tree, folder.ID(k.ID)); {
	case err != nil:
		return app.Errorf(app.CodeFailed, "%s can not be used: %v", real, err)
	case !ok:
		return app.Errorf(app.CodeFailed, "%s is not the folder %s: it has not its %s directory in it. Name the directory that was moved; to begin in another one, leave the folder first: foldpost leave %s",
			real, k.Name, folder.OwnDir, f)
	}
	n.mu.Lock()
	n.named[k.ID] = true
	n.mu.Unlock()
	return n.changeFolder(f, func(s *kept, k *keptFolder) error {
		others := s.without(k.ID) // another call may have been quicker
		if err := errors.Join(others.taken(real), n.checkPlace(real, others)); err != nil {
			return err
		}
		k.Path = real
		return nil
	})
}

func (s *kept) without(id key) kept {
	others := *s
	others.Folders = slices.DeleteFunc(slices.Clone(s.Folders), func(k keptFolder) bool { return k.ID == id })
	return others
}

// folderAmong returns a folder, and the kept state without it.
func (n *Node) folderAmong(f app.FolderID) (keptFolder, kept, error) {
	s := n.keep.view()
	i := slices.IndexFunc(s.Folders, func(k keptFolder) bool { return folderID(k.ID) == f })
	if i < 0 {
		return keptFolder{}, s, app.Errorf(app.CodeNotFound, "no folder %s here: foldpost folders lists them", f)
	}
	return s.Folders[i], s.without(s.Folders[i].ID), nil
}

// takeNamed tells whether a person has just said where the folder is, once.
func (n *Node) takeNamed(id key) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	named := n.named[id]
	delete(n.named, id)
	return named
}

// missingLong is after how long without a directory a person is asked: disks
// take a while to come after a start.
const missingLong = 15 * time.Second

// missingSuffix ends the ids of questions about a directory that is not there.
const missingSuffix = "-missing"

// missingQuestion asks for the directory of a folder.
func missingQuestion(f app.Folder, since time.Time) app.Question {
	return app.Question{
		ID: app.QuestionID(f.ID) + missingSuffix, Kind: app.AskRoot, Folder: f.ID, Since: since,
		Text:    f.Name + ": " + f.Problem,
		Choices: []app.Choice{{ID: "look", Text: "It is back"}, moveChoice(f.ID)},
	}
}

// problem says to a person why the folder does not run, and what about.
func (r *running) problem() (string, app.Cause) {
	if errors.Is(r.err, folder.ErrNoRoot) {
		return fmt.Sprintf("%s is not there. Connect its disk, or put the directory back where it was.", r.path), app.CauseRoot
	}
	return fmt.Sprintf("%s can not be used: %v", r.path, r.err), ""
}

func moveChoice(f app.FolderID) app.Choice {
	return app.Choice{ID: "move", Text: "It is somewhere else now", Command: fmt.Sprintf("%s move %s DIR", wire.Name, f)}
}

// lookAgain looks for a folder's directory. A folder that does not run for want
// of it is tried again at once; one that runs looks every few seconds itself.
func (n *Node) lookAgain(f app.FolderID) error {
	k, _, err := n.folderAmong(f)
	if err != nil {
		return err
	}
	if !n.retryFolder(&k) {
		return app.Errorf(app.CodeFailed, "%s is still not there", k.Path)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if r := n.folders[k.ID]; r != nil {
		r.asap.Store(true)
	}
	return nil
}
