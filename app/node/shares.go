package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"foldpost/app/folder"
	"foldpost/p2p"
	"foldpost/p2p/wire"
)

// protocolShares is the stream on which a device tells a paired one which
// folders it offers to it and which ones it keeps with it. Each frame is the
// whole of it; PROTOCOL.md, "Shares".
const protocolShares = "shares/1"

// A sharesFrame is what one device has to say to another about folders.
type sharesFrame struct {
	Offers []offerFrame `wire:"1,max=2048"` // that the receiver may keep
	Keeps  []folder.ID  `wire:"2,max=2048"` // in which the sender takes part with the receiver
}

// An offerFrame describes a folder; name and numbers are claims.
type offerFrame struct {
	ID    folder.ID `wire:"1"`
	Name  string    `wire:"2"`
	Files uint64    `wire:"3"`
	Bytes uint64    `wire:"4"`
	Role  uint64    `wire:"5"` // what the receiver may do: 1 read and write, 2 only read
}

func (f sharesFrame) equal(g sharesFrame) bool {
	return slices.Equal(f.Offers, g.Offers) && slices.Equal(f.Keeps, g.Keeps)
}

// gives is the role that the receiver of the frame has in a folder, "" where
// it is not offered.
func (f sharesFrame) gives(id folder.ID) string {
	for _, o := range f.Offers {
		if o.ID == id {
			return roleName(o.Role)
		}
	}
	return ""
}

// ourRole is the best that a member gives us, and what it was where none says
// anything.
func (k *keptFolder) ourRole() string {
	role := k.Role
	for _, m := range k.Members {
		switch {
		case k.Own, m.Gives == roleReadWrite:
			return roleReadWrite
		case m.Gives != "":
			role = m.Gives
		}
	}
	return role
}

func roleNumber(role string) uint64 {
	if role == roleReadOnly {
		return 2
	}
	return 1
}

// roleName reads a role from the wire. What is not known may only read.
func roleName(n uint64) string {
	if n == 1 {
		return roleReadWrite
	}
	return roleReadOnly
}

// sharesFor is what this device tells a peer.
func (n *Node) sharesFor(id p2p.PeerID) sharesFrame {
	s := n.keep.view()
	var f sharesFrame
	for i := range s.Folders {
		k := &s.Folders[i]
		m := k.member(id)
		if m == nil {
			continue
		}
		f.Keeps = append(f.Keeps, folder.ID(k.ID))
		if k.Role != roleReadWrite {
			continue // who may only read can not share on
		}
		o := offerFrame{ID: folder.ID(k.ID), Name: k.Name, Role: roleNumber(m.Role)}
		if !m.Joined { // numbers interest only who has not got it yet
			st := n.folderStatus(k.ID)
			o.Files, o.Bytes = uint64(st.Files), uint64(st.Bytes)
		}
		f.Offers = append(f.Offers, o)
	}
	return f
}

// tellShares sends frames on one stream for as long as the peer is connected,
// a new one when what is to be told has changed.
func (n *Node) tellShares(ctx context.Context, p *peer) error {
	s, err := n.endpoint.Open(ctx, p.id, protocolShares)
	if err != nil {
		return err
	}
	defer s.Reset(p2p.StreamCancelled)
	stop := context.AfterFunc(ctx, func() { s.Reset(p2p.StreamCancelled) })
	defer stop()
	lost := make(chan struct{})
	go func() { // ends with the stream, which ends when we return
		defer close(lost)
		io.Copy(io.Discard, s) // the peer says nothing here: its end is the end
	}()
	first := true
	var told sharesFrame
	for {
		if f := n.sharesFor(p.id); first || !f.equal(told) {
			if err := wire.Write(s, wire.MaxIndex, f); err != nil {
				return fmt.Errorf("tell shares: %w", err)
			}
			told, first = f, false
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-lost: // of two links only one stays: tell it all again on that
			return errors.New("tell shares: the stream ended")
		case <-p.shares:
		}
	}
}

// hearShares takes what a peer tells about folders until the stream ends.
func (n *Node) hearShares(id p2p.PeerID, s p2p.Stream) error {
	for {
		var f sharesFrame
		if err := wire.Read(s, wire.MaxIndex, &f); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		n.heard(id, f)
	}
}

// heard remembers what a peer keeps and offers.
func (n *Node) heard(id p2p.PeerID, f sharesFrame) {
	n.mu.Lock()
	if p := n.peers[id]; p != nil {
		p.heard = &f
	}
	n.mu.Unlock()
	err := n.keep.updateIf(func(s *kept) bool {
		changed := false
		for i := range s.Folders {
			m := s.Folders[i].member(id)
			if m == nil {
				continue
			}
			k := &s.Folders[i]
			if joined := slices.Contains(f.Keeps, folder.ID(k.ID)); joined != m.Joined {
				m.Joined, changed = joined, true
			}
			if gives := f.gives(folder.ID(k.ID)); gives != m.Gives {
				m.Gives, changed = gives, true
				k.Role = k.ourRole()
			}
		}
		return changed
	})
	if err != nil {
		n.log.Error("remember who has joined", "err", err)
	}
	n.kick()
}
