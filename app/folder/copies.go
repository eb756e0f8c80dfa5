package folder

import (
	"encoding/binary"
	"encoding/hex"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/zeebo/blake3"

	"foldpost/p2p/wire"
)

// maxSuffix bounds what still counts as a file's extension, in bytes.
const maxSuffix = 32

// birthLabel stands for the device in the name of a copy of a copy, whose
// version nobody wrote.
const birthLabel = "copy"

// birthDot is the dot of the conflict copy of a version of p: the same on each
// replica, unlike any other write.
func birthDot(p Path, d Dot) Dot {
	h := blake3.New()
	_, _ = h.WriteString(wire.Name + "-copy/1")
	_, _ = h.WriteString("\x00" + string(p) + "\x00")
	_, _ = h.Write(d.R[:])
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, d.N))
	var id ReplicaID
	copy(id[:], h.Sum(nil))
	return Dot{R: id, N: 1}
}

// birth is the entry of a conflict copy before anybody touched it.
func birth(p Path, loser Version) Entry {
	loser.Dot = birthDot(p, loser.Dot)
	loser.Found = false
	loser.Prev = nil
	return Entry{V: Vector{loser.Dot}, S: []Version{loser}}
}

// CopyPath is where a version of p that is not shown is kept. label is that of
// the replica which wrote it.
func CopyPath(p Path, label string, loser Version) Path {
	return beside(p, "conflict", label, loser)
}

// KeptPath is where an edit goes that was written into a file of p after sync
// had replaced it.
func KeptPath(p Path, label string, content Hash) Path {
	return beside(p, "kept", label, Version{Content: content})
}

func beside(p Path, word, label string, v Version) Path {
	dir, name := path.Split(string(p))
	dir = awayFromGit(dir)
	stem, ext := splitExt(name)
	room := min(MaxName, MaxPath-len(dir))
	suffix := func(h []byte) string {
		return " (" + word + " " + label + " " + hex.EncodeToString(h[:4]) + ")" + ext
	}
	end := suffix(v.Content[:])
	if len(stem)+len(end) > room {
		// A cut name may be the name of another path, or of this one: take
		// the digits from where it comes from.
		origin := birthDot(p, v.Dot)
		sum := blake3.Sum256(append(origin.R[:], v.Content[:]...))
		end = suffix(sum[:])
		stem = cutTo(stem, max(room-len(end), 0))
	}
	return Path(dir + stem + end)
}

// awayFromGit keeps copies out of a repository, which takes each file below
// refs for a branch.
func awayFromGit(dir string) string {
	parts := strings.Split(dir, "/")
	for i, c := range parts {
		if c == ".git" {
			parts[i] = ".git (conflict)"
		}
	}
	return strings.Join(parts, "/")
}

// splitExt splits off ".ext" where there is a stem before it.
func splitExt(name string) (stem, ext string) {
	i := strings.LastIndexByte(name, '.')
	if i <= 0 || len(name)-i > maxSuffix || strings.Trim(name[:i], ".") == "" {
		return name, ""
	}
	return name[:i], name[i:]
}

func cutTo(s string, n int) string {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
