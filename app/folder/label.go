package folder

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxLabel is in characters.
const maxLabel = 32

// CleanLabel makes a device's name fit for file names: NFC, at most 32
// characters, '-' for what some disk does not allow or no eye sees.
func CleanLabel(name string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '-'
		}
		return r
	}, norm.NFC.String(strings.ToValidUTF8(name, "-")))
	runes := []rune(clean)
	runes = runes[:min(len(runes), maxLabel)]
	for i := 0; i < len(runes) && edge(runes[i]); i++ {
		runes[i] = '-'
	}
	for i := len(runes) - 1; i >= 0 && edge(runes[i]); i-- {
		runes[i] = '-'
	}
	if len(runes) == 0 {
		return "device"
	}
	return string(runes)
}

func edge(r rune) bool { return r == '.' || unicode.IsSpace(r) }
