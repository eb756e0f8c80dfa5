package mail

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"foldpost/p2p/wire"
)

// Bounds of what a domain says of its servers.
const (
	maxAutoconfig   = 64 << 10
	maxRedirects    = 3
	maxLoginName    = 254
	autoconfigPlace = "/mail/config-v1.1.xml"
)

// autoconfig reads the file in which a domain tells mail programs about its
// servers (draft-ietf-mailmaint-autoconfig), nil if there is none. It comes by
// TLS only, and nobody is told the name in the address.
func (f Finder) autoconfig(ctx context.Context, name, domain string) *Servers {
	places := []string{"https://autoconfig." + domain + autoconfigPlace, "https://" + domain + "/.well-known/autoconfig" + autoconfigPlace}
	answers := make([]*Servers, len(places))
	var wg sync.WaitGroup
	for i, place := range places {
		wg.Go(func() {
			b, err := f.get(ctx, place)
			if err != nil {
				return
			}
			if found, err := parseAutoconfig(b, name, domain); err == nil {
				answers[i] = &found
			}
		})
	}
	wg.Wait()
	for _, found := range answers {
		if found != nil {
			return found
		}
	}
	return nil
}

// get fetches a small file by https, and by nothing else on the way.
func (f Finder) get(ctx context.Context, place string) ([]byte, error) {
	transport := f.Transport
	if transport == nil {
		transport = &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10}
	}
	client := http.Client{Transport: transport, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if r.URL.Scheme != "https" || len(via) > maxRedirects {
			return fmt.Errorf("redirected to %s", schemeAndHost(r.URL))
		}
		r.Header.Del("Referer")
		return nil
	}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, err
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: %s", place, answer.Status)
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxAutoconfig+1))
	if err == nil && len(b) > maxAutoconfig {
		err = fmt.Errorf("get %s: more than %d bytes", place, maxAutoconfig)
	}
	return b, err
}

func schemeAndHost(u *url.URL) string { return u.Scheme + "://" + u.Host }

// clientConfig is the part of the file that is used.
type clientConfig struct {
	Providers []struct {
		Name     string       `xml:"displayName"`
		Incoming []fileServer `xml:"incomingServer"`
		Outgoing []fileServer `xml:"outgoingServer"`
	} `xml:"emailProvider"`
}

type fileServer struct {
	Type     string   `xml:"type,attr"`
	Host     string   `xml:"hostname"`
	Port     int      `xml:"port"`
	Socket   string   `xml:"socketType"`
	User     string   `xml:"username"`
	Accepted []string `xml:"authentication"`
}

// parseAutoconfig takes the first IMAP and SMTP server that are encrypted and
// take a password.
func parseAutoconfig(b []byte, name, domain string) (Servers, error) {
	if len(b) > maxAutoconfig {
		return Servers{}, errors.New("read autoconfig: too large")
	}
	var c clientConfig
	if err := xml.NewDecoder(bytes.NewReader(b)).Decode(&c); err != nil {
		return Servers{}, fmt.Errorf("read autoconfig: %w", err)
	}
	for _, p := range c.Providers {
		in, out := pick(p.Incoming, "imap", domain), pick(p.Outgoing, "smtp", domain)
		if in == nil || out == nil {
			continue
		}
		f := Servers{Provider: wire.SafeName(strings.TrimSpace(p.Name)), Source: FromAutoconfig, Login: LoginPassword}
		if !in.takesPassword() || !out.takesPassword() {
			f.Login = LoginNone
			return f, nil
		}
		f.IMAP, _ = in.server(domain)
		f.SMTP, _ = out.server(domain)
		if user := in.user(name, domain); user == out.user(name, domain) {
			f.User = user // where they differ, most take the address for both
		}
		return f, nil
	}
	return Servers{}, errors.New("read autoconfig: it names no encrypted servers")
}

// pick returns the first usable server, one that takes a password if there is
// any, nil if there is none.
func pick(all []fileServer, kind, domain string) (best *fileServer) {
	for i := range all {
		s := &all[i]
		if _, ok := s.server(domain); !ok || s.Type != kind {
			continue
		}
		if s.takesPassword() {
			return s
		}
		if best == nil {
			best = s
		}
	}
	return best
}

func (s *fileServer) server(domain string) (Server, bool) {
	host := strings.ReplaceAll(strings.TrimSpace(s.Host), "%EMAILDOMAIN%", domain)
	switch strings.TrimSpace(s.Socket) {
	case "SSL":
		return namedServer(host, s.Port, ImplicitTLS)
	case "STARTTLS":
		return namedServer(host, s.Port, StartTLS)
	}
	return Server{}, false // "plain" and what is not known
}

// takesPassword is also true where the file says nothing of it.
func (s *fileServer) takesPassword() bool {
	for _, a := range s.Accepted {
		switch strings.TrimSpace(a) {
		case "password-cleartext", "plain", "password-encrypted", "secure":
			return true
		}
	}
	return len(s.Accepted) == 0
}

// user is the login name, "" if it is the address.
func (s *fileServer) user(name, domain string) string {
	user := strings.NewReplacer("%EMAILADDRESS%", name+"@"+domain, "%EMAILLOCALPART%", name, "%EMAILDOMAIN%", domain).Replace(strings.TrimSpace(s.User))
	if user == name+"@"+domain || len(user) > maxLoginName || oneLine(user) != nil {
		return ""
	}
	return user
}
