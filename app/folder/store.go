package folder

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"foldpost/p2p/wire"
)

// storeSchema is the version of the tables. A file of another version is not
// touched.
const storeSchema = 1

const storeTables = `
CREATE TABLE IF NOT EXISTS meta    (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rows    (path TEXT PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (owner BLOB, path TEXT, row BLOB NOT NULL, PRIMARY KEY (owner, path)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (id BLOB PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heads   (device BLOB PRIMARY KEY, head BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intents (path TEXT PRIMARY KEY, intent BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS looks   (name TEXT PRIMARY KEY, look BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known   (path TEXT PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID;
`

// A place is where an index belongs. An index found at another place is a copy
// or was restored, and must not go on under the same replica id: what the
// original wrote since would get the same dots.
type place struct {
	Machine string `wire:"1"`
	File    string `wire:"2"`
	Inode   uint64 `wire:"3"` // of the file; 0 where the system does not tell
}

// A store is the index on disk. Every write is one transaction that is durable
// when it returns. It belongs to the event loop.
type store struct {
	file  string
	db    *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	self  ReplicaRecord
	fresh string // why the index is new; "" when it goes on
}

// openStore opens or makes the index. A damaged one is set aside, and one that
// is not in its place any more is emptied; both leave what is known of the
// disk, so that nothing has to be read again.
func openStore(c Config) (*store, error) {
	if err := os.MkdirAll(filepath.Dir(c.StorePath), 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the index: %w", err)
	}
	s, err := connectStore(c.StorePath)
	if errors.Is(err, errDamaged) {
		broken := c.StorePath + ".broken"
		if err := errors.Join(os.Rename(c.StorePath, broken), removeAll(c.StorePath+"-wal", c.StorePath+"-shm")); err != nil {
			return nil, fmt.Errorf("set aside a damaged index: %w", err)
		}
		if s, err = connectStore(c.StorePath); err == nil {
			s.fresh = "the index was damaged"
		}
	}
	if err != nil {
		return nil, err
	}
	if err := s.settle(c); err != nil {
		s.conn.Close()
		s.db.Close()
		return nil, err
	}
	return s, nil
}

func removeAll(files ...string) error {
	for _, f := range files {
		if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

var errDamaged = errors.New("the index is damaged")

// connectStore opens the file with one connection. The exclusive lock keeps a
// second process out; FULL makes each commit survive a power cut, which a dot
// needs before it is announced.
func connectStore(file string) (*store, error) {
	dsn := "file:" + (&url.URL{Path: filepath.ToSlash(file)}).EscapedPath() +
		"?_pragma=locking_mode(EXCLUSIVE)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-4096)"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open index %s: %w", file, err)
	}
	db.SetMaxOpenConns(1)
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		db.Close()
		return nil, damaged(file, err)
	}
	s := &store{file: file, db: db, conn: conn, stmts: map[string]*sql.Stmt{}}
	if err := s.check(ctx); err != nil {
		conn.Close()
		db.Close()
		return nil, err
	}
	return s, nil
}

// damaged tells a file that is no database from one that is in use.
func damaged(file string, err error) error {
	var code interface{ Code() int }
	if errors.As(err, &code) {
		switch code.Code() & 0xff {
		case 11, 26: // SQLITE_CORRUPT, SQLITE_NOTADB
			return fmt.Errorf("open index %s: %w: %w", file, errDamaged, err)
		}
	}
	return fmt.Errorf("open index %s: %w", file, err)
}

// check makes the tables and, where the last run did not end properly, looks
// for damage.
func (s *store) check(ctx context.Context) error {
	if _, err := s.conn.ExecContext(ctx, storeTables); err != nil {
		return damaged(s.file, err)
	}
	schema, err := metaOf[int64](s, "schema")
	if err != nil {
		return damaged(s.file, err)
	}
	if schema > storeSchema {
		return fmt.Errorf("index %s was made by a newer version of the program", s.file)
	}
	clean, err := metaOf[int64](s, "clean")
	if err != nil {
		return damaged(s.file, err)
	}
	if schema == 0 || clean == 1 {
		return nil
	}
	var verdict string
	if err := s.conn.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return damaged(s.file, err)
	}
	if verdict != "ok" {
		return fmt.Errorf("check index %s: %w: %s", s.file, errDamaged, verdict)
	}
	return nil
}

// settle finds out whether the index goes on, and who its replica is.
func (s *store) settle(c Config) error {
	file, err := filepath.Abs(c.StorePath)
	if err != nil {
		return fmt.Errorf("find index %s: %w", c.StorePath, err)
	}
	here := place{Machine: c.Machine, File: file, Inode: inodeOf(file)}
	var was place
	self, err := s.blob("self", &s.self)
	if err != nil {
		return err
	}
	if _, err := s.blob("place", &was); err != nil {
		return err
	}
	switch {
	case !self && s.fresh == "":
		s.fresh = "there was no index"
	case self && was != here:
		s.fresh = "the index was copied or restored"
	}
	return s.write(func() error {
		if s.fresh != "" {
			if err := s.renew(c); err != nil {
				return err
			}
		}
		return errors.Join(s.setMeta("schema", storeSchema), s.setMeta("clean", 0), s.setBlob("place", here))
	})
}

// renew gives the index a new replica id and empties it, but keeps what is
// known of files, so that they are not read again, and who the replicas are.
// It runs inside a transaction.
func (s *store) renew(c Config) error {
	s.self = ReplicaRecord{Device: c.Device, Label: CleanLabel(c.Label)}
	_, _ = rand.Read(s.self.ID[:]) // never fails since Go 1.24
	for _, q := range []string{
		"INSERT OR REPLACE INTO known SELECT path, row FROM rows",
		"DELETE FROM rows", "DELETE FROM pending", "DELETE FROM heads", "DELETE FROM intents",
		"DELETE FROM meta WHERE key IN ('seq', 'last')", // numbers of dots start at the clock
	} {
		if err := s.exec(q); err != nil {
			return err
		}
	}
	return errors.Join(s.setMeta("fresh", 1), s.setBlob("self", s.self))
}

// Close ends the index properly, so that the next start need not check it.
func (s *store) Close() error {
	err := s.write(func() error { return s.setMeta("clean", 1) })
	return errors.Join(err, s.abandon())
}

// abandon closes the file as a crash would leave it.
func (s *store) abandon() error {
	for _, st := range s.stmts {
		st.Close()
	}
	return errors.Join(s.conn.Close(), s.db.Close())
}

// write runs f as one durable transaction.
func (s *store) write(f func() error) error {
	if err := s.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := f(); err != nil {
		return errors.Join(err, s.exec("ROLLBACK"))
	}
	if err := s.exec("COMMIT"); err != nil {
		return errors.Join(err, s.exec("ROLLBACK"))
	}
	return nil
}

func (s *store) exec(q string, args ...any) error {
	st := s.stmts[q]
	if st == nil {
		var err error
		if st, err = s.conn.PrepareContext(context.Background(), q); err != nil {
			return fmt.Errorf("write index: %w", err)
		}
		s.stmts[q] = st
	}
	if _, err := st.ExecContext(context.Background(), args...); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	return nil
}

func (s *store) setMeta(key string, v int64) error {
	return s.exec("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, v)
}

func (s *store) setBlob(key string, v any) error {
	b, err := wire.Marshal(v)
	if err != nil {
		return err
	}
	return s.exec("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, b)
}

// metaOf returns the zero value for a key that is not there.
func metaOf[T any](s *store, key string) (T, error) {
	var v T
	err := s.conn.QueryRowContext(context.Background(), "SELECT value FROM meta WHERE key = ?", key).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("read index: %s: %w", key, err)
	}
	return v, err
}

// blob reports whether the key is there.
func (s *store) blob(key string, v any) (bool, error) {
	b, err := metaOf[[]byte](s, key)
	if err != nil || b == nil {
		return false, err
	}
	if err := wire.Unmarshal(b, v); err != nil {
		return false, fmt.Errorf("read index: %s: %w", key, err)
	}
	return true, nil
}
