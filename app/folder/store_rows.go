package folder

import (
	"context"
	"errors"
	"fmt"

	"foldpost/p2p/wire"
)

// pendingTable's key is 32 bytes of device, 8 of replica.
func (k pendingKey) owner() []byte { return append(k.Device[:], k.Replica[:]...) }

// save writes what changed. It runs inside write.
func (s *store) save(c changeSet) error {
	var errs []error
	put := func(q string, v any, keys ...any) {
		b, err := wire.Marshal(v)
		if err == nil {
			err = s.exec(q, append(keys, b)...)
		}
		errs = append(errs, err)
	}
	drop := func(q string, keys ...any) { errs = append(errs, s.exec(q, keys...)) }
	for _, r := range c.Rows {
		put("INSERT OR REPLACE INTO rows VALUES (?, ?)", r, string(r.Path))
	}
	for _, p := range c.DropRows {
		drop("DELETE FROM rows WHERE path = ?", string(p))
	}
	for _, r := range c.Pending {
		put("INSERT OR REPLACE INTO pending VALUES (?, ?, ?)", r, r.owner(), string(r.Path))
	}
	for _, k := range c.DropPending {
		drop("DELETE FROM pending WHERE owner = ? AND path = ?", k.owner(), string(k.Path))
	}
	for _, r := range c.Records {
		put("INSERT OR REPLACE INTO records VALUES (?, ?)", r, r.ID[:])
	}
	for _, h := range c.Heads {
		put("INSERT OR REPLACE INTO heads VALUES (?, ?)", h, h.Device[:])
	}
	for _, d := range c.DropHeads {
		drop("DELETE FROM heads WHERE device = ?", d[:])
	}
	for _, i := range c.Intents {
		put("INSERT OR REPLACE INTO intents VALUES (?, ?)", i, string(i.Path))
	}
	for _, p := range c.DropIntents {
		drop("DELETE FROM intents WHERE path = ?", string(p))
	}
	fresh := int64(0)
	if c.Fresh {
		fresh = 1
	}
	errs = append(errs, s.setMeta("seq", int64(c.Seq)), s.setMeta("last", int64(c.LastN)), s.setMeta("fresh", fresh))
	return errors.Join(errs...)
}

// load reads everything that save wrote.
func (s *store) load() (saved, error) {
	var v saved
	errs := []error{
		eachBlob(s, "SELECT path, row FROM rows", func(key []byte, r Row) error {
			r.Path = Path(key)
			v.Rows = append(v.Rows, r)
			return nil
		}),
		eachBlob(s, "SELECT owner || CAST(path AS BLOB), row FROM pending", func(key []byte, r pendingRow) error {
			const device, owner = len(r.Device), len(r.Device) + len(r.Replica)
			if len(key) < owner {
				return errDamaged
			}
			r.Device, r.Replica, r.Path = DeviceID(key[:device]), ReplicaID(key[device:owner]), Path(key[owner:])
			v.Pending = append(v.Pending, r)
			return nil
		}),
		eachBlob(s, "SELECT id, record FROM records", func(_ []byte, r ReplicaRecord) error {
			v.Records = append(v.Records, r)
			return nil
		}),
		eachBlob(s, "SELECT device, head FROM heads", func(key []byte, h memberHead) error {
			if len(key) != len(h.Device) {
				return errDamaged
			}
			h.Device = DeviceID(key)
			v.Heads = append(v.Heads, h)
			return nil
		}),
		eachBlob(s, "SELECT path, intent FROM intents", func(key []byte, i intent) error {
			i.Path = Path(key)
			v.Intents = append(v.Intents, i)
			return nil
		}),
	}
	seq, err1 := metaOf[int64](s, "seq")
	last, err2 := metaOf[int64](s, "last")
	fresh, err3 := metaOf[int64](s, "fresh")
	v.Seq, v.LastN, v.Fresh = uint64(seq), uint64(last), fresh == 1
	return v, errors.Join(append(errs, err1, err2, err3)...)
}

// known calls f for each row of the index before this one: what is known of
// the disk, nothing else.
func (s *store) known(f func(Row)) error {
	return eachBlob(s, "SELECT path, row FROM known", func(key []byte, r Row) error {
		r.Path = Path(key)
		f(r)
		return nil
	})
}

func (s *store) forgetKnown() error { return s.exec("DELETE FROM known") }

// A look is a second look at a file in the trash that is still to be taken.
type look struct {
	Name string
	Path Path  `wire:"1"`
	At   int64 `wire:"2"` // unix ns
	Stat Stat  `wire:"3"`
}

func (s *store) putLook(l look) error {
	b, err := wire.Marshal(l)
	if err != nil {
		return err
	}
	return s.exec("INSERT OR REPLACE INTO looks VALUES (?, ?)", l.Name, b)
}

func (s *store) dropLook(name string) error {
	return s.exec("DELETE FROM looks WHERE name = ?", name)
}

func (s *store) looks() ([]look, error) {
	var ls []look
	err := eachBlob(s, "SELECT name, look FROM looks", func(key []byte, l look) error {
		l.Name = string(key)
		ls = append(ls, l)
		return nil
	})
	return ls, err
}

// eachBlob decodes the last column of each row into a new T; key is the first.
func eachBlob[T any](s *store, q string, f func(key []byte, v T) error) error {
	rows, err := s.conn.QueryContext(context.Background(), q)
	if err != nil {
		return fmt.Errorf("read index: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var key, b []byte
		if err := rows.Scan(&key, &b); err != nil {
			return fmt.Errorf("read index: %w", err)
		}
		var v T
		if err := wire.Unmarshal(b, &v); err != nil {
			return fmt.Errorf("read index: %q: %w", q, err)
		}
		if err := f(key, v); err != nil {
			return fmt.Errorf("read index: %q: %w", q, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read index: %w", err)
	}
	return nil
}
