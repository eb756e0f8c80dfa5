package folder

import "strings"

// apply does all that can be done with content from the given devices. crash,
// if not negative, is how many changes reach the disk before the device dies.
func (d *modelDevice) apply(from []*modelDevice, crash int) {
	d.r.again()
	for range 100 {
		d.commit()
		var can []op
		offered := d.r.ops(d.now(), 4)
		for _, o := range offered {
			if o.Kind == opPut && !d.obtain(o, from) {
				d.r.later(o)
				continue
			}
			can = append(can, o)
		}
		if len(offered) == 0 {
			break
		}
		can = d.r.started(d.stage(can))
		d.commit()
		for _, o := range can {
			if crash == 0 {
				d.half(o)
				d.start()
				return
			}
			crash--
			if got, ok := d.perform(o); ok {
				if crash < 0 {
					d.r.done(o, got)
				}
				continue
			}
			d.r.changedOnDisk(o)
			d.observe([]Path{o.Path})
		}
		if crash >= 0 {
			d.start()
			return
		}
		d.commit()
	}
	d.commit()
	if crash >= 0 {
		d.start()
	}
}

// slowly is apply with everything else going on meanwhile: a pull and a scan
// between the offer and the start, and a scan before what was done is told.
func (d *modelDevice) slowly(from []*modelDevice, seed int) {
	d.r.again()
	for round := range 20 {
		d.commit()
		var can []op
		offered := d.r.ops(d.now(), 3)
		for _, o := range offered {
			if o.Kind == opPut && !d.obtain(o, from) {
				d.r.later(o)
				continue
			}
			can = append(can, o)
		}
		if len(offered) == 0 {
			break
		}
		if seed&1 == 1 && round == 0 {
			for _, o := range from {
				if o != d && !d.pullHeld(o) {
					return
				}
			}
		}
		if seed&2 == 2 {
			d.scan()
		}
		d.finish(d.r.started(d.stage(can)), seed)
	}
	d.commit()
}

// pullHeld is a pull with ops handed out, and false if that lost the index.
func (d *modelDevice) pullHeld(o *modelDevice) bool {
	gen := d.gen
	d.pull(o)
	return gen == d.gen
}

func (d *modelDevice) finish(ops []op, seed int) {
	d.commit()
	var did []op
	var got []result
	for _, o := range ops {
		if g, ok := d.perform(o); ok {
			did, got = append(did, o), append(got, g)
			continue
		}
		d.r.changedOnDisk(o)
		d.observe([]Path{o.Path})
	}
	if seed&4 == 4 {
		d.scan()
	}
	for i, o := range did {
		if !d.r.done(o, got[i]) {
			d.observe([]Path{o.Path})
		}
	}
	d.commit()
}

// obtain tells whether the content of a put is on this disk or can be read
// from a device that offers it.
func (d *modelDevice) obtain(o op, from []*modelDevice) bool {
	for _, p := range o.Here {
		if f := d.disk[p]; f != nil && f.seen.Content == o.Want.Content {
			return true
		}
	}
	for _, m := range from {
		asked := o.Path
		for _, s := range o.Members {
			if s.Device == m.id {
				asked = s.Path
			}
		}
		if !m.r.offers(asked, o.Want.Content) {
			continue
		}
		for _, p := range m.r.holding(o.Want.Content) {
			if f := m.disk[p]; f != nil && f.seen.Content == o.Want.Content {
				return true
			}
		}
	}
	return false
}

// stage gives what is to be put the inode that it will have at its path.
func (d *modelDevice) stage(ops []op) []op {
	for i := range ops {
		if ops[i].Kind == opPut {
			d.w.serial++
			ops[i].Inode = uint64(d.w.serial)
		}
	}
	return ops
}

// perform changes the disk if it still is what the op expects.
func (d *modelDevice) perform(o op) (result, bool) {
	f := d.disk[o.Path]
	if f == nil && o.Expect.Kind != Nothing || f != nil && (f.stat != o.Stat || f.seen != o.Expect) {
		return result{}, false
	}
	if pf := d.disk[parentOf(o.Path)]; parentOf(o.Path) != "" && (pf == nil || pf.seen.Kind != Dir) {
		return result{}, false
	}
	if o.Expect.Kind == Dir && o.Kind != opChmod && o.Kind != opMkdir && d.hasBelow(o.Path) {
		return result{Seen: f.seen, Stat: f.stat}, true
	}
	switch o.Kind {
	case opRemove, opRmdir:
		delete(d.disk, o.Path)
		return result{}, true
	case opChmod:
		f.seen.Bits = o.Bits
		f.stat = d.w.stat(f.seen, f.stat.MTime)
	default:
		bits := o.Bits
		if o.Kind == opLink {
			bits = 0o777
		}
		nf := &modelFile{seen: Seen{o.Want.value(), bits}, instances: map[int]bool{}}
		nf.stat = d.w.stat(nf.seen, o.Want.MTime)
		if o.Inode != 0 {
			nf.stat.Ino = o.Inode
		}
		d.disk[o.Path] = nf
		d.w.oracle.put(d, o, nf)
	}
	f = d.disk[o.Path]
	return result{Seen: f.seen, Stat: f.stat}, true
}

// half is what a crash may leave of an op that changes a file into a directory
// or back.
func (d *modelDevice) half(o op) {
	f := d.disk[o.Path]
	if d.w.serial%2 == 0 && f != nil && f.stat == o.Stat && betweenKinds(f.seen.Kind, o.Want.Kind) && !d.hasBelow(o.Path) {
		delete(d.disk, o.Path)
	}
}

func (d *modelDevice) hasBelow(dir Path) bool {
	for p := range d.disk {
		if strings.HasPrefix(string(p), string(dir)+"/") {
			return true
		}
	}
	return false
}
