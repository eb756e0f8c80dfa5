package folder

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func storeConfig(file string) Config {
	return Config{StorePath: file, Machine: "m1", Label: "laptop", Device: DeviceID{7}}
}

func openedStore(t *testing.T, c Config) *store {
	t.Helper()
	s, err := openStore(c)
	if err != nil {
		t.Fatalf("openStore(%s): %v", c.StorePath, err)
	}
	return s
}

func rowsOf(t *testing.T, s *store) map[Path]Row {
	t.Helper()
	v, err := s.load()
	if err != nil {
		t.Fatal(err)
	}
	got := map[Path]Row{}
	for _, r := range v.Rows {
		got[r.Path] = r
	}
	return got
}

func saveRow(t *testing.T, s *store, r Row) {
	t.Helper()
	if err := s.write(func() error { return s.save(changeSet{Rows: []Row{r}}) }); err != nil {
		t.Fatal(err)
	}
}

func sampleRow() Row {
	return Row{
		Path: "d/a b", DiskName: "a b", Seq: 9, Frozen: true,
		Entry: Entry{
			V: Vector{{R: ReplicaID{1}, N: 5}},
			S: []Version{{Dot: Dot{R: ReplicaID{1}, N: 5}, Kind: File, Size: 3, Content: Hash{4}, MTime: -1, Prev: []Dot{{R: ReplicaID{2}, N: 1}}}},
			W: []Ended{{Content: Prefix{8}, At: 5}},
		},
		Seen: Seen{Value: Value{Kind: File, Size: 3, Content: Hash{4}}, Bits: 0o644},
		Stat: Stat{Kind: File, Size: 3, MTime: 10, CTime: 11, Dev: 1 << 63, Ino: 13, Bits: 0o644, NLink: 1},
	}
}

func TestStoreKeepsRows(t *testing.T) {
	c := storeConfig(filepath.Join(t.TempDir(), "in de?x#%", "f.db"))
	s := openedStore(t, c)
	if s.fresh == "" {
		t.Errorf("openStore(new file).fresh = %q, want a reason", s.fresh)
	}
	want := sampleRow()
	saveRow(t, s, want)
	self := s.self
	if err := s.abandon(); err != nil { // as kill -9 leaves it
		t.Fatal(err)
	}

	s = openedStore(t, c)
	defer s.Close()
	if s.fresh != "" || s.self != self {
		t.Errorf("openStore(same file) = %v, fresh %q, want %v to go on", s.self, s.fresh, self)
	}
	if got := rowsOf(t, s)[want.Path]; !reflect.DeepEqual(got, want) {
		t.Errorf("rows() = %+v, want %+v", got, want)
	}
}

func TestStoreKeepsTheRest(t *testing.T) {
	c := storeConfig(filepath.Join(t.TempDir(), "f.db"))
	s := openedStore(t, c)
	want := saved{
		Pending: []pendingRow{{pendingKey: pendingKey{DeviceID{1}, ReplicaID{2}, "p/q"}, Entry: sampleRow().Entry, Seq: 4}},
		Records: []ReplicaRecord{{ID: ReplicaID{2}, Device: DeviceID{1}, Label: "nas"}},
		Intents: []intent{{Path: "i", Target: sampleRow().Entry, DiskName: "i"}},
		Heads:   []memberHead{{Device: DeviceID{1}, Cursor: Cursor{ReplicaID{2}, 8}, Has: 3, Held: true}},
		Seq:     1 << 40, LastN: 1 << 50,
	}
	err := s.write(func() error {
		return s.save(changeSet{Pending: want.Pending, Records: want.Records, Intents: want.Intents, Heads: want.Heads, Seq: want.Seq, LastN: want.LastN})
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.load(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("load() = %+v, %v, want %+v", got, err, want)
	}
	drop := changeSet{DropPending: []pendingKey{want.Pending[0].pendingKey}, DropIntents: []Path{"i"}, DropHeads: []DeviceID{{1}}, Fresh: true}
	if err := s.write(func() error { return s.save(drop) }); err != nil {
		t.Fatal(err)
	}
	want = saved{Records: want.Records, Fresh: true}
	if got, err := s.load(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("load() after dropping = %+v, %v, want %+v", got, err, want)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestStoreIsRenewed(t *testing.T) {
	copyOf := func(t *testing.T, from, to string) {
		t.Helper()
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		known int // rows of which the disk's state is still known
		harm  func(t *testing.T, c *Config)
	}{
		{"another machine", 1, func(t *testing.T, c *Config) { c.Machine = "m2" }},
		{"copied state directory", 1, func(t *testing.T, c *Config) {
			to := filepath.Join(t.TempDir(), "copy.db")
			copyOf(t, c.StorePath, to)
			c.StorePath = to
		}},
		{"restored from a backup", 1, func(t *testing.T, c *Config) {
			copyOf(t, c.StorePath, c.StorePath+".backup")
			if err := os.Rename(c.StorePath+".backup", c.StorePath); err != nil {
				t.Fatal(err)
			}
		}},
		{"overwritten with something else", 0, func(t *testing.T, c *Config) {
			if err := os.WriteFile(c.StorePath, []byte("this is certainly not a database, as its first bytes say"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"deleted", 0, func(t *testing.T, c *Config) {
			if err := os.Remove(c.StorePath); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := storeConfig(filepath.Join(t.TempDir(), "f.db"))
			s := openedStore(t, c)
			saveRow(t, s, sampleRow())
			self := s.self
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}

			test.harm(t, &c)
			s = openedStore(t, c)
			defer s.Close()
			if s.fresh == "" || s.self.ID == self.ID || len(rowsOf(t, s)) > 0 {
				t.Errorf("openStore() = %v, fresh %q, %d rows, want a new id and no rows", s.self, s.fresh, len(rowsOf(t, s)))
			}
			known := 0
			if err := s.known(func(r Row) { known++ }); err != nil || known != test.known {
				t.Errorf("known() gives %d rows, %v, want %d", known, err, test.known)
			}
		})
	}
}

func TestStoreRefuses(t *testing.T) {
	c := storeConfig(filepath.Join(t.TempDir(), "f.db"))
	s := openedStore(t, c)
	if second, err := openStore(c); err == nil {
		second.abandon()
		t.Error("openStore(file in use) succeeds, want an error")
	}
	if err := s.write(func() error { return s.setMeta("schema", storeSchema+1) }); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if newer, err := openStore(c); err == nil {
		newer.abandon()
		t.Error("openStore(file of a newer version) succeeds, want an error")
	}
}
