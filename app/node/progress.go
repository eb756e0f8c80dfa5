package node

import (
	"time"

	"foldpost/app"
	"foldpost/app/folder"
	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// channelProgress is where a device that needs content tells the members of a
// folder how much. Nothing but what is shown relies on it; see "Progress" in
// the folder's PROTOCOL.md.
const channelProgress = "progress"

// Times of progress.
const (
	progressEvery = 250 * time.Millisecond // at most so often for a folder
	progressLasts = 5 * time.Second        // what was heard is shown

	maxNeeds = 1 << 53 // bytes that are believed
)

type progressFrame struct {
	Folder folder.ID `wire:"1"`
	Needs  uint64    `wire:"2"` // bytes
}

// progress is what this device has told of its folders, and what their members
// have told.
type progress struct {
	told  map[key]toldProgress         // the loop's alone
	heard map[memberKey]memberProgress // under the node's mu
}

type toldProgress struct {
	needs int64
	at    time.Time
}

type memberKey struct{ folder, peer key }

type memberProgress struct {
	needs int64 // as it says
	of    int64 // that it needed then, as the index says
	at    time.Time
}

func newProgress() progress {
	return progress{told: map[key]toldProgress{}, heard: map[memberKey]memberProgress{}}
}

// tellProgress tells what the folders need to who takes part in them.
func (n *Node) tellProgress(now time.Time) {
	to := map[key][]p2p.PeerID{}
	n.mu.Lock()
	for id := range n.progress.told {
		if n.folders[id] == nil {
			delete(n.progress.told, id)
		}
	}
	for _, p := range n.peers {
		for id := range p.feeds {
			to[id] = append(to[id], p.id)
		}
	}
	n.mu.Unlock()
	for id, peers := range to {
		st := n.folderStatus(id)
		told, needs := n.progress.told[id], stillNeeds(st)
		if needs == told.needs && len(st.Moving) == 0 || now.Sub(told.at) < progressEvery {
			continue
		}
		n.progress.told[id] = toldProgress{needs, now}
		b, err := wire.Marshal(progressFrame{Folder: folder.ID(id), Needs: uint64(needs)})
		for _, p := range peers {
			if err == nil {
				err = n.endpoint.Send(p, channelProgress, b)
			}
			if err != nil {
				n.log.Debug("tell progress", "err", err)
			}
		}
	}
}

// stillNeeds is what a folder needs without what it has got of files on their way.
func stillNeeds(st folder.Status) int64 {
	needs := st.NeedBytes
	for _, m := range st.Moving {
		needs -= m.Done
	}
	return max(0, needs)
}

func parseProgress(b []byte) (progressFrame, bool) {
	var f progressFrame
	err := wire.Unmarshal(b, &f)
	return f, err == nil && f.Needs <= maxNeeds
}

// hearProgress remembers what a member of a folder tells.
func (n *Node) hearProgress(id p2p.PeerID, payload []byte, now time.Time) {
	f, ok := parseProgress(payload)
	if !ok {
		return
	}
	s := n.keep.view()
	k := s.folder(key(f.Folder))
	if k == nil || k.member(id) == nil {
		return
	}
	of := memberState(*k.member(id), n.folderStatus(k.ID)).NeedBytes
	n.mu.Lock()
	n.progress.heard[memberKey{k.ID, key(id)}] = memberProgress{needs: int64(f.Needs), of: of, at: now}
	n.mu.Unlock()
	n.kick()
}

// withProgress returns a member of a folder as it is shown: with what it told
// lately, where that is less than what the index says.
func (n *Node) withProgress(id, peer key, m app.Member, now time.Time) app.Member {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := memberKey{id, peer}
	if p, ok := n.progress.heard[at]; ok && now.Sub(p.at) >= progressLasts {
		delete(n.progress.heard, at)
	} else if ok {
		m.NeedBytes = p.left(m)
	}
	return m
}

// left is what a member needs. What has come to need since it told is added.
func (p memberProgress) left(m app.Member) int64 {
	if m.HasAll {
		return m.NeedBytes
	}
	return min(m.NeedBytes, max(1, p.needs+max(0, m.NeedBytes-p.of)))
}
