package folder

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A tableRow is one line of a text table: columns with two spaces or more
// between them.
type tableRow struct {
	at  string // file:line
	col []string
}

var columnGap = regexp.MustCompile(`\s{2,}|\t+`)

func readTable(t *testing.T, file string, columns int) []tableRow {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows []tableRow
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		n++
		line := strings.TrimSpace(s.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		line, _, _ = strings.Cut(line, "  # ")
		row := tableRow{fmt.Sprintf("%s:%d", file, n), columnGap.Split(strings.TrimSpace(line), -1)}
		if len(row.col) != columns {
			t.Fatalf("%s: %d columns %q, want %d", row.at, len(row.col), row.col, columns)
		}
		rows = append(rows, row)
	}
	return rows
}

// parseEntry reads an entry: dots of the vector, each with the version that it
// still stands for, if any, then what was ended:
//
//	P2=y:5,Q1=/,R3,~x:4,m1P755
//
// is y by P with mtime 5, a directory by Q, something by R that was ended, the
// ended content x (by a write with number 4), and mode 755, rank 1, by P.
// =?y is a found version, =@t a link to t. - is the entry that says nothing.
func parseEntry(t *testing.T, at, text string) Entry {
	t.Helper()
	var e Entry
	if text == "-" {
		return e
	}
	for part := range strings.SplitSeq(text, ",") {
		head, value, version := strings.Cut(part, "=")
		switch {
		case head[0] == '~':
			content, n, _ := strings.Cut(head[1:], ":")
			parseValue(content) // for its name
			e.W = joinEnded(e.W, []Ended{{prefixOf(contentOf(content)), number(t, at, n)}})
			continue
		case head[0] == 'm':
			bits, err := strconv.ParseUint(head[3:], 8, 32)
			if err != nil {
				t.Fatalf("%s: mode in %q: %v", at, text, err)
			}
			e.M = Mode{Rank: number(t, at, head[1:2]), R: ReplicaID{head[2]}, Bits: uint32(bits)}
			continue
		}
		d := Dot{R: ReplicaID{head[0]}, N: number(t, at, head[1:])}
		e.V = e.V.With(d)
		if version {
			v := parseVersion(t, at, value)
			v.Dot = d
			e.S = append(e.S, v)
		}
	}
	slices.SortFunc(e.S, func(a, b Version) int { return compareDots(a.Dot, b.Dot) })
	return e
}

func parseVersion(t *testing.T, at, text string) Version {
	t.Helper()
	name, mtime, _ := strings.Cut(text, ":")
	name, found := strings.CutPrefix(name, "?")
	v := Version{Found: found}
	if mtime != "" {
		v.MTime = int64(number(t, at, mtime))
	}
	val := parseValue(name)
	v.Kind, v.Size, v.Content, v.Target = val.Kind, val.Size, val.Content, val.Target
	return v
}

var tableNames = map[Hash]string{}

func parseValue(name string) Value {
	target, link := strings.CutPrefix(name, "@")
	switch {
	case name == "-":
		return Value{}
	case name == "/":
		return Value{Kind: Dir}
	case link:
		return Value{Kind: Link, Size: int64(len(target)), Content: contentOf(target), Target: target}
	}
	tableNames[contentOf(name)] = name
	return Value{Kind: File, Size: int64(len(name)), Content: contentOf(name)}
}

func number(t *testing.T, at, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("%s: number %q: %v", at, s, err)
	}
	return n
}

// entryText is what parseEntry reads, without mtimes.
func entryText(e Entry) string {
	var parts []string
	for _, d := range e.V {
		part := fmt.Sprintf("%c%d", d.R[0], d.N)
		for _, v := range e.S {
			if v.Dot.R == d.R {
				part = fmt.Sprintf("%c%d=%s", d.R[0], v.Dot.N, versionText(v))
				if v.Dot.N != d.N {
					part += fmt.Sprintf("(%d)", d.N)
				}
			}
		}
		parts = append(parts, part)
	}
	for _, w := range e.W {
		name := "?"
		for h, n := range tableNames {
			if prefixOf(h) == w.Content {
				name = n
			}
		}
		parts = append(parts, fmt.Sprintf("~%s:%d", name, w.At))
	}
	if e.M != (Mode{}) {
		parts = append(parts, fmt.Sprintf("m%d%c%o", e.M.Rank, e.M.R[0], e.M.Bits))
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ",")
}

func versionText(v Version) string {
	s := valueText(v.value())
	if v.Found {
		s = "?" + s
	}
	return s
}

func valueText(v Value) string {
	switch v.Kind {
	case Nothing:
		return "-"
	case Dir:
		return "/"
	case Link:
		return "@" + v.Target
	}
	return tableNames[v.Content]
}

func TestJoinTable(t *testing.T) {
	for _, row := range readTable(t, "testdata/join.txt", 5) {
		a, b := parseEntry(t, row.at, row.col[0]), parseEntry(t, row.at, row.col[1])
		got := Join(a, b)
		if entryText(got) != row.col[2] {
			t.Errorf("%s: Join(%s, %s) = %s, want %s", row.at, row.col[0], row.col[1], entryText(got), row.col[2])
		}
		if back := Join(b, a); !back.Equal(got) {
			t.Errorf("%s: Join(%s, %s) = %s, the other way round %s", row.at, row.col[0], row.col[1], entryText(got), entryText(back))
		}
		if again := Join(got, b); !again.Equal(got) {
			t.Errorf("%s: joined with %s once more: %s, want %s", row.at, row.col[1], entryText(again), entryText(got))
		}
		checkShown(t, row.at, got, false, row.col[3], row.col[4])
	}
}

func TestViewTable(t *testing.T) {
	for _, row := range readTable(t, "testdata/view.txt", 4) {
		checkShown(t, row.at, parseEntry(t, row.at, row.col[0]), row.col[1] == "live", row.col[2], row.col[3])
	}
}

func checkShown(t *testing.T, at string, e Entry, below bool, shown, kept string) {
	t.Helper()
	if got := versionText(View(e, below)); got != shown {
		t.Errorf("%s: View(%s, %v) = %s, want %s", at, entryText(e), below, got, shown)
	}
	var lost []string
	for _, v := range Losers(e, below) {
		lost = append(lost, versionText(v))
	}
	if got := strings.Join(lost, ","); got != strings.TrimSuffix(kept, "-") {
		t.Errorf("%s: Losers(%s, %v) = %s, want %s", at, entryText(e), below, got, kept)
	}
}

func TestCopyPathTable(t *testing.T) {
	for _, row := range readTable(t, "testdata/copypath.txt", 3) {
		p, want := expand(row.col[0]), expand(row.col[2])
		v := Version{Content: Hash{0xab, 0xcd, 0x01, 0x23}}
		got := string(CopyPath(Path(p), expand(row.col[1]), v))
		if cut := strings.Contains(want, "########"); cut {
			digits := regexp.MustCompile(`[0-9a-f]{8}\)`)
			got = digits.ReplaceAllString(got, "########)")
		}
		if got != want {
			t.Errorf("%s: CopyPath(%q, %q) = %q, want %q", row.at, p, row.col[1], got, want)
		}
		if err := CheckPath(Path(got)); err != nil {
			t.Errorf("%s: CopyPath(%q, %q) = %q: %v", row.at, p, row.col[1], got, err)
		}
	}
}

// expand writes out x*200, and takes spaces from _.
func expand(s string) string {
	s = strings.ReplaceAll(s, "_", " ")
	return regexp.MustCompile(`\{(.+?)\*(\d+)\}`).ReplaceAllStringFunc(s, func(m string) string {
		word, n, _ := strings.Cut(m[1:len(m)-1], "*")
		k, _ := strconv.Atoi(n)
		return strings.Repeat(word, k)
	})
}

func TestLabelTable(t *testing.T) {
	for _, row := range readTable(t, "testdata/label.txt", 2) {
		name, err := strconv.Unquote(row.col[0])
		if err != nil {
			t.Fatalf("%s: %v", row.at, err)
		}
		want, err := strconv.Unquote(row.col[1])
		if err != nil {
			t.Fatalf("%s: %v", row.at, err)
		}
		got := CleanLabel(name)
		if got != want {
			t.Errorf("%s: CleanLabel(%q) = %q, want %q", row.at, name, got, want)
		}
		if again := CleanLabel(got); again != got {
			t.Errorf("%s: CleanLabel(%q) = %q, want it unchanged", row.at, got, again)
		}
	}
}

// tableReplica is P's, which knows a: Base, what was seen, and what Q announced.
func tableReplica(t *testing.T, at, base, seen, announced, flags string) *replica {
	t.Helper()
	role := ReadWrite
	if strings.Contains(flags, "readonly") {
		role = ReadOnly
	}
	r := newReplica(ReplicaRecord{ID: ReplicaID{'P'}, Device: DeviceID{'P'}, Label: "P"}, role, rules{noGuard: true})
	s := saved{LastN: 9, Seq: 9, Fresh: strings.Contains(flags, "fresh")}
	v := parseValue(seen)
	row := Row{Path: "a", Entry: parseEntry(t, at, base), Seen: Seen{v, seenBits(v)}, DiskName: "a", Frozen: strings.Contains(flags, "frozen")}
	if !row.zero() {
		s.Rows = append(s.Rows, row)
	}
	if strings.Contains(flags, "below") {
		s.Rows = append(s.Rows, Row{Path: "a/x", Entry: parseEntry(t, at, "R1=x"), Seen: Seen{parseValue("x"), 0o644}})
	}
	if strings.Contains(flags, "left") {
		s.Rows = append(s.Rows, Row{Path: "a/x", Seen: Seen{parseValue("x"), 0o644}, Frozen: true})
	}
	for i, d := range []DeviceID{{'Q'}, {'R'}} {
		s.Records = append(s.Records, ReplicaRecord{ID: ReplicaID{d[0]}, Device: d, Label: string(d[:1])})
		s.Heads = append(s.Heads, memberHead{Device: d})
		if i == 0 && announced != "-" {
			key := pendingKey{d, ReplicaID{d[0]}, "a"}
			s.Pending = append(s.Pending, pendingRow{pendingKey: key, Entry: parseEntry(t, at, announced), Seq: 1})
		}
	}
	r.load(s)
	r.members([]Member{{Device: DeviceID{'Q'}, Role: ReadWrite}, {Device: DeviceID{'R'}, Role: ReadWrite}})
	if strings.Contains(flags, "copied") {
		for _, c := range r.node("a").copies {
			r.setBase(c.at, Join(c.at.row.Entry, c.entry))
		}
		r.settle()
	}
	return r
}

func seenBits(v Value) uint32 {
	switch v.Kind {
	case Nothing:
		return 0
	case Dir:
		return 0o755
	case Link:
		return 0o777
	}
	return 0o644
}

func TestObserveTable(t *testing.T) {
	for _, row := range readTable(t, "testdata/observe.txt", 7) {
		base, seen, announced, named, disk, flags, want := row.col[0], row.col[1], row.col[2], row.col[3], row.col[4], row.col[5], row.col[6]
		r := tableReplica(t, row.at, base, seen, announced, flags)
		if named != "-" {
			r.setIntent(intent{Path: "a", Target: parseEntry(t, row.at, named)})
		}
		v := parseValue(disk)
		bits := seenBits(v)
		if strings.Contains(flags, "chmod") {
			bits = 0o600
		}
		r.observe(time.UnixMicro(0), []observation{{Path: "a", Seen: Seen{v, bits}, Stat: Stat{Kind: v.Kind}}})
		got, ok := r.row("a")
		if entryText(got.Entry) != want {
			t.Errorf("%s: observe(%s) over Base %s, seen %s, announced %s, intent %s, %s: Base %s, want %s",
				row.at, disk, base, seen, announced, named, flags, entryText(got.Entry), want)
		}
		if ok && got.Seen.Value != v && !got.Frozen {
			t.Errorf("%s: observe(%s): seen %s", row.at, disk, valueText(got.Seen.Value))
		}
	}
}

var opNames = map[opKind]string{opPut: "put", opLink: "link", opMkdir: "mkdir", opChmod: "chmod", opRemove: "remove", opRmdir: "rmdir"}

func TestPlanTable(t *testing.T) {
	for _, row := range readTable(t, "testdata/plan.txt", 6) {
		base, seen, announced, flags, want, after := row.col[0], row.col[1], row.col[2], row.col[3], row.col[4], row.col[5]
		r := tableReplica(t, row.at, base, seen, announced, flags)
		got := "-"
		for _, o := range r.ops(time.UnixMicro(0), 10) {
			if o.Path == "a" {
				got = strings.TrimSuffix(opNames[o.Kind]+" "+valueText(o.Want.value()), " -")
			}
		}
		if got != want {
			t.Errorf("%s: Base %s, seen %s, announced %s, %s: %s, want %s", row.at, base, seen, announced, flags, got, want)
		}
		if e := r.node("a").row.Entry; entryText(e) != after {
			t.Errorf("%s: Base %s, seen %s, announced %s, %s: then Base %s, want %s", row.at, base, seen, announced, flags, entryText(e), after)
		}
	}
}

func TestGuardTable(t *testing.T) {
	for _, row := range readTable(t, "testdata/guard.txt", 4) {
		c := heldChange{
			Of: int(number(t, row.at, row.col[0])), Deleted: int(number(t, row.at, row.col[1])), Overwritten: int(number(t, row.at, row.col[2])),
		}
		if got, want := c.trips(guardFiles), row.col[3] == "asks"; got != want {
			t.Errorf("%s: %d files, %d deleted, %d overwritten: trips(guardFiles) = %v, want %v", row.at, c.Of, c.Deleted, c.Overwritten, got, want)
		}
	}
}

func TestCheckEntryTable(t *testing.T) {
	good := func() Entry {
		return Entry{
			V: Vector{{ReplicaID{1}, 5}, {ReplicaID{2}, 1}},
			S: []Version{{Dot: Dot{ReplicaID{1}, 5}, Kind: File, Size: 3}, {Dot: Dot{ReplicaID{2}, 1}, Kind: Dir}},
		}
	}
	if err := checkEntry(good()); err != nil {
		t.Fatalf("checkEntry(good) = %v", err)
	}
	for want, spoil := range map[string]func(e *Entry){
		"no vector":            func(e *Entry) { *e = Entry{} },
		"vector out of order":  func(e *Entry) { slices.Reverse(e.V) },
		"above 2^62":           func(e *Entry) { e.V[1].N = maxNumber + 1 },
		"does not cover":       func(e *Entry) { e.S[0].Dot.N = 6 },
		"versions out":         func(e *Entry) { slices.Reverse(e.S) },
		"version of kind":      func(e *Entry) { e.S[0].Kind = 9 },
		"negative size":        func(e *Entry) { e.S[0].Size = -1 },
		"directory with":       func(e *Entry) { e.S[1].Size = 1 },
		"not its content":      func(e *Entry) { e.S[0].Kind, e.S[0].Target = Link, "abc" },
		"previous dots":        func(e *Entry) { e.S[0].Prev = make([]Dot, 5) },
		"17 versions":          func(e *Entry) { e.S = make([]Version, 17) },
		"65 replicas":          func(e *Entry) { e.V = make(Vector, 65) },
		"ended contents out":   func(e *Entry) { e.W = []Ended{{Prefix{1}, 2}, {Prefix{1}, 1}} },
		"mode 1000 with":       func(e *Entry) { e.M.Bits = 0o1000 },
		"vector out of order ": func(e *Entry) { e.V[0].N = 0 },
	} {
		e := good()
		spoil(&e)
		if err := checkEntry(e); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("checkEntry = %v, want %q in it", err, want)
		}
	}
}
