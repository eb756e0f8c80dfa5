package node

import (
	"cmp"
	"slices"

	"foldpost/app"
	"foldpost/p2p"
)

// An openOffer is a folder that one connected device shares with this one and
// that is not kept with it. Each device's offer needs a yes of its own: who
// shares a folder may write in it.
type openOffer struct {
	id    app.FolderID // of the folder, and of the device too where several offer it
	from  p2p.PeerID
	frame offerFrame
}

// openOffers lists what is offered and not declined.
func (n *Node) openOffers(s *kept) []openOffer {
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []openOffer
	several := map[app.FolderID]int{}
	for from, p := range n.peers {
		if p.heard == nil {
			continue
		}
		for _, o := range p.heard.Offers {
			k := s.folder(key(o.ID))
			if k != nil && k.member(from) != nil || slices.Contains(s.Declined, declined{key(from), key(o.ID)}) {
				continue
			}
			if k != nil {
				o.Name = k.Name // one that is here is not to pass for another
			}
			id := folderID(key(o.ID))
			several[id]++
			list = append(list, openOffer{id: id, from: from, frame: o})
		}
	}
	for i := range list {
		if several[list[i].id] > 1 {
			list[i].id += app.FolderID("-" + list[i].from.Short())
		}
	}
	slices.SortFunc(list, func(a, b openOffer) int {
		return cmp.Or(cmp.Compare(a.frame.Name, b.frame.Name), cmp.Compare(a.id, b.id))
	})
	return list
}

// findOffer returns the one offer that an id names.
func (n *Node) findOffer(id app.FolderID) (openOffer, error) {
	s := n.keep.view()
	var found []openOffer
	for _, o := range n.openOffers(&s) {
		if o.id == id || folderID(key(o.frame.ID)) == id {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return openOffer{}, app.Errorf(app.CodeNotFound, "nobody who is connected offers the folder %s: foldpost status lists offers", id)
	case 1:
		return found[0], nil
	}
	return openOffer{}, app.Errorf(app.CodeUsage, "several devices offer the folder %s, and each may write in it: foldpost folders tells them apart", id)
}

// shown is the offer as people see it. Name and numbers are claims.
func (o openOffer) shown() app.Offer {
	return app.Offer{
		ID: o.id, Folder: folderID(key(o.frame.ID)), Name: shownName(o.frame.Name), From: deviceID(key(o.from)),
		Files: int(min(o.frame.Files, 1<<40)), Bytes: int64(min(o.frame.Bytes, 1<<60)), Role: roleName(o.frame.Role),
	}
}

// decline takes an offer off the list.
func (n *Node) decline(id app.FolderID) error {
	o, err := n.findOffer(id)
	if err != nil {
		return err
	}
	return n.update(func(s *kept) error {
		s.Declined = append(s.Declined, declined{key(o.from), key(o.frame.ID)})
		return nil
	})
}
