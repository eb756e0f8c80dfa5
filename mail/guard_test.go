package mail

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/emersion/go-imap/v2/imapclient"
)

func TestScannerTakesWhatServersSay(t *testing.T) {
	for _, said := range []string{
		"* OK [CAPABILITY IMAP4rev1 IDLE] ready (really) \"or {5} not\r\n",
		"* PREAUTH\r\n+\r\n+ idling [x\r\n",
		"* OK :-( :-( [\r\n",
		"T1 OK [READ-ONLY] done\r\nT2 NO it's \"broken\r\nT3 BAD {7}\r\n",
		"* 12 EXISTS\r\n* FLAGS (\\Seen)\r\n* FLAGS(\\Seen)\r\n",
		"* LIST (\\HasNoChildren) \"/\" \"a \\\" b \\\\\"\r\n* LIST () NIL {3}\r\na(b\r\n",
		"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (A)] {5}\r\n((((( FLAGS ())\r\n",
		"* 1 FETCH (BODY[] {0}\r\n)\r\n* SEARCH 1 2 3\r\n\r\n\n",
		"* 1 FETCH (BODY[] {1048576} \n" + strings.Repeat("(", 1<<20) + ")\r\n",
		"* 1 FETCH (X " + strings.Repeat("(", maxDepth-1) + strings.Repeat(")", maxDepth) + "\r\n",
	} {
		var s scanner
		if err := s.feed([]byte(said)); err != nil {
			t.Errorf("feed(%.60q): %v", said, err)
		}
		var bytewise scanner
		for i := range said {
			if err := bytewise.feed([]byte{said[i]}); err != nil {
				t.Fatalf("feed(%.60q) byte by byte: %v at %d", said, err, i)
			}
		}
		if s.state != inWords || s.depth != 0 {
			t.Errorf("feed(%.60q) ends in state %d at depth %d, want at the begin of a response", said, s.state, s.depth)
		}
	}
}

func TestScannerRefuses(t *testing.T) {
	for _, said := range []string{
		"* 1 FETCH (X " + strings.Repeat("(", maxDepth),
		"* OK " + strings.Repeat("(", maxDepth+1),
		"* 1 FETCH (A {3}\r\n(((" + strings.Repeat("(", maxDepth),
		"* LIST () \"/\" {1048577}\r\n",
		"* LIST () \"/\" {99999999999999999999999}\r\n",
		"* LIST () \"/\" {-1}\r\n",
		"* LIST () \"/\" {}x",
		"* LIST () \"/\" {5}x",
		"* LIST () \"/\" {5\r\n",
		"* LIST ({700000}\r\n" + strings.Repeat("x", 700000) + " {700000}\r\n",
		"* LIST () \"/\" \"a\r\n",
		"* LIST () \"/\" \"a\\\n",
		"* OK [X\r\n",
		"T1 NO [X (\r\n",
		"* OK " + strings.Repeat("x", maxResponse),
		"* SEARCH" + strings.Repeat(" 1", maxResponse/2),
		strings.Repeat("x", maxResponse+1),
	} {
		var s scanner
		if err := s.feed([]byte(said)); !errors.Is(err, errHostile) {
			t.Errorf("feed(%.60q) of %d bytes: %v, want errHostile", said, len(said), err)
		}
	}
}

// FuzzGuard gives what passes the scanner to the parser behind it: that must
// neither die nor take long.
func FuzzGuard(f *testing.F) {
	f.Add([]byte("* OK ready\r\n* 1 FETCH (UID 1 BODY[] {3}\r\nabc FLAGS (\\Seen))\r\n"))
	f.Add([]byte("* OK [X\r\n* 1 FETCH (BODY[] {1000}\r\n]\r\n* 1 FETCH (BODYSTRUCTURE ((((((\r\n"))
	f.Add([]byte("* OK hi\r\n* LIST (\\Junk) \"/\" \"a\\\"b\"\r\n* SEARCH 1 2\r\n* ESEARCH UID ALL 1:4294967295\r\n+ x\r\n"))
	f.Add([]byte("* OK hi\r\n* 1 FETCH (BODYSTRUCTURE (\"a\" \"b\" NIL NIL NIL \"7BIT\" 3) ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL))\r\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		conn := newGuard(&replay{r: iotest.OneByteReader(strings.NewReader(string(said)))})
		c := imapclient.New(conn, nil)
		<-c.Closed()
		if conn.scan.depth > maxDepth || conn.scan.response > maxResponse+1 {
			t.Errorf("the guard let pass depth %d, %d bytes", conn.scan.depth, conn.scan.response)
		}
		c.Close()
	})
}
