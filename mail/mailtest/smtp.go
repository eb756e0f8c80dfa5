package mailtest

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// smtpSession is one connection that submits messages.
type smtpSession struct {
	server *Server
	client netip.Addr
	user   *user // nil before login
	from   string
	to     []string
}

func (s *Server) newSMTPSession(c *smtp.Conn) (smtp.Session, error) {
	x := &smtpSession{server: s, client: loopback4}
	if a, ok := c.Conn().RemoteAddr().(*net.TCPAddr); ok { // else in memory
		x.client = a.AddrPort().Addr().Unmap()
	}
	return x, nil
}

func (x *smtpSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (x *smtpSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		x.user = x.server.login(username, password)
		if x.user == nil {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (x *smtpSession) Mail(from string, _ *smtp.MailOptions) error {
	if x.user == nil {
		return smtp.ErrAuthRequired
	}
	if !strings.EqualFold(from, x.user.address) {
		return &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "not your address"}
	}
	x.from = from
	return nil
}

func (x *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := x.server.rcpt(x.from, to); err != nil {
		return err
	}
	x.to = append(x.to, to)
	return nil
}

func (x *smtpSession) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	for _, to := range x.to {
		var raw bytes.Buffer
		fmt.Fprintf(&raw, "Return-Path: <%s>\r\n", x.from)
		fmt.Fprintf(&raw, "Received: from client ([%s]) by mail.test with ESMTPSA id %.8s; %s\r\n", x.client, rand.Text(), time.Now().Format(time.RFC1123Z))
		raw.Write(body)
		x.server.send(x.from, to, raw.Bytes())
	}
	return nil
}

func (x *smtpSession) Reset()        { x.from, x.to = "", nil }
func (x *smtpSession) Logout() error { return nil }
