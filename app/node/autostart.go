package node

import (
	"fmt"
	"os"
	"strings"
)

// An Autostart is what the system starts when this user logs in.
type Autostart interface {
	On() (bool, error)
	Set(on bool) error
}

// SystemAutostart has this system start the running program with args.
func SystemAutostart(args ...string) Autostart { return systemAutostart{args} }

type systemAutostart struct{ args []string }

// program is the path of what runs now.
func program() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	return path, nil
}

// desktopEntry is an entry of an XDG autostart directory (Desktop Entry
// Specification 1.5).
func desktopEntry(program string, args []string) string {
	words := []string{desktopQuoted(program)}
	for _, a := range args {
		words = append(words, desktopQuoted(a))
	}
	return "[Desktop Entry]\nType=Application\nVersion=1.0\nName=Foldpost\nIcon=foldpost\n" +
		"Exec=" + strings.Join(words, " ") + "\nTerminal=false\nX-GNOME-Autostart-enabled=true\n"
}

// desktopQuoted is a word of an Exec key: quoted once for the command line, and
// once more as a string value.
func desktopQuoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+=:,@", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	word = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`).Replace(word)
	word = strings.NewReplacer(`\`, `\\`, "%", "%%", "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(word)
	return `"` + word + `"`
}

// entryIsOn tells whether an entry is started: people and desktops switch
// entries off in place.
func entryIsOn(entry string) bool {
	for line := range strings.Lines(entry) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch strings.TrimSpace(name) + "=" + strings.ToLower(strings.TrimSpace(value)) {
		case "Hidden=true", "X-GNOME-Autostart-enabled=false":
			return false
		}
	}
	return true
}
