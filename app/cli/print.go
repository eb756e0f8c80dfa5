package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"

	"foldpost/app"
)

// shown returns a name that may be of foreign origin so that it can do nothing
// to a terminal: one line of characters that have ink.
func shown(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, name)
}

// shownText is shown for text of several lines.
func shownText(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = shown(strings.ReplaceAll(strings.TrimSuffix(lines[i], "\r"), "\t", "  "))
	}
	return strings.Join(lines, "\n")
}

// strong is for what matters most, on terminals that want it.
func (s *session) strong(text string) string {
	if !s.outTerm || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return text
	}
	return "\x1b[1m" + text + "\x1b[0m"
}

// A table has columns as wide as they need to be.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer) *table {
	return &table{tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)}
}

// row adds cells, each shown safely.
func (t *table) row(cells ...string) {
	for i := range cells {
		cells[i] = shown(cells[i])
	}
	fmt.Fprintln(t.w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

func (t *table) print() error { return t.w.Flush() }

func size(n int64) string { return humanize.Bytes(uint64(max(0, n))) }

// files says how much a folder or a part of it is.
func files(n int, bytes int64) string {
	if n == 1 {
		return "1 file, " + size(bytes)
	}
	return humanize.Comma(int64(n)) + " files, " + size(bytes)
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+@:", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(int64(n)) + " " + many
}

// day is a time as a person reads it.
func day(t time.Time) string { return t.Local().Format("Mon 2 Jan 2006 15:04") }

// short stands for a thing of which only the id is known.
func short(id string) string { return id[:min(len(id), 8)] }

// deviceName names a device as its user knows it.
func deviceName(st app.State, id app.DeviceID) string {
	for _, d := range st.Devices {
		if d.ID == id {
			return titled(d)
		}
	}
	return short(string(id))
}

func titled(d app.Device) string {
	switch {
	case d.Name == "" && d.Owner == "":
		return short(string(d.ID))
	case d.Name == "":
		return d.Owner
	case d.Owner == "" || d.Owner == d.Name:
		return d.Name
	}
	return d.Name + " (" + d.Owner + ")"
}
