package folder

// ignore sets the rules of what is left out: neither scanned nor applied nor
// deleted. Tombstones for it are taken at once, live versions wait. It returns
// the paths that are not left out any more. Each must be observed: until then
// nothing is known of its disk, and what is absent then was not deleted by
// that.
func (r *replica) ignore(match func(p Path, dir bool) bool) (thawed []Path) {
	r.ignored = match
	for _, p := range sortedKeys(r.nodes) {
		n := r.nodes[p]
		if n.parent == nil {
			continue
		}
		_, dir := n.targetEntry().dir()
		out := match(p, dir || n.row.Seen.Kind == Dir || n.child != nil)
		switch {
		case out && n.thawing:
			n.thawing = false
		case out && !n.row.Frozen:
			r.freezeNode(n)
		case !out && n.row.Frozen:
			n.thawing = true
			thawed = append(thawed, p)
		}
	}
	r.settle()
	return thawed
}

// freezeIgnored applies the rules to a path that nothing was known of.
func (r *replica) freezeIgnored(n *node, dir bool) {
	if r.ignored != nil && !n.row.Frozen && n.row.Entry.zero() && n.row.Seen.Kind == Nothing && r.ignored(n.row.Path, dir) {
		r.freezeNode(n)
	}
}

func (r *replica) freezeNode(n *node) {
	n.thawing = false
	if n.row.Frozen {
		return
	}
	if !n.started {
		r.takeBack(n)
	}
	r.setFrozen(n, true)
	r.joinTombstones(n)
	for d := range r.devices {
		r.markHead(d) // what is left out does not keep a member waiting
	}
}

// joinTombstones takes what ends a frozen path.
func (r *replica) joinTombstones(n *node) {
	if !n.row.Frozen {
		return
	}
	e := n.row.Entry
	for _, p := range n.pending {
		if r.counted(p) && !p.Entry.Live() {
			e = r.off.join(e, p.Entry)
		}
	}
	r.setBase(n, e)
}

// thawed handles the first finding after a thaw, and reports whether that was
// all.
func (r *replica) thawed(n *node, o observation) bool {
	if !n.thawing {
		return false
	}
	n.thawing = false
	r.setFrozen(n, false)
	if o.Seen.Kind != Nothing || !n.row.Entry.Live() || r.off.thawAbsence {
		return false
	}
	r.setSeen(n, result{}) // fetched again
	return true
}

// lost says that the content of a frozen path is not on disk any more, so that
// it is not announced.
func (r *replica) lost(p Path) {
	if n, ok := r.nodes[p]; ok && n.row.Frozen {
		r.setSeen(n, result{})
		r.settle()
	}
}
