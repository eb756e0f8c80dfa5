package app

import (
	"maps"
	"net/netip"
	"regexp"
	"strings"
)

// A Finding is one thing that the doctor looked at: how it is, on whose side
// it fails, and what helps. Addresses in it are shortened.
type Finding struct {
	Area   Area   `json:"area"`
	Reason Reason `json:"reason"`
	OK     bool   `json:"ok"`
	Side   Side   `json:"side,omitempty"`
	Text   string `json:"text"`
	Advice string `json:"advice,omitempty"`
	// Command goes with the advice, for who types.
	Command string   `json:"command,omitempty"`
	Detail  string   `json:"detail,omitempty"` // lines for who is asked for them; no names
	Device  DeviceID `json:"device,omitempty"`
	Folder  FolderID `json:"folder,omitempty"`

	// Values are what Text and Advice name, for who words them anew.
	Values map[string]string `json:"values,omitempty"`
}

// An Area is what a Finding is about.
type Area string

// The areas, in the order in which the doctor lists them.
const (
	AreaDevice  Area = "device"
	AreaNetwork Area = "network"
	AreaNearby  Area = "nearby"
	AreaMailbox Area = "mailbox"
	AreaLink    Area = "link"
	AreaFolder  Area = "folder"
)

// A Side is where something fails; "" where nobody can tell, or nothing fails.
type Side string

// The sides.
const (
	SideHere    Side = "here"
	SideThere   Side = "there"
	SideNetwork Side = "network" // between the two
)

// Keys of Values that a report does not show as they are.
const (
	valueName    = "Name"    // of a device
	valueThrough = "Through" // of another one
	valueFolder  = "Folder"  // of a folder
)

// Found makes a finding for a reason, with pairs of name and value for what
// its texts name.
func Found(r Reason, pairs ...string) Finding {
	w := wordings[r]
	f := Finding{Area: w.Area, Reason: r, OK: w.OK, Side: w.Side}
	for i := 0; i+1 < len(pairs); i += 2 {
		if f.Values == nil {
			f.Values = map[string]string{}
		}
		f.Values[pairs[i]] = pairs[i+1]
	}
	f.word()
	return f
}

// word writes the texts.
func (f *Finding) word() {
	w := wordings[f.Reason]
	var pairs []string
	for k, v := range f.Values {
		pairs = append(pairs, "{{."+k+"}}", v)
	}
	r := strings.NewReplacer(pairs...)
	f.Text, f.Advice, f.Command = r.Replace(w.Text), r.Replace(w.Advice), w.Command
}

// ForReport is the finding as it may be shown to strangers: devices and
// folders are named by the beginnings of their ids, mail addresses have lost
// the part before the @, and nothing is left of what names files.
func (f Finding) ForReport() Finding {
	f.Values = maps.Clone(f.Values)
	for k, v := range f.Values {
		switch k {
		case valueName:
			f.Values[k] = "device " + string(f.Device[:min(8, len(f.Device))])
		case valueThrough:
			f.Values[k] = "a third device"
		case valueFolder:
			f.Values[k] = string(f.Folder[:min(8, len(f.Folder))])
		default:
			f.Values[k] = ShortAddrs(v)
		}
	}
	f.word()
	if f.Detail = ShortAddrs(f.Detail); f.Area == AreaFolder {
		f.Detail = "" // what the system said of files
	}
	return f
}

var (
	mailAddresses = regexp.MustCompile(`[^\s<>"'(,;]+@`)
	addressWords  = regexp.MustCompile(`[0-9A-Fa-f:.\[\]%]{3,}[0-9A-Za-z]*`)
)

// ShortAddrs shortens all addresses in a text, of computers and of mail.
func ShortAddrs(text string) string {
	text = mailAddresses.ReplaceAllString(text, "…@")
	return addressWords.ReplaceAllStringFunc(text, func(word string) string {
		if a, err := netip.ParseAddrPort(word); err == nil {
			return ShortAddr(a.Addr())
		}
		core := strings.Trim(word, "[].:")
		if a, err := netip.ParseAddr(core); err == nil {
			return strings.Replace(word, core, ShortAddr(a), 1)
		}
		return word
	})
}

// ShortAddr is an address without the part that tells one household from the
// next: "203.0.x.x", "2001:db8:…". What is not unique in the world stays.
func ShortAddr(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	switch {
	case a.IsLoopback() || a.IsUnspecified():
		return a.String()
	case a.Is4():
		b := a.As4()
		b[2], b[3] = 0, 0
		return strings.TrimSuffix(netip.AddrFrom4(b).String(), "0.0") + "x.x"
	case a.IsLinkLocalUnicast():
		return "fe80:…"
	}
	p, err := a.Prefix(32)
	if err != nil {
		return "…"
	}
	return strings.TrimSuffix(p.Addr().String(), "::") + ":…"
}
