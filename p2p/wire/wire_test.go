package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

type inner struct {
	A uint64 `wire:"1"`
	B string `wire:"2"`
}

type all struct {
	Flag  bool      `wire:"1"`
	Int   int64     `wire:"2"`
	Uint  uint32    `wire:"3"`
	Text  string    `wire:"4"`
	Bytes []byte    `wire:"5"`
	Key   [4]byte   `wire:"6"`
	In    inner     `wire:"7"`
	Ptr   *inner    `wire:"8"`
	List  []inner   `wire:"9,max=3"`
	Keys  [][4]byte `wire:"10"`
	Local string    // does not travel
}

type row struct {
	_    struct{} `wire:"array"`
	Type uint64   `wire:"0"`
	Tok  [4]byte  `wire:"1"`
	Name string   `wire:"2"`
}

var full = all{
	Flag: true, Int: -5, Uint: 1 << 31, Text: "ä", Bytes: []byte{1, 2}, Key: [4]byte{9}, In: inner{A: 1},
	Ptr: &inner{B: "x"}, List: []inner{{A: 1}, {B: "b"}}, Keys: [][4]byte{{1}, {2}},
}

func TestRoundTrip(t *testing.T) {
	b, err := Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	var got all
	if err := Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, full) {
		t.Errorf("Unmarshal(Marshal(v)) = %+v, want %+v", got, full)
	}
}

func TestGoldenBytes(t *testing.T) {
	for _, tt := range []struct {
		v    any
		want string
	}{
		{inner{}, "80"},
		{inner{A: 7, B: "hi"}, "82" + "0107" + "02a26869"},
		{row{Type: 3, Tok: [4]byte{1, 2, 3, 4}, Name: "a"}, "93" + "03" + "c40401020304" + "a161"},
	} {
		b, err := Marshal(tt.v)
		if err != nil || hex.EncodeToString(b) != tt.want {
			t.Errorf("Marshal(%+v) = %x, %v, want %s", tt.v, b, err, tt.want)
		}
	}
}

func TestUnknownKeysAndElementsAreIgnored(t *testing.T) {
	var in inner
	if err := Unmarshal(unhex(t, "83"+"0107"+"63"+"9301a16102"+"02a26869"), &in); err != nil || in != (inner{7, "hi"}) {
		t.Errorf("got %+v, %v", in, err)
	}
	var r row
	if err := Unmarshal(unhex(t, "94"+"03"+"c40401020304"+"a161"+"9101"), &r); err != nil || r.Name != "a" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":             {},
		"array of 4 billion":  unhex(t, "ddffffffff"),
		"map of 4 billion":    unhex(t, "dfffffffff"),
		"string longer":       unhex(t, "db7fffffff41"),
		"two values":          unhex(t, "c0c0"),
		"cut header":          unhex(t, "cd01"),
		"extension":           unhex(t, "d40102"),
		"unused type":         unhex(t, "c1"),
		"nested":              bytes.Repeat([]byte{0x91}, 4_000_000),
		"nested just too far": append(bytes.Repeat([]byte{0x91}, MaxDepth+1), 0xc0),
	} {
		if err := Check(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("Check(%s) = %v, want ErrMalformed", name, err)
		}
	}
	if err := Check(append(bytes.Repeat([]byte{0x91}, MaxDepth), 0xc0)); err != nil {
		t.Errorf("Check(depth %d) = %v", MaxDepth, err)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	for name, hexed := range map[string]string{
		"list too long":        "81" + "09" + "9480808080",
		"wrong size of key":    "81" + "06" + "c40101",
		"negative for uint":    "81" + "03" + "ff",
		"too large for uint32": "81" + "03" + "cf0000000100000000",
		"float for int":        "81" + "02" + "cb3ff0000000000000",
		"text not UTF-8":       "81" + "04" + "a1ff",
		"string key":           "81" + "a161" + "01",
		"array for a map":      "90",
		"map for bytes":        "81" + "05" + "80",
	} {
		var v all
		if err := Unmarshal(unhex(t, hexed), &v); !errors.Is(err, ErrMismatch) {
			t.Errorf("Unmarshal(%s) = %v, want ErrMismatch", name, err)
		}
	}
}

func TestReadRefusesFourGiBOfFiveBytes(t *testing.T) {
	r := strings.NewReader("\xff\xff\xff\xff\x00")
	if _, err := ReadRaw(r, MaxIndex); !errors.Is(err, ErrTooLarge) {
		t.Errorf("ReadRaw = %v, want ErrTooLarge", err)
	}
}

func TestReadTellsAnEndFromACut(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want error
	}{
		{"", io.EOF},
		{"\x00\x00", io.ErrUnexpectedEOF},
		{"\x00\x00\x00\x02\x90", io.ErrUnexpectedEOF},
	} {
		if _, err := ReadRaw(strings.NewReader(tt.in), MaxControl); !errors.Is(err, tt.want) {
			t.Errorf("ReadRaw(%q) = %v, want %v", tt.in, err, tt.want)
		}
	}
}

func TestFrames(t *testing.T) {
	var buf bytes.Buffer
	if err := Write(&buf, MaxControl, full); err != nil {
		t.Fatal(err)
	}
	var got all
	if err := Read(&buf, MaxControl, &got); err != nil || !reflect.DeepEqual(got, full) {
		t.Errorf("Read = %+v, %v", got, err)
	}
	if err := Write(io.Discard, 3, full); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Write beyond the limit = %v, want ErrTooLarge", err)
	}
}

func FuzzUnmarshal(f *testing.F) {
	b, _ := Marshal(full)
	f.Add(b)
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var v all
		if Unmarshal(b, &v) != nil {
			return
		}
		again, err := Marshal(v)
		if err != nil {
			t.Fatalf("Marshal of what decoded: %v", err)
		}
		var w all
		if err := Unmarshal(again, &w); err != nil {
			t.Fatalf("Unmarshal of what we encoded: %v", err)
		}
	})
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
