package folder

import (
	"context"
	"fmt"

	"foldpost/p2p/wire"
)

// The parts of the index. All put and drop methods run inside write.

func (s *store) putRow(r Row) error {
	return s.putBlob("INSERT OR REPLACE INTO rows VALUES (?, ?)", r, string(r.Path))
}

func (s *store) dropRow(p Path) error {
	return s.exec("DELETE FROM rows WHERE path = ?", string(p))
}

func (s *store) putPending(d DeviceID, a Announced) error {
	return s.putBlob("INSERT OR REPLACE INTO pending VALUES (?, ?, ?)", a, d[:], string(a.Path))
}

func (s *store) dropPending(d DeviceID, p Path) error {
	return s.exec("DELETE FROM pending WHERE device = ? AND path = ?", d[:], string(p))
}

func (s *store) putRecord(r ReplicaRecord) error {
	return s.putBlob("INSERT OR REPLACE INTO records VALUES (?, ?)", r, r.ID[:])
}

func (s *store) putHead(d DeviceID, h Head) error {
	return s.putBlob("INSERT OR REPLACE INTO heads VALUES (?, ?)", h, d[:])
}

func (s *store) dropHead(d DeviceID) error {
	return s.exec("DELETE FROM heads WHERE device = ?", d[:])
}

// putBlob runs a statement with the keys and then the encoded value.
func (s *store) putBlob(q string, v any, keys ...any) error {
	b, err := wire.Marshal(v)
	if err != nil {
		return err
	}
	return s.exec(q, append(keys, b)...)
}

// eachBlob decodes the last column of each row into a new T; key is the first.
func eachBlob[T any](s *store, q string, f func(key []byte, v T)) error {
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
		f(key, v)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read index: %w", err)
	}
	return nil
}

// rows calls f for each row of the index.
func (s *store) rows(f func(Row)) error {
	return eachBlob(s, "SELECT path, row FROM rows", func(key []byte, r Row) {
		r.Path = Path(key)
		f(r)
	})
}

// known calls f for each row of the index before this one: what is known of
// the disk, nothing else.
func (s *store) known(f func(Row)) error {
	return eachBlob(s, "SELECT path, row FROM known", func(key []byte, r Row) {
		r.Path = Path(key)
		f(r)
	})
}

func (s *store) pending(f func(DeviceID, Announced)) error {
	return eachBlob(s, "SELECT device, row FROM pending", func(key []byte, a Announced) {
		f(DeviceID(key), a)
	})
}

func (s *store) records(f func(ReplicaRecord)) error {
	return eachBlob(s, "SELECT id, record FROM records", func(_ []byte, r ReplicaRecord) { f(r) })
}

func (s *store) heads(f func(DeviceID, Head)) error {
	return eachBlob(s, "SELECT device, head FROM heads", func(key []byte, h Head) { f(DeviceID(key), h) })
}
