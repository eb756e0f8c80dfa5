//go:build !nogui && !windows

package desktop

import (
	"os"
	"strings"

	"github.com/rymdport/portal/settings/appearance"
)

// darkPanel guesses whether the panel that the icon stands in is dark: nothing
// tells. GNOME's and Xfce's are, whatever the windows' colours; elsewhere it
// is as these.
func darkPanel() bool {
	desktop := strings.ToLower(os.Getenv("XDG_CURRENT_DESKTOP"))
	for _, dark := range []string{"gnome", "unity", "xfce", "cinnamon", "budgie", "pantheon"} {
		if strings.Contains(desktop, dark) {
			return true
		}
	}
	scheme, err := appearance.GetColorScheme()
	return err == nil && scheme == appearance.Dark
}
