package folder

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// IgnoreFile is the path of the file with a folder's own ignore rules. It is
// synced and never ignored.
const IgnoreFile Path = ".foldpostignore"

// Bounds of an [IgnoreFile], which other members write too.
const (
	MaxIgnore      = 256 << 10 // bytes
	MaxIgnoreLines = 4096
	maxIgnoreLine  = MaxPath // bytes; longer ones match no path
)

// An Ignore tells which paths are not synced, by rules in gitignore's syntax:
// the last one that matches counts, "!" takes back, "/" in front or inside
// means "from the root", "/" at the end "directories only", "**" any number of
// directories, and what is below an ignored directory stays ignored. Upper and
// lower case differ. It never changes, so that many goroutines may use it.
//
// It is our own because the modules that read gitignore files take "?", "$"
// and "(" for themselves or for regular expressions, or let "a/b" match
// anywhere: "~$*", an editor's lock file, would be synced.
type Ignore struct {
	rules []ignoreRule
	err   error
}

// ParseIgnore reads the built-in rules and then those of the folder, which may
// take back built-in ones.
func ParseIgnore(defaults, text string) *Ignore {
	ig := &Ignore{}
	ig.err = errors.Join(ig.parse(defaults), ig.parse(text))
	return ig
}

// Err tells which lines have no effect because they are beyond the bounds or
// no pattern.
func (ig *Ignore) Err() error { return ig.err }

// Match is true where p, a directory or not, is not synced because of a rule
// on itself or on a directory it is in.
func (ig *Ignore) Match(p Path, dir bool) bool {
	if p == "" || p == IgnoreFile {
		return false
	}
	for i := range len(p) {
		if p[i] == '/' && ig.matchOne(string(p[:i]), true) {
			return true
		}
	}
	return ig.matchOne(string(p), dir)
}

// NewlyIncluded is true where p was not synced by the old rules and is by the
// new ones.
func NewlyIncluded(old, new *Ignore, p Path, dir bool) bool {
	return old.Match(p, dir) && !new.Match(p, dir)
}

func (ig *Ignore) matchOne(p string, dir bool) bool {
	name := p[strings.LastIndexByte(p, '/')+1:]
	for i := len(ig.rules) - 1; i >= 0; i-- {
		if r := &ig.rules[i]; (dir || !r.dirOnly) && r.match(p, name) {
			return !r.negate
		}
	}
	return false
}

func (ig *Ignore) parse(text string) error {
	var errs []error
	if len(text) > MaxIgnore {
		text = text[:MaxIgnore]
		text = text[:strings.LastIndexByte(text, '\n')+1]
		errs = append(errs, fmt.Errorf("ignore rules: only the first %d bytes count", MaxIgnore))
	}
	n := 0
	for line := range strings.Lines(text) {
		if n++; n > MaxIgnoreLines {
			errs = append(errs, fmt.Errorf("ignore rules: only the first %d lines count", MaxIgnoreLines))
			break
		}
		r, ok, err := parseRule(line)
		if err != nil && len(errs) < 10 { // enough for a person to begin with
			errs = append(errs, fmt.Errorf("ignore rules, line %d: %w", n, err))
		}
		if ok {
			ig.rules = append(ig.rules, r)
		}
	}
	return errors.Join(errs...)
}

// An ignoreRule is one line.
type ignoreRule struct {
	negate  bool
	dirOnly bool
	parts   []glob // of a path from the root; one without anchor matches the last component
	anchor  bool
}

// A glob matches one component.
type glob struct {
	how  globKind
	text string
}

type globKind uint8

const (
	globAny     globKind = iota // "**": any number of components
	globExact                   // text
	globSuffix                  // "*" and text
	globPattern                 // text for path.Match
)

func parseRule(line string) (r ignoreRule, ok bool, err error) {
	line = trimSpaces(strings.TrimRight(line, "\r\n"))
	if line == "" || line[0] == '#' {
		return r, false, nil
	}
	if len(line) > maxIgnoreLine {
		return r, false, fmt.Errorf("longer than %d bytes", maxIgnoreLine)
	}
	if !utf8.ValidString(line) {
		return r, false, errors.New("not UTF-8")
	}
	line = norm.NFC.String(line)
	line, r.negate = strings.CutPrefix(line, "!")
	line, r.dirOnly = strings.CutSuffix(line, "/")
	r.anchor = strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	for part := range strings.SplitSeq(line, "/") {
		g, err := parseGlob(part)
		if err != nil {
			return r, false, err
		}
		r.parts = append(r.parts, g)
	}
	if !r.anchor && r.parts[0].how == globAny {
		r.parts[0] = glob{globSuffix, ""}
	}
	return r, true, nil
}

// trimSpaces takes spaces off the end that no backslash protects.
func trimSpaces(line string) string {
	end := len(line)
	for end > 0 && line[end-1] == ' ' && (end < 2 || line[end-2] != '\\') {
		end--
	}
	return line[:end]
}

func parseGlob(part string) (glob, error) {
	switch {
	case part == "":
		return glob{}, errors.New("nothing between two slashes")
	case part == "**":
		return glob{how: globAny}, nil
	case !strings.ContainsAny(part, `*?[\`):
		return glob{globExact, part}, nil
	case part[0] == '*' && !strings.ContainsAny(part[1:], `*?[\`):
		return glob{globSuffix, part[1:]}, nil
	}
	text, err := toGo(part)
	if err != nil {
		return glob{}, err
	}
	_, err = path.Match(text, "")
	return glob{globPattern, text}, err
}

func (g glob) match(name string) bool {
	switch g.how {
	case globExact:
		return name == g.text
	case globSuffix:
		return strings.HasSuffix(name, g.text)
	case globPattern:
		ok, _ := path.Match(g.text, name) // the pattern was checked
		return ok
	}
	return true
}

func (r *ignoreRule) match(p, name string) bool {
	if !r.anchor {
		return r.parts[0].match(name)
	}
	return matchParts(r.parts, p)
}

// matchParts goes back to the last "**" only: what an earlier one could take
// more, the last one can take as well.
func matchParts(parts []glob, p string) bool {
	var retryParts []glob
	retry, rest, more := "", p, true // more: rest is components still to match
	for {
		if len(parts) > 0 && parts[0].how == globAny {
			if len(parts) == 1 {
				return more // at the end it stands for at least one
			}
			parts = parts[1:]
			retryParts, retry = parts, rest
		}
		if len(parts) == 0 && !more {
			return true
		}
		if len(parts) > 0 && more {
			name, tail, found := strings.Cut(rest, "/")
			if parts[0].match(name) {
				parts, rest, more = parts[1:], tail, found
				continue
			}
		}
		if retryParts == nil {
			return false
		}
		_, tail, found := strings.Cut(retry, "/")
		if !found {
			return false
		}
		retry = tail
		parts, rest, more = retryParts, retry, true
	}
}

// classes are the names that may stand in brackets.
var classes = map[string]string{
	"alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "blank": ` \	`, "digit": "0-9",
	"lower": "a-z", "upper": "A-Z", "xdigit": "0-9a-fA-F", "space": " \t\n\v\f\r",
	"punct": "!-/:-@\\[-`{-~", "print": " -~", "graph": "!-~", "cntrl": "\x01-\x1f\x7f",
}

// toGo rewrites the brackets of a gitignore pattern for [path.Match], which
// has "^" for "!", no names of classes, and no bare "]" or "-" at the ends.
func toGo(part string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(part); i++ {
		switch part[i] {
		case '\\':
			b.WriteByte('\\')
			if i++; i < len(part) {
				b.WriteByte(part[i])
			}
		case '[':
			n, err := bracket(&b, part[i+1:])
			if err != nil {
				return "", err
			}
			i += n
		default:
			b.WriteByte(part[i])
		}
	}
	return b.String(), nil
}

// bracket writes what stands behind a "[", and returns its length.
func bracket(b *strings.Builder, s string) (int, error) {
	i := 0
	b.WriteByte('[')
	if s != "" && (s[0] == '!' || s[0] == '^') {
		b.WriteByte('^')
		i++
	}
	for first := i; i < len(s); {
		if s[i] == ']' && i > first {
			b.WriteByte(']')
			return i + 1, nil
		}
		if name, _, ok := strings.Cut(s[i:], ":]"); ok && strings.HasPrefix(name, "[:") {
			class, known := classes[name[2:]]
			if !known {
				return 0, fmt.Errorf("unknown class %q", name[2:])
			}
			b.WriteString(class)
			i += len(name) + 2
			continue
		}
		n := bracketItem(b, s[i:])
		i += n
		if i+1 < len(s) && s[i] == '-' && s[i+1] != ']' {
			b.WriteByte('-')
			i++
			i += bracketItem(b, s[i:])
		}
	}
	return 0, errors.New("[ without ]")
}

// bracketItem writes one character, and returns its length in s.
func bracketItem(b *strings.Builder, s string) int {
	n := 0
	if s[0] == '\\' && len(s) > 1 {
		s, n = s[1:], 1
	}
	_, size := utf8.DecodeRuneInString(s)
	b.WriteByte('\\')
	b.WriteString(s[:size])
	return n + size
}
