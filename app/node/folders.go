package node

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"foldpost/app"
	"foldpost/app/folder"
	"foldpost/assets"
	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// running is a folder that has been started.
type running struct {
	folder *folder.Folder
	path   string
	role   string          // ours, with which it was started
	ctx    context.Context // of its run
	cancel context.CancelFunc
	ended  chan struct{}
	err    error     // why it can not run; set before ended is closed
	again  time.Time // when it may be tried again; set before ended is closed
	pause  time.Duration
	asap   atomic.Bool // try again whenever that may be
	lost   time.Time   // when it ended for err
}

// matchFolders starts what is kept and not running, ends what runs and is not
// kept, and tells each folder its members and whether it is paused.
func (n *Node) matchFolders(ctx context.Context) {
	s := n.keep.view()
	now := time.Now()
	for i := range s.Folders {
		k := &s.Folders[i]
		n.mu.Lock()
		r := n.folders[k.ID]
		n.mu.Unlock()
		pause := time.Duration(0)
		if r != nil && (r.path != k.Path || r.role != k.Role) || r != nil && r.failed() && ctx.Err() == nil && (r.asap.Load() || !now.Before(r.again)) && n.retryFolder(k) {
			n.endFolder(k.ID, r)
			pause = r.pause
			r = nil
		}
		if r == nil {
			r = n.startFolder(ctx, *k, pause)
		}
		if r.folder != nil {
			r.folder.Pause(s.Paused.active(now) || k.Paused.active(now))
		}
	}
	n.tellMembers()
	n.mu.Lock()
	var gone []key
	for id := range n.folders {
		if s.folder(id) == nil {
			gone = append(gone, id)
		}
	}
	n.mu.Unlock()
	for _, id := range gone {
		n.mu.Lock()
		r := n.folders[id]
		n.mu.Unlock()
		n.endFolder(id, r)
		n.forgetIndex(id)
		if err := folder.Unmark(r.path, folder.ID(id)); err != nil {
			n.log.Warn("tidy a folder that was left", "folder", folderID(id))
			n.log.Debug("tidy a folder that was left", "err", err)
		}
	}
}

// tellMembers has every folder know its members: who is none any more is
// served nothing from then on, also where the loop is busy.
func (n *Node) tellMembers() {
	n.membering.Lock()
	defer n.membering.Unlock()
	s := n.keep.view()
	for i := range s.Folders {
		k := &s.Folders[i]
		n.mu.Lock()
		r := n.folders[k.ID]
		n.mu.Unlock()
		if r != nil && r.folder != nil {
			r.folder.SetMembers(s.members(k))
		}
	}
}

// A folder that can not run is tried again after a while, at first soon.
const (
	retryFolderMin = 2 * time.Second
	retryFolderMax = 2 * time.Minute
)

// fails notes why the folder does not run.
func (r *running) fails(err error, ran time.Duration) {
	if ran > retryFolderMax {
		r.pause = 0
	}
	r.pause = min(max(2*r.pause, retryFolderMin), retryFolderMax)
	r.err, r.lost = err, time.Now()
	r.again = r.lost.Add(r.pause)
	r.cancel()
	close(r.ended)
}

func (r *running) failed() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// retryFolder tells whether a folder that could not run might run now: its
// directory can be read.
func (n *Node) retryFolder(k *keptFolder) bool {
	d, err := os.Open(k.Path)
	if err != nil {
		return false
	}
	return d.Close() == nil
}

// members are the devices that a folder is served to and taken from: what
// this user added, as far as it is paired now.
func (s *kept) members(k *keptFolder) []folder.Member {
	var ms []folder.Member
	for _, m := range k.Members {
		p := s.peer(p2p.PeerID(m.Peer))
		if p == nil || p.State == p2p.Pending {
			continue
		}
		role := folder.ReadWrite
		if m.Role == roleReadOnly {
			role = folder.ReadOnly
		}
		ms = append(ms, folder.Member{Device: folder.DeviceID(m.Peer), Name: shownName(p.Metadata.Name), Role: role, Invited: !m.Joined})
	}
	return ms
}

// matchIndex begins a new index where a folder may be written that was only
// received before: what its user changed meanwhile must count as found, not as
// something that the members do not know and so took away.
func (n *Node) matchIndex(k keptFolder) {
	if k.Index == k.Role {
		return
	}
	if k.Index == roleReadOnly {
		n.forgetIndex(k.ID)
	}
	n.change("note the role of an index", func(s *kept) {
		if f := s.folder(k.ID); f != nil {
			f.Index = k.Role
		}
	})
}

func (n *Node) startFolder(ctx context.Context, k keptFolder, pause time.Duration) *running {
	r := &running{path: k.Path, role: k.Role, ended: make(chan struct{}), pause: pause}
	r.ctx, r.cancel = context.WithCancel(ctx)
	n.matchIndex(k)
	tree, err := n.cfg.OpenTree(k.Path)
	if err != nil {
		r.fails(err, 0)
	} else {
		role := folder.ReadWrite
		if k.Role == roleReadOnly {
			role = folder.ReadOnly
		}
		s := n.keep.view()
		r.folder = folder.New(folder.Config{
			ID: folder.ID(k.ID), Device: folder.DeviceID(n.identity.ID()), Label: s.Name, Role: role, Tree: tree,
			StorePath: n.indexPath(k.ID), Machine: machineID(), IgnoreDefaults: assets.Ignore,
			TrashDays: s.TrashDays, Named: n.takeNamed(k.ID), Log: n.log.With("folder", folderID(k.ID)), Changed: n.kick,
		})
		r.folder.SetMembers(s.members(&k)) // before Run: what is kept of who is no member is dropped
		n.tasks.Go(func() {
			began := time.Now()
			err := r.folder.Run(r.ctx)
			if err != nil && r.ctx.Err() == nil {
				n.log.Error("folder stopped", "folder", folderID(k.ID))
				n.log.Debug("folder stopped", "folder", folderID(k.ID), "err", err)
			}
			r.fails(errors.Join(err, tree.Close()), time.Since(began))
			n.kick()
		})
	}
	n.mu.Lock()
	n.folders[k.ID] = r
	n.foldersChanged()
	n.mu.Unlock()
	return r
}

// foldersChanged wakes who waits for a folder to begin or end. Its caller holds
// mu.
func (n *Node) foldersChanged() {
	close(n.begun)
	n.begun = make(chan struct{})
}

func (n *Node) endFolder(id key, r *running) {
	r.cancel()
	<-r.ended
	n.mu.Lock()
	delete(n.folders, id)
	n.foldersChanged()
	for _, p := range n.peers {
		delete(p.feeds, id)
	}
	n.mu.Unlock()
}

func (n *Node) indexPath(id key) string {
	return filepath.Join(n.cfg.Home, fmt.Sprintf("index-%x.sqlite", id[:8]))
}

// forgetIndex deletes the index of a folder that was left.
func (n *Node) forgetIndex(id key) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(n.indexPath(id) + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			n.log.Warn("remove index", "err", err)
		}
	}
}

// matchFeeds connects each running folder with the members that are connected
// and take part in it, and cuts the other feeds.
func (n *Node) matchFeeds() {
	s := n.keep.view()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.peers {
		for id, r := range n.folders {
			k := s.folder(id)
			wanted := k != nil && k.member(p.id) != nil && r.folder != nil && !r.failed() && p.heard != nil && slices.Contains(p.heard.Keeps, folder.ID(id))
			if cancel := p.feeds[id]; wanted == (cancel != nil) {
				continue
			} else if cancel != nil {
				cancel()
				delete(p.feeds, id)
				continue
			}
			ctx, cancel := context.WithCancel(p.ctx)
			stop := context.AfterFunc(r.ctx, cancel)
			p.feeds[id] = func() { stop(); cancel() }
			n.tasks.Go(func() {
				n.keepTrying(ctx, "folder feed", func() error { return n.feed(ctx, p.id, id, r.folder) })
			})
		}
	}
}

func (n *Node) feed(ctx context.Context, peer p2p.PeerID, id key, f *folder.Folder) error {
	r := newRemote(folder.DeviceID(peer), folder.ID(id), n.opener(peer), n.down)
	r.openBulk = n.bulkOpener(peer)
	defer r.close()
	return f.Connect(ctx, r)
}

func (n *Node) opener(peer p2p.PeerID) streamOpener {
	return func(ctx context.Context, protocol string) (p2p.Stream, error) {
		return n.endpoint.Open(ctx, peer, protocol)
	}
}

// bulkOpener opens the streams by which contents are read.
func (n *Node) bulkOpener(peer p2p.PeerID) streamOpener {
	return func(ctx context.Context, protocol string) (p2p.Stream, error) {
		return n.endpoint.OpenBulk(ctx, peer, protocol)
	}
}

// servedTo finds our replica of a folder as a peer may see it. Whether there
// is such a folder is not told to who is no member.
func (n *Node) servedTo(peer p2p.PeerID) func(folder.ID) (folder.Remote, error) {
	return func(id folder.ID) (folder.Remote, error) {
		n.mu.Lock()
		r := n.folders[key(id)]
		n.mu.Unlock()
		if r == nil || r.folder == nil {
			return nil, folder.ErrNotMember
		}
		return r.folder.Serve(folder.DeviceID(peer))
	}
}

func (n *Node) folderStatus(id key) folder.Status {
	n.mu.Lock()
	r := n.folders[id]
	n.mu.Unlock()
	if r == nil || r.folder == nil {
		return folder.Status{}
	}
	return r.folder.Status()
}

// newFolderID is SHA-256("foldpost-folder/1" ‖ creator's key ‖ 16 random bytes).
func (n *Node) newFolderID() key {
	public := n.identity.Public()
	var nonce [16]byte
	rand.Read(nonce[:]) // never fails
	h := sha256.New()
	h.Write([]byte(wire.Name + "-folder/1"))
	h.Write(public[:])
	h.Write(nonce[:])
	return key(h.Sum(nil))
}

// Unshare implements [app.Service].
func (n *Node) Unshare(_ context.Context, f app.FolderID, d app.DeviceID) error {
	return n.changeFolder(f, func(_ *kept, k *keptFolder) error {
		k.Members = slices.DeleteFunc(k.Members, func(m keptMember) bool { return deviceID(m.Peer) == d })
		return nil
	})
}

// Leave implements [app.Service].
func (n *Node) Leave(_ context.Context, f app.FolderID) error {
	return n.changeFolder(f, func(s *kept, k *keptFolder) error {
		id := k.ID
		s.Folders = slices.DeleteFunc(s.Folders, func(k keptFolder) bool { return k.ID == id })
		for i := range s.Invitations {
			inv := &s.Invitations[i]
			inv.Folders = slices.DeleteFunc(inv.Folders, func(k keptShare) bool { return k.ID == id })
		}
		return nil
	})
}

// Pause implements [app.Service].
func (n *Node) Pause(_ context.Context, f app.FolderID, d time.Duration) error {
	p := &pause{}
	if d > 0 {
		p.Until = time.Now().Add(d)
	}
	return n.setPause(f, p)
}

// Resume implements [app.Service].
func (n *Node) Resume(_ context.Context, f app.FolderID) error { return n.setPause(f, nil) }

func (n *Node) setPause(f app.FolderID, p *pause) error {
	if f == "" {
		return n.update(func(s *kept) error { s.Paused = p; return nil })
	}
	return n.changeFolder(f, func(_ *kept, k *keptFolder) error { k.Paused = p; return nil })
}

func (n *Node) changeFolder(f app.FolderID, change func(*kept, *keptFolder) error) error {
	defer n.tellMembers()
	return n.update(func(s *kept) error {
		for i := range s.Folders {
			if folderID(s.Folders[i].ID) == f {
				return change(s, &s.Folders[i])
			}
		}
		return app.Errorf(app.CodeNotFound, "no folder %s here: foldpost folders lists them", f)
	})
}

// startWait bounds how long a call waits for a folder that was only just added.
const startWait = 10 * time.Second

// started returns a running folder, or why it does not run.
func (n *Node) started(ctx context.Context, f app.FolderID) (*folder.Folder, error) {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	for {
		s := n.keep.view()
		i := slices.IndexFunc(s.Folders, func(k keptFolder) bool { return folderID(k.ID) == f })
		if i < 0 {
			return nil, app.Errorf(app.CodeNotFound, "no folder %s here: foldpost folders lists them", f)
		}
		n.mu.Lock()
		r, begun := n.folders[s.Folders[i].ID], n.begun
		n.mu.Unlock()
		switch {
		case r != nil && (r.folder == nil || r.failed()):
			return nil, app.Errorf(app.CodeFailed, "the folder can not be used now: %v", r.err)
		case r != nil:
			return r.folder, nil
		}
		select {
		case <-begun: // the loop starts what was added
		case <-ctx.Done():
			return nil, app.Errorf(app.CodeFailed, "the folder %s does not run yet: try again", s.Folders[i].Name)
		}
	}
}

func folderID(k key) app.FolderID { return app.FolderID(fmt.Sprintf("%x", k[:8])) }
func deviceID(k key) app.DeviceID { return app.DeviceID(p2p.PeerID(k).String()) }
