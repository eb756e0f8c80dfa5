package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Time limits of a mail connection.
const (
	connectTime = 15 * time.Second // dialling and TLS together
	commandTime = 30 * time.Second // one command
	submitTime  = 2 * time.Minute  // from the end of a message to the answer
)

// clientName is what we say in EHLO: an address literal, because a name would
// have to be ours and "localhost" is refused by some relays.
const clientName = "[127.0.0.1]"

// dialect is what a protocol says in clear before STARTTLS, and nothing else.
type dialect struct {
	open func(net.Conn) error
	// greeting stands in for the one that was read in clear: what an
	// unencrypted server claimed is forgotten.
	greeting string
}

var (
	imapDialect = dialect{open: openIMAP, greeting: "* OK ready\r\n"}
	smtpDialect = dialect{open: openSMTP, greeting: "220 ready\r\n"}
)

// connect makes an encrypted connection to s whose certificate is right.
// Errors are a *Problem, or ctx's.
func (a Account) connect(ctx context.Context, s Server, d dialect) (net.Conn, error) {
	dialCtx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	var conn net.Conn
	var err error
	if s.Security != StartTLS {
		conn, err = a.dialTLS(dialCtx, s)
	}
	var record tls.RecordHeaderError
	if s.Security == StartTLS || s.Security == AutoTLS && errors.As(err, &record) {
		conn, err = a.dialStartTLS(dialCtx, s, d)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, connectProblem(s, err)
	}
	return conn, nil
}

func (a Account) dial(ctx context.Context, s Server) (net.Conn, error) {
	dial := a.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return dial(ctx, "tcp", s.String())
}

func (a Account) tlsConfig(s Server) *tls.Config {
	return &tls.Config{ServerName: s.Host, RootCAs: a.RootCAs, MinVersion: tls.VersionTLS12}
}

func (a Account) dialTLS(ctx context.Context, s Server) (net.Conn, error) {
	raw, err := a.dial(ctx, s)
	if err != nil {
		return nil, err
	}
	return clientTLS(ctx, raw, a.tlsConfig(s), "")
}

func clientTLS(ctx context.Context, raw net.Conn, config *tls.Config, greeting string) (net.Conn, error) {
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return &secured{Conn: conn, greeting: greeting}, nil
}

// secured is a TLS connection that closes without saying so: that may block
// for seconds where nobody listens, and both protocols say goodbye themselves.
type secured struct {
	*tls.Conn
	greeting string // read before what comes from the network
}

func (s *secured) Read(b []byte) (int, error) {
	if s.greeting != "" {
		n := copy(b, s.greeting)
		s.greeting = s.greeting[n:]
		return n, nil
	}
	return s.Conn.Read(b)
}

func (s *secured) Close() error { return s.NetConn().Close() }

func (a Account) dialStartTLS(ctx context.Context, s Server, d dialect) (net.Conn, error) {
	raw, err := a.dial(ctx, s)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	err = d.open(raw)
	if !stop() && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		raw.Close()
		return nil, err
	}
	return clientTLS(ctx, raw, a.tlsConfig(s), d.greeting)
}

// openIMAP says STARTTLS on an unencrypted connection. It reads byte by byte,
// so that bytes smuggled in behind the OK become part of the TLS handshake and
// break it.
func openIMAP(conn net.Conn) error {
	line, err := readLine(conn)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(strings.ToUpper(line), "* OK") { // PREAUTH would skip the upgrade
		return fmt.Errorf("%w: the server greeted with %.60q", errNoEncryption, line)
	}
	if _, err := io.WriteString(conn, "S1 STARTTLS\r\n"); err != nil {
		return err
	}
	for range 20 {
		line, err := readLine(conn)
		if err != nil {
			return err
		}
		if strings.HasPrefix(line, "* ") {
			continue
		}
		if !strings.HasPrefix(strings.ToUpper(line), "S1 OK") {
			return fmt.Errorf("%w: the server answered %.60q", errNoEncryption, line)
		}
		return nil
	}
	return fmt.Errorf("%w: no answer among 20 lines", errNoEncryption)
}

// openSMTP is openIMAP for SMTP.
func openSMTP(conn net.Conn) error {
	if _, err := readReply(conn, "220"); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "EHLO "+clientName+"\r\n"); err != nil {
		return err
	}
	offers, err := readReply(conn, "250")
	if err != nil {
		return err
	}
	offered := false
	for _, o := range offers {
		offered = offered || strings.EqualFold(strings.TrimSpace(o), "STARTTLS")
	}
	if !offered {
		return errNoEncryption
	}
	if _, err := io.WriteString(conn, "STARTTLS\r\n"); err != nil {
		return err
	}
	if _, err := readReply(conn, "220"); err != nil {
		return fmt.Errorf("%w: %w", errNoEncryption, err)
	}
	return nil
}

// readReply reads one SMTP reply of at most 50 lines and gives their texts.
func readReply(conn net.Conn, code string) ([]string, error) {
	var texts []string
	for range 50 {
		line, err := readLine(conn)
		if err != nil {
			return nil, err
		}
		if len(line) < 3 || line[:3] != code {
			return nil, fmt.Errorf("the server answered %.60q, not %s", line, code)
		}
		if len(line) == 3 {
			return texts, nil
		}
		texts = append(texts, line[4:])
		if line[3] != '-' {
			return texts, nil
		}
	}
	return nil, errors.New("the server's answer has more than 50 lines")
}

// readLine reads to the next line feed, one byte at a time, at most 1000.
func readLine(conn net.Conn) (string, error) {
	var line []byte
	b := make([]byte, 1)
	for len(line) < 1000 {
		if _, err := io.ReadFull(conn, b); err != nil {
			return "", err
		}
		if b[0] == '\n' {
			return string(bytes.TrimRight(line, "\r")), nil
		}
		line = append(line, b[0])
	}
	return "", errors.New("the server sent a line of more than 1000 bytes")
}
