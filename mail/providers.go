package mail

import (
	_ "embed" // for the table
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
)

// A Login is what a provider takes from a program.
type Login string

// What providers take.
const (
	LoginPassword    Login = "password"
	LoginAppPassword Login = "app-password" // made for this program on the provider's page
	LoginNone        Login = "none"         // no password at all
)

// provider is a row of the table.
type provider struct {
	name       string
	domains    []string // of addresses
	mx         []string // domains of the exchangers of other domains
	imap, smtp Server   // zero with LoginNone
	nameOnly   bool     // the login name is what is before the @
	wantsID    bool     // the IMAP server must be told which program this is
	login      Login
	help, hint string
}

//go:embed providers.txt
var providersText string

// providers is the table, read once.
var providers = sync.OnceValue(func() []provider {
	all, err := parseProviders(providersText)
	if err != nil {
		panic(err) // the embedded file is tested
	}
	return all
})

// parseProviders reads the table's form, which its first lines explain.
func parseProviders(text string) ([]provider, error) {
	var all []provider
	for i, line := range strings.Split(text, "\n") {
		indented := strings.HasPrefix(line, "  ")
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case !indented:
			all = append(all, provider{name: line, login: LoginPassword})
			continue
		case len(all) == 0:
			return nil, fmt.Errorf("read providers, line %d: %q belongs to no provider", i+1, line)
		}
		name, value, _ := strings.Cut(line, " ")
		if err := all[len(all)-1].set(name, strings.TrimSpace(value)); err != nil {
			return nil, fmt.Errorf("read providers, line %d: %w", i+1, err)
		}
	}
	return all, nil
}

func (p *provider) set(name, value string) (err error) {
	switch name {
	case "domains":
		p.domains = append(p.domains, strings.Fields(value)...)
	case "mx":
		p.mx = append(p.mx, strings.Fields(value)...)
	case "imap":
		p.imap, err = ParseServer(value)
	case "smtp":
		p.smtp, err = ParseServer(value)
	case "user":
		p.nameOnly = value == "name"
	case "id":
		p.wantsID = value == "yes"
	case "login":
		p.login = Login(value)
	case "help":
		p.help = value
	case "hint":
		p.hint = value
	default:
		err = fmt.Errorf("there is no key %q", name)
	}
	return err
}

// providerOf is the provider of an address's domain, nil if it is not known.
func providerOf(domain string) *provider {
	return findProvider(func(p *provider) bool {
		return slices.ContainsFunc(p.domains, func(d string) bool { return strings.EqualFold(d, domain) })
	})
}

// providerOfServer is the provider that a server belongs to, whatever the
// port; on this computer the port counts.
func providerOfServer(s Server) *provider {
	same := func(t Server) bool {
		return strings.EqualFold(s.Host, t.Host) && (s.Port == t.Port || net.ParseIP(s.Host) == nil)
	}
	return findProvider(func(p *provider) bool { return same(p.imap) || same(p.smtp) })
}

// TypedPassword is a password as a person typed or pasted it for a server.
// App passwords lose their blanks: providers show them in groups.
func TypedPassword(s Server, typed string) Secret {
	if p := providerOfServer(s); p == nil || p.login != LoginAppPassword {
		return Secret(typed)
	}
	return Secret(strings.Join(strings.Fields(typed), ""))
}

// providerOfMX is the provider whose exchangers take a domain's mail. The
// longest name in the table wins.
func providerOfMX(host string) *provider {
	var best *provider
	longest := 0
	for i := range providers() {
		p := &providers()[i]
		for _, d := range p.mx {
			if within(host, d) && len(d) > longest {
				best, longest = p, len(d)
			}
		}
	}
	return best
}

func findProvider(is func(*provider) bool) *provider {
	for i := range providers() {
		if p := &providers()[i]; is(p) {
			return p
		}
	}
	return nil
}

// within is true for a domain and what is below it.
func within(host, domain string) bool {
	host, domain = strings.ToLower(strings.TrimSuffix(host, ".")), strings.ToLower(domain)
	return host == domain || strings.HasSuffix(host, "."+domain)
}
