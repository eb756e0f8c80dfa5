package app

import (
	"fmt"
	"strings"
	"time"
)

// Report is a text of findings that may be shown to strangers.
func Report(list []Finding, now time.Time) string {
	out := make([]Finding, len(list))
	for i, f := range list {
		out[i] = f.ForReport()
	}
	return fmt.Sprintf("Report of foldpost doctor, %s\n\n", now.UTC().Format(time.RFC3339)) + ListFindings(out, true)
}

// ListFindings is a text of findings by area: below each what helps, and with
// details what it stems from.
func ListFindings(list []Finding, details bool) string {
	var b strings.Builder
	area := Area("")
	for _, f := range list {
		if f.Area != area {
			if area = f.Area; b.Len() > 0 {
				b.WriteString("\n")
			}
			b.WriteString(areaTitle(area) + "\n")
		}
		mark := "  ok  "
		if !f.OK {
			mark = "  !!  "
		}
		b.WriteString(mark + f.Text + sideText(f) + "\n")
		for _, help := range []string{f.Advice, f.Command} {
			if help != "" {
				b.WriteString("      -> " + help + "\n")
			}
		}
		if details || f.Area == AreaFolder {
			for line := range strings.Lines(f.Detail) {
				b.WriteString("      " + strings.TrimSuffix(line, "\n") + "\n")
			}
		}
	}
	return b.String()
}

func areaTitle(a Area) string {
	switch a {
	case AreaDevice:
		return "This device"
	case AreaNetwork:
		return "Network"
	case AreaNearby:
		return "Nearby"
	case AreaMailbox:
		return "Mailbox"
	case AreaLink:
		return "Devices"
	case AreaFolder:
		return "Folders"
	}
	return string(a)
}

func sideText(f Finding) string {
	if f.OK {
		return ""
	}
	switch f.Side {
	case SideHere:
		return " [this side]"
	case SideThere:
		return " [the other side]"
	case SideNetwork:
		return " [the network]"
	}
	return ""
}
