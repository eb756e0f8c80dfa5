package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"text/tabwriter"
	"time"

	"foldpost/app"
	"foldpost/app/node"
)

// What the figures are about.
const (
	benchLarge = 256 << 20
	benchFiles = 10_000
	benchSmall = 4 << 10
	benchSaves = 20
)

// BenchmarkNodes measures two whole nodes on real disks that are linked over
// loopback, and in the same run what this machine does without them, because
// the figures of a machine that others use say something only beside those.
func BenchmarkNodes(b *testing.B) {
	var t benchTable
	b.Run("large", func(b *testing.B) { benchmarkLarge(b, &t) })
	b.Run("small", func(b *testing.B) { benchmarkSmall(b, &t) })
	b.Run("save", func(b *testing.B) { benchmarkSave(b, &t) })
	fmt.Printf("\n%s\n", t.String())
}

// benchTable has a row for each pair of a figure and a limit.
type benchTable [][5]string

// rate adds a figure of which more is better, time one of which less is. The
// ratio is always figure by limit.
func (t *benchTable) rate(name string, figure float64, unit, limit string, most float64) {
	*t = append(*t, [5]string{name, fmt.Sprintf("%.0f %s", figure, unit), limit, fmt.Sprintf("%.0f %s", most, unit), fmt.Sprintf("%.2f", figure/most)})
}

func (t *benchTable) time(name string, figure time.Duration, limit string, least time.Duration) {
	*t = append(*t, [5]string{name, short(figure), limit, short(least), fmt.Sprintf("%.1f", float64(figure)/float64(least))})
}

// alone adds a figure that nothing limits.
func (t *benchTable) alone(name, figure, note string) {
	*t = append(*t, [5]string{name, figure, note, "", ""})
}

func short(d time.Duration) string {
	if d > time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

func (t *benchTable) String() string {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\tfigure\tbeside\tlimit\tratio")
	for _, r := range *t {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r[0], r[1], r[2], r[3], r[4])
	}
	w.Flush()
	return b.String()
}

// benchmarkLarge is one file, from Join until its owner knows it to be there.
func benchmarkLarge(b *testing.B, t *benchTable) {
	ada, bob := benchPair(b)
	dir := b.TempDir()
	content := randomBytes(1, benchLarge)
	benchMust(b, os.WriteFile(filepath.Join(dir, "large"), content, 0o600))
	began := time.Now()
	f := ada.share(dir, bob)
	perSecond := func(d time.Duration) float64 { return benchLarge / 1e6 / d.Seconds() }
	t.rate("256 MiB file: index", perSecond(time.Since(began)), "MB/s", "read", perSecond(limitRead(b, filepath.Join(dir, "large"))))
	took := bob.join(ada, f, 1)
	b.ReportMetric(perSecond(took), "MB/s")
	quic := limitQUIC(b, content)
	t.rate("256 MiB file: join to confirmed", perSecond(took), "MB/s", "QUIC stream", perSecond(quic))
	t.rate("", perSecond(took), "MB/s", "write, fsync", perSecond(limitWrite(b, content)))
}

// benchmarkSmall is a tree of small files: taken over, connected again
// unchanged, and what both nodes need for it in memory.
func benchmarkSmall(b *testing.B, t *benchTable) {
	ada, bob := benchPair(b)
	before := heap()
	dir := filepath.Join(b.TempDir(), "tree")
	plantSmall(b, dir, 1)
	perSecond := func(d time.Duration) float64 { return benchFiles / d.Seconds() }
	began := time.Now()
	f := ada.share(dir, bob)
	t.rate("10,000 files of 4 KiB: index", perSecond(time.Since(began)), "files/s", "walk, read", perSecond(limitReadAll(b, dir)))
	took := bob.join(ada, f, benchFiles)
	b.ReportMetric(perSecond(took), "files/s")
	name, copied := limitCopy(b, dir)
	t.rate("10,000 files: join to confirmed", perSecond(took), "files/s", name, perSecond(copied))
	t.rate("", perSecond(took), "files/s", "write, one sync", perSecond(limitSmallWrites(b)))
	t.alone("10,000 files: heap per node", fmt.Sprintf("%.1f MB", float64(heap()-before)/2e6),
		fmt.Sprintf("%.0f bytes per file", float64(heap()-before)/2/benchFiles))

	fresh := filepath.Join(dir, "more")
	began = time.Now()
	plantSmall(b, fresh, 2)
	planted := time.Since(began)
	ada.confirmed(bob, f, 2*benchFiles)
	t.time("10,000 files written while linked", time.Since(began), "writing them", planted)
	benchmarkReconnect(b, t, ada, bob, f, dir)
}

func benchmarkReconnect(b *testing.B, t *benchTable, ada, bob *computer, f app.FolderID, dir string) {
	bob.end()
	ada.until("alone", func(s app.State) bool { return !connected(s) })
	b.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true") // of a socket that it can not configure
	wire := &counting{PacketConn: udpSocket(b)}
	began := time.Now()
	bob.start(node.Config{Conns: []net.PacketConn{wire}})
	ada.until("connected", connected)
	bob.idle(f)
	ada.confirmed(bob, f, 2*benchFiles)
	took, sent := time.Since(began), wire.bytes.Load()
	handshake, packets := limitHandshake(b)
	t.time("20,000 unchanged: start to confirmed", took, "look at each", limitStat(b, dir)+handshake)
	t.rate("20,000 unchanged: on the wire", float64(sent), "bytes", "QUIC handshake", float64(packets))
}

// benchmarkSave is a small file saved here until it is seen there.
func benchmarkSave(b *testing.B, t *benchTable) {
	ada, bob := benchPair(b)
	dir := b.TempDir()
	f := ada.share(dir, bob)
	bob.join(ada, f, 0)
	var took []time.Duration
	for i := range benchSaves {
		name := fmt.Sprintf("file %d", i)
		began := time.Now()
		benchMust(b, os.WriteFile(filepath.Join(dir, name), randomBytes(byte(i), benchSmall), 0o600))
		appears(b, filepath.Join(bob.files, name))
		took = append(took, time.Since(began))
		ada.confirmed(bob, f, i+1)
	}
	slices.Sort(took)
	rtt := limitRTT(b)
	b.ReportMetric(took[benchSaves/2].Seconds()*1000, "ms")
	t.time("saved to seen, median of 20", took[benchSaves/2], "100 ms of quiet + 2 RTT", 100*time.Millisecond+2*rtt)
	t.time("saved to seen, longest of 20", took[benchSaves-1], "", 100*time.Millisecond+2*rtt)
}

// appears waits in small steps: what would tell of the file is what is
// measured.
func appears(b *testing.B, path string) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for {
		if _, err := os.Lstat(path); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			b.Fatalf("%s did not come within a minute", path)
		}
	}
}

// heap is what is in use after everything else was thrown away.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A computer is a node on loopback with a real disk.
type computer struct {
	*node.Node
	b     *testing.B
	home  string
	files string // where it joins a folder
	end   func()
}

func newComputer(b *testing.B) *computer {
	c := &computer{b: b, home: b.TempDir(), files: filepath.Join(b.TempDir(), "files")}
	c.start(node.Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}})
	b.Cleanup(func() { c.end() })
	return c
}

func (c *computer) start(cfg node.Config) {
	cfg.Home, cfg.Version = c.home, "bench"
	n, err := node.New(cfg)
	benchMust(c.b, err)
	c.Node = n
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	c.end = func() {
		cancel()
		if err := <-ended; err != nil {
			c.b.Errorf("Run = %v", err)
		}
		c.end = func() {}
	}
}

// benchPair makes two computers that are paired by a link.
func benchPair(b *testing.B) (ada, bob *computer) {
	ada, bob = newComputer(b), newComputer(b)
	inv, err := ada.Invite(b.Context(), app.InviteRequest{})
	benchMust(b, err)
	_, err = bob.Accept(b.Context(), app.AcceptRequest{Input: inv.Link})
	benchMust(b, err)
	ada.until("asked", func(s app.State) bool {
		i := slices.IndexFunc(s.Questions, func(q app.Question) bool { return q.Kind == app.AskPairing })
		if i >= 0 {
			benchMust(b, ada.Answer(b.Context(), s.Questions[i].ID, app.ChoiceYes))
		}
		return i >= 0
	})
	ada.until("connected", connected)
	bob.until("connected", connected)
	return ada, bob
}

// share offers a directory to another computer and returns when it is indexed.
func (c *computer) share(dir string, with *computer) app.FolderID {
	s, err := c.Share(c.b.Context(), app.ShareRequest{Dir: dir, Devices: []app.DeviceID{with.State().Device.ID}})
	benchMust(c.b, err)
	c.until("indexed", func(st app.State) bool {
		i := slices.IndexFunc(st.Folders, func(f app.Folder) bool { return f.ID == s.Folder })
		return i >= 0 && st.Folders[i].State != app.FolderScanning
	})
	return s.Folder
}

// join keeps the folder here and returns how long it took until its owner knew
// that everything is here.
func (c *computer) join(owner *computer, f app.FolderID, files int) time.Duration {
	c.until("offered", func(s app.State) bool { return len(s.Offers) > 0 })
	benchMust(c.b, os.MkdirAll(c.files, 0o700))
	began := time.Now()
	benchMust(c.b, c.Join(c.b.Context(), f, c.files))
	owner.confirmed(c, f, files)
	return time.Since(began)
}

// confirmed waits until a folder has so many files, this side knows that the
// other has them, and the other wants nothing more.
func (c *computer) confirmed(other *computer, f app.FolderID, files int) {
	c.until("confirmed", func(s app.State) bool {
		i := slices.IndexFunc(s.Folders, func(have app.Folder) bool { return have.ID == f })
		return i >= 0 && s.Folders[i].Files == files && s.Folders[i].Members[0].HasAll
	})
	other.idle(f)
}

func (c *computer) idle(f app.FolderID) {
	c.until("idle", func(s app.State) bool {
		i := slices.IndexFunc(s.Folders, func(have app.Folder) bool { return have.ID == f })
		return connected(s) && i >= 0 && s.Folders[i].State == app.FolderIdle
	})
}

func (c *computer) until(what string, ok func(app.State) bool) {
	ctx, cancel := context.WithTimeout(c.b.Context(), 3*time.Minute)
	defer cancel()
	var last app.State
	for s := range c.Watch(ctx) {
		if last = s; ok(s) {
			return
		}
	}
	c.b.Fatalf("%s: not within 3 minutes; state %+v", what, last)
}

func benchMust(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
