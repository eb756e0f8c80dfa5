package folder

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// checkSystemName refuses what Windows reads as something else: separators,
// streams, devices, and names whose end it drops.
func checkSystemName(name string) error {
	if i := strings.IndexAny(name, `\:*?"<>|`); i >= 0 {
		return fmt.Errorf("name with %q, which Windows does not allow", name[i])
	}
	for _, c := range []byte(name) {
		if c < ' ' {
			return errors.New("name with a control character, which Windows does not allow")
		}
	}
	if strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return errors.New("name that ends in a dot or space, which Windows drops")
	}
	if !filepath.IsLocal(name) {
		return errors.New("name that Windows uses for a device")
	}
	return nil
}

// isOwnShort is true for the names in 8.3 form that a volume may have made for
// OwnDir: FOLDPO~1, or FO and a hash where many names are alike.
func isOwnShort(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	stem, number, ok := strings.Cut(base, "~")
	return ok && number != "" && len(stem) <= 6 && len(stem) >= 2 && strings.EqualFold(stem[:2], "FO")
}

func isSystemAbsolute(target string) bool {
	return strings.ContainsAny(target, `\:`)
}
