package mail

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/p2p"
)

func numberedToken(n int) (t p2p.Token) {
	binary.BigEndian.PutUint32(t[:], uint32(n)+1)
	return t
}

func writeFile(path string, b []byte) error { return os.WriteFile(path, b, 0o600) }

func openTable(t *testing.T, path string) *ReplayTable {
	t.Helper()
	r, err := OpenReplayTable(path, writeFile)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReplayTableRemembersUntilADayAfterExpiry(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen")
	synctest.Test(t, func(t *testing.T) {
		r := openTable(t, path)
		letter := Payload{Token: numberedToken(1), Expires: time.Now().Add(time.Hour)}
		if r.Seen(letter.Token) {
			t.Error("Seen before Add")
		}
		if err := r.Add(letter); err != nil {
			t.Fatal(err)
		}
		if r = openTable(t, path); !r.Seen(letter.Token) {
			t.Error("not Seen after a restart")
		}
		time.Sleep(25*time.Hour - time.Second)
		if err := r.Add(Payload{Token: numberedToken(2), Expires: time.Now()}); err != nil || !r.Seen(letter.Token) {
			t.Errorf("forgotten early, %v", err)
		}
		time.Sleep(time.Second)
		if err := r.Add(Payload{Token: numberedToken(3), Expires: time.Now()}); err != nil || r.Seen(letter.Token) {
			t.Errorf("remembered a day after expiry, %v", err)
		}
		if r = openTable(t, path); r.Seen(letter.Token) || !r.Seen(numberedToken(3)) {
			t.Error("the file differs from the memory")
		}
	})
}

func TestReplayTableIsBounded(t *testing.T) {
	dir := t.TempDir()
	r := openTable(t, filepath.Join(dir, "seen"))
	for i := range maxSeen - 1 {
		r.until[numberedToken(i)] = time.Now().Add(time.Hour)
	}
	if err := r.Add(Payload{Token: numberedToken(maxSeen), Expires: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := r.Add(Payload{Token: numberedToken(maxSeen + 1), Expires: time.Now()}); !errors.Is(err, ErrTooManySeen) {
		t.Errorf("Add to a full table = %v, want ErrTooManySeen", err)
	}
	if again := openTable(t, r.path); len(again.until) != maxSeen {
		t.Errorf("%d tokens after a restart, want %d", len(again.until), maxSeen)
	}
}

func TestReplayTableThatCannotBeWritten(t *testing.T) {
	r := openTable(t, filepath.Join(t.TempDir(), "missing", "seen"))
	if err := r.Add(Payload{Token: adaToken, Expires: time.Now()}); err == nil || r.Seen(adaToken) {
		t.Errorf("Add = %v, Seen = %v, want an error and nothing kept", err, r.Seen(adaToken))
	}
}

func TestDamagedReplayTableIsEmpty(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "garbage": "\xdf\xff\xff\xff\xff", "version 2": "\x81\x01\x02", "huge": string(make([]byte, maxSeenLen+1)),
	} {
		path := filepath.Join(t.TempDir(), "seen")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		r := openTable(t, path)
		if err := r.Add(Payload{Token: adaToken, Expires: time.Now()}); err != nil || len(r.until) != 1 {
			t.Errorf("%s: Add = %v, %d tokens", name, err, len(r.until))
		}
	}
}
