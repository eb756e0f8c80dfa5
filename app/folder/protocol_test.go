package folder

import (
	"encoding/hex"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"foldpost/p2p/wire"
)

var update = flag.Bool("update", false, "write the golden bytes anew")

// A batch with every field set, as PROTOCOL.md describes it.
func goldenBatch() Batch {
	id := func(b byte) (r ReplicaID) {
		for i := range r {
			r[i] = b
		}
		return r
	}
	file := Version{
		Dot: Dot{id(1), 1_700_000_000_000_000}, Kind: File, Size: 3, Content: Hash{0xaa, 31: 0xbb},
		MTime: -1, Prev: []Dot{{id(2), 7}}, Found: true,
	}
	target := Version{Dot: Dot{id(2), 9}, Kind: Link, Size: 4, Content: hashLink("name"), Target: "name", MTime: 1}
	return Batch{
		Replicas: []ReplicaRecord{{id(1), DeviceID{0x11}, "laptop"}, {id(2), DeviceID{0x22}, "nas"}},
		Rows: []Announced{
			{Path: "d/\u00e4", Seq: 5, Entry: Entry{
				V: Vector{{id(1), 1_700_000_000_000_000}, {id(2), 9}}, S: []Version{file, target},
				M: Mode{Rank: 2, R: id(1), Bits: 0o755}, W: []Ended{{Content: Prefix{1, 2, 3}, At: 8}},
			}},
			{Path: "gone", Seq: 6, Entry: Entry{V: Vector{{id(2), 10}}}},
			{Path: "hidden", Seq: 7, Withdrawn: true},
		},
		Head: &Head{
			Replica: id(1), Seq: 7, Stored: []Ack{{id(2), 4}}, Based: []Ack{{id(2), 3}}, Held: true, Busy: true,
		},
		Replica: id(1),
	}
}

func TestGoldenBatch(t *testing.T) {
	const file = "testdata/batch.hex"
	b, err := wire.Marshal(goldenBatch())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, []byte(hex.EncodeToString(b)+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(b), strings.TrimSpace(string(golden)); got != want {
		t.Errorf("a batch is encoded as %s, want %s", got, want)
	}
	var back Batch
	if err := wire.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(back, goldenBatch()) {
		t.Errorf("Unmarshal(golden) = %+v, %v, want %+v", back, err, goldenBatch())
	}
	if err := checkBatch(back); err != nil {
		t.Errorf("checkBatch(golden) = %v", err)
	}
}
