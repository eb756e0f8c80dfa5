package mail_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"foldpost/mail"
	"foldpost/mail/mailtest"
)

// internet is what a domain may say of its mail servers: names, a web server
// with one handler for all hosts, and a mail provider.
type internet struct {
	records map[string][]dnsmessage.ResourceBody // by name, "mx b.test." or "srv _imaps._tcp.b.test."
	silent  bool                                 // no name is answered
	web     http.HandlerFunc                     // nil: nobody answers
	mail    mail.Account                         // at the provider that answers for b.test; zero: nobody does

	asked *hosts
}

// hosts are the hosts and paths that the web server was asked for.
type hosts struct {
	mu  sync.Mutex
	all []string
}

// finder looks at that internet and at nothing else.
func (n *internet) finder(t *testing.T) mail.Finder {
	f := mail.Finder{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go n.serveNames(theirs)
		return ours, nil
	}}}
	refuse := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
	}
	f.Dial, f.Transport = refuse, &http.Transport{DialContext: refuse}
	if a := n.mail; a.Dial != nil {
		f.RootCAs = a.RootCAs
		f.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if !strings.Contains(addr, ".b.test:") {
				return refuse(ctx, network, addr)
			}
			return a.Dial(ctx, network, addr)
		}
	}
	if n.web != nil {
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n.asked != nil {
				n.asked.mu.Lock()
				n.asked.all = append(n.asked.all, r.Host+r.URL.RequestURI())
				n.asked.mu.Unlock()
			}
			n.web(w, r)
		}))
		t.Cleanup(s.Close)
		trusted := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		f.Transport = &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{RootCAs: trusted, ServerName: "example.com"},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
			},
		}
	}
	return f
}

// serveNames answers as a name server does over TCP.
func (n *internet) serveNames(conn net.Conn) {
	defer conn.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		if n.silent {
			io.Copy(io.Discard, conn)
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(query); err != nil {
			return
		}
		q := m.Questions[0]
		kind := strings.ToLower(strings.TrimPrefix(q.Type.String(), "Type"))
		m.Response, m.Additionals, m.RCode = true, nil, dnsmessage.RCodeNameError
		for _, body := range n.records[kind+" "+strings.ToLower(q.Name.String())] {
			m.RCode = dnsmessage.RCodeSuccess
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}, Body: body})
		}
		answer, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

func mx(host string) dnsmessage.ResourceBody {
	return &dnsmessage.MXResource{Pref: 10, MX: dnsmessage.MustNewName(host)}
}

func srv(priority, port uint16, host string) dnsmessage.ResourceBody {
	return &dnsmessage.SRVResource{Priority: priority, Port: port, Target: dnsmessage.MustNewName(host)}
}

const config = `<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="b.test"><displayName>Bee Mail</displayName>
<incomingServer type="pop3"><hostname>pop.b.test</hostname><port>995</port><socketType>SSL</socketType></incomingServer>
<incomingServer type="imap"><hostname>in.b.test</hostname><port>143</port><socketType>plain</socketType></incomingServer>
<incomingServer type="imap"><hostname>in.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType><username>%EMAILLOCALPART%</username><authentication>password-cleartext</authentication></incomingServer>
<outgoingServer type="smtp"><hostname>out.host.test</hostname><port>587</port><socketType>STARTTLS</socketType><username>%EMAILLOCALPART%</username></outgoingServer>
</emailProvider></clientConfig>`

func serve(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }
}

func server(t *testing.T, hostPort string) mail.Server {
	t.Helper()
	s, err := mail.ParseServer(hostPort)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFind(t *testing.T) {
	type records = map[string][]dnsmessage.ResourceBody
	gmail := mail.Servers{Provider: "Gmail", IMAP: server(t, "imap.gmail.com:993"), SMTP: server(t, "smtp.gmail.com:465"), Login: mail.LoginAppPassword, Help: "https://myaccount.google.com/apppasswords", Hint: "Two-step sign-in must be on.", Source: mail.FromTable}
	workspace := gmail
	workspace.Provider, workspace.Confirm = "Google Workspace", true
	workspace.Hint += " Where your organisation allows no app passwords, send invitations with your own mail program."
	bee := mail.Servers{Provider: "Bee Mail", IMAP: server(t, "in.b.test:993"), SMTP: server(t, "out.host.test:587"), User: "bob", Login: mail.LoginPassword, Source: mail.FromAutoconfig}
	dns := mail.Servers{IMAP: server(t, "in.b.test:993"), SMTP: server(t, "out.b.test:465"), Login: mail.LoginPassword, Source: mail.FromDNS}
	foreign := dns
	foreign.SMTP, foreign.Confirm = server(t, "out.b.test.e.test:587"), true
	ours := records{"srv _imaps._tcp.b.test.": {srv(0, 993, "in.b.test.")}, "srv _submissions._tcp.b.test.": {srv(0, 465, "out.b.test.")}}
	for _, c := range []struct {
		name    string
		address string
		net     internet
		want    mail.Servers
	}{
		{"table", "Ada.L@Gmail.com", internet{}, gmail},
		{"table, no password", "ada@hotmail.co.uk", internet{}, mail.Servers{Provider: "Outlook.com", Login: mail.LoginNone, Source: mail.FromTable}},
		{"table, login name", "ada@free.fr", internet{}, mail.Servers{Provider: "Free", IMAP: server(t, "imap.free.fr:993"), SMTP: server(t, "smtp.free.fr:465"), User: "ada", Login: mail.LoginPassword, Source: mail.FromTable}},
		{"exchanger", bob, internet{records: records{"mx b.test.": {mx("spam.b.test."), mx("aspmx.l.google.com.")}}}, workspace},
		{"exchanger, no password, before the file", bob, internet{records: records{"mx b.test.": {mx("b-test.mail.protection.outlook.com.")}}, web: serve(config)}, mail.Servers{Provider: "Microsoft 365", Login: mail.LoginNone, Source: mail.FromTable}},
		{"file before exchanger and records", bob, internet{records: records{"mx b.test.": {mx("aspmx.l.google.com.")}, "srv _imaps._tcp.b.test.": ours["srv _imaps._tcp.b.test."]}, web: serve(config)}, bee},
		{"records", bob, internet{records: ours}, dns},
		{"records after a bad file", bob, internet{records: ours, web: serve("<html>welcome")}, dns},
		{"records, foreign host", bob, internet{records: records{
			"srv _imaps._tcp.b.test.": {srv(0, 993, "in.b.test.")}, "srv _submission._tcp.b.test.": {srv(5, 587, "later.b.test."), srv(1, 587, "out.b.test.e.test.")},
		}}, foreign},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.net.finder(t).Find(t.Context(), c.address)
			if err != nil || got != c.want {
				t.Errorf("Find(%s) = %+v, %v\nwant %+v", c.address, got, err, c.want)
			}
		})
	}
}

// TestFindGuesses: servers of the usual names are used if they answer with a
// right certificate.
func TestFindGuesses(t *testing.T) {
	for _, c := range []struct {
		name       string
		address    string
		net        func(*testing.T, *internet, *mailtest.Server)
		imap, smtp string
		kind       mail.ProblemKind
	}{
		{"all there", bob, func(*testing.T, *internet, *mailtest.Server) {}, "imap.b.test:993", "smtp.b.test:465", 0},
		{"records without a server to send", bob, func(_ *testing.T, n *internet, _ *mailtest.Server) {
			n.records = map[string][]dnsmessage.ResourceBody{"srv _imaps._tcp.b.test.": {srv(0, 993, "in.b.test.")}, "srv _submissions._tcp.b.test.": {srv(0, 0, ".")}}
		}, "imap.b.test:993", "smtp.b.test:465", 0},
		{"nobody there", "carl@c.test", func(*testing.T, *internet, *mailtest.Server) {}, "", "", mail.Unreachable},
		{"certificate of another", bob, func(t *testing.T, n *internet, _ *mailtest.Server) {
			s := mailtest.New("carl@c.test")
			run(t, s)
			n.mail = s.Account("carl@c.test")
		}, "", "", mail.WrongCertificate},
		{"no names", bob, func(_ *testing.T, n *internet, _ *mailtest.Server) { n.silent = true }, "imap.b.test:993", "smtp.b.test:465", 0},
		{"hangs", bob, func(_ *testing.T, _ *internet, s *mailtest.Server) { s.SetFaults(mailtest.Faults{Hang: true}) }, "", "", mail.Unreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := provider(t)
				n := &internet{mail: s.Account(bob)}
				c.net(t, n, s)
				began := time.Now()
				got, err := n.finder(t).Find(t.Context(), c.address)
				if d := time.Since(began); d > 10*time.Second {
					t.Errorf("Find(%s) took %v, want at most 10 s", c.address, d)
				}
				if c.kind != 0 {
					expectKind(t, "Find", err, c.kind)
					return
				}
				want := mail.Servers{IMAP: server(t, c.imap), SMTP: server(t, c.smtp), Login: mail.LoginPassword, Source: mail.FromGuess}
				if err != nil || got != want {
					t.Errorf("Find(%s) = %+v, %v; want %+v", c.address, got, err, want)
				}
			})
		})
	}
}

// TestFindFile: the file comes by https alone, is small, and nobody is told
// the name in the address.
func TestFindFile(t *testing.T) {
	for _, c := range []struct {
		name string
		web  http.HandlerFunc
		ok   bool
	}{
		{"there", serve(config), true},
		{"well-known", func(w http.ResponseWriter, r *http.Request) {
			if r.Host == "b.test" && r.URL.Path == "/.well-known/autoconfig/mail/config-v1.1.xml" {
				io.WriteString(w, config)
				return
			}
			http.NotFound(w, r)
		}, true},
		{"redirected to https", func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "conf.host.test" {
				http.Redirect(w, r, "https://conf.host.test/b", http.StatusFound)
				return
			}
			io.WriteString(w, config)
		}, true},
		{"redirected to http", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://conf.host.test/b", http.StatusFound)
		}, false},
		{"redirected for ever", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }, false},
		{"not found", http.NotFound, false},
		{"too large", serve(config + strings.Repeat(" ", 64<<10)), false},
		{"no encryption", serve(strings.NewReplacer("SSL", "plain", "STARTTLS", "plain").Replace(config)), false},
		{"port of something else", serve(strings.Replace(config, "993", "587", 1)), false},
		{"host is an address", serve(strings.Replace(config, "in.%EMAILDOMAIN%", "127.0.0.1", 1)), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := &internet{web: c.web, asked: new(hosts)}
			got, err := n.finder(t).Find(t.Context(), "secretname@b.test")
			if ok := err == nil && got.Source == mail.FromAutoconfig; ok != c.ok {
				t.Errorf("Find = %+v, %v; want it from the file: %v", got, err, c.ok)
			}
			if slices.ContainsFunc(n.asked.all, func(s string) bool { return strings.Contains(s, "secretname") }) {
				t.Errorf("asked for %v, want no name of the address in it", n.asked.all)
			}
		})
	}
}

func TestFindNotAnAddress(t *testing.T) {
	_, err := (&internet{}).finder(t).Find(t.Context(), "bob")
	expectKind(t, "Find(bob)", err, mail.NotAnAddress)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&internet{}).finder(t).Find(ctx, bob); !errors.Is(err, context.Canceled) {
		t.Errorf("Find with a cancelled context = %v", err)
	}
}
