package mail

import (
	"net/netip"
	"slices"
	"strings"
)

// SubmittedFrom returns the public address from which a message was handed to
// this user's own provider, by its topmost Received: line, the only one that
// this provider wrote. It does so only where the line says that the sender had
// logged in (RFC 3848): elsewhere it names another provider's server. The
// address is a hint: who has a letter can send it from anywhere.
func SubmittedFrom(m Message) (netip.Addr, bool) {
	from, rest, ok := strings.Cut(m.Received, " by ")
	if !ok || !loggedIn(rest) {
		return netip.Addr{}, false
	}
	// What stands before the bracket is what the sender calls itself.
	_, seen, ok := strings.Cut(from, "(")
	if !ok {
		return netip.Addr{}, false
	}
	_, seen, ok = strings.Cut(seen, "[")
	if !ok {
		return netip.Addr{}, false
	}
	literal, _, ok := strings.Cut(seen, "]")
	if !ok {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(strings.TrimPrefix(strings.TrimPrefix(literal, "IPv6:"), "ipv6:"))
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	a = a.Unmap()
	return a, a.IsGlobalUnicast() && !a.IsPrivate()
}

func loggedIn(rest string) bool {
	words := strings.Fields(rest)
	i := slices.Index(words, "with")
	if i < 0 || i+1 == len(words) {
		return false
	}
	switch strings.ToUpper(strings.TrimRight(words[i+1], ";")) {
	case "ESMTPA", "ESMTPSA", "UTF8SMTPA", "UTF8SMTPSA":
		return true
	}
	return false
}
