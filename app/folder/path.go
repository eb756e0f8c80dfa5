package folder

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds of a path in bytes and components. They hold on every system, so that
// what one device shares each other one can at least talk about.
const (
	MaxName  = 255
	MaxPath  = 4096
	MaxDepth = 128
)

// MaxTarget bounds a symlink's target in bytes.
const MaxTarget = 4096

// CheckPath tells why a path must not be taken from a peer or from disk: it is
// not a [Path], longer than the bounds, could leave the root, reaches into
// [OwnDir], or this system can not hold it. The root "" is a path.
func CheckPath(p Path) error {
	if len(p) > MaxPath {
		return fmt.Errorf("path of %d bytes is longer than %d", len(p), MaxPath)
	}
	if p == "" {
		return nil
	}
	if n := 1 + strings.Count(string(p), "/"); n > MaxDepth {
		return fmt.Errorf("path of %d components is deeper than %d", n, MaxDepth)
	}
	first := true
	for name := range strings.SplitSeq(string(p), "/") {
		if err := CheckName(name); err != nil {
			return err
		}
		if first && isOwnShort(name) {
			return fmt.Errorf("%w: the program's own folder", errSystem)
		}
		if first && isOwn(name) {
			return errors.New("the program's own folder")
		}
		first = false
	}
	return nil
}

// CheckName tells why a name must not be one component of a path.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("empty name")
	case name == "." || name == "..":
		return fmt.Errorf("name %q", name)
	case len(name) > MaxName:
		return fmt.Errorf("name of %d bytes is longer than %d", len(name), MaxName)
	case strings.ContainsAny(name, "/\x00"):
		return errors.New("name with a slash or NUL")
	case !utf8.ValidString(name):
		return errors.New("name is not UTF-8")
	case !norm.NFC.IsNormalString(name):
		return errors.New("name is not in Unicode's normal form C")
	}
	if err := checkSystemName(name); err != nil {
		return fmt.Errorf("%w: %w", errSystem, err)
	}
	return nil
}

// errSystem: this system can not hold a name that others can.
var errSystem = errors.New("not possible on this computer")

// Join returns the path of a name in a directory.
func (p Path) Join(name string) Path {
	if p == "" {
		return Path(name)
	}
	return p + "/" + Path(name)
}

// Split returns the directory a path is in and its last component.
func (p Path) Split() (dir Path, name string) {
	if i := strings.LastIndexByte(string(p), '/'); i >= 0 {
		return p[:i], string(p[i+1:])
	}
	return "", string(p)
}

// Below is true where p is in the directory dir at any depth; everything but
// the root itself is below the root.
func (p Path) Below(dir Path) bool {
	if dir == "" {
		return p != ""
	}
	return len(p) > len(dir) && p[:len(dir)] == dir && p[len(dir)] == '/'
}

// isOwn is true where some file system could take a name for OwnDir: upper and
// lower case mean the same on many, and HFS+ passes over characters without
// ink.
func isOwn(name string) bool {
	return strings.EqualFold(strings.Map(dropInkless, name), OwnDir) || isOwnShort(name)
}

func dropInkless(r rune) rune {
	if unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) {
		return -1
	}
	return r
}

// CheckTarget refuses targets of a link p that could lead a program out of the
// root or into [OwnDir]. "..", which could climb through another link, is taken in
// front only: there it starts at p's parent, which is a real directory.
func CheckTarget(p Path, target string) error {
	switch {
	case target == "" || len(target) > MaxTarget:
		return fmt.Errorf("link target of %d bytes", len(target))
	case !utf8.ValidString(target) || strings.ContainsRune(target, 0):
		return errors.New("link target is not UTF-8")
	case target[0] == '/' || isSystemAbsolute(target):
		return errors.New("link to an absolute path")
	}
	depth, down := strings.Count(string(p), "/"), false
	for name := range strings.SplitSeq(target, "/") {
		switch {
		case name == "" || name == ".":
		case name != "..":
			down = true
			if isOwn(name) {
				return errors.New("link into the program's own folder")
			}
		case down || depth == 0:
			return errors.New("link that may leave the folder")
		default:
			depth--
		}
	}
	return nil
}

// plain is true for a name that no other sequence of bytes is equal to in any
// normalization: ASCII less the three characters that others decompose to.
func plain(name string) bool {
	for i := range len(name) {
		if c := name[i]; c >= utf8.RuneSelf || c == 'K' || c == ';' || c == '`' {
			return false
		}
	}
	return true
}
