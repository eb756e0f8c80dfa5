package p2p

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// maxProxyAnswer bounds what a proxy says before it connects.
const maxProxyAnswer = 16 << 10

// dialProxy dials by TCP, through the proxy that HTTPS_PROXY names unless
// NO_PROXY excepts the address.
func dialProxy(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	return dialThrough(ctx, httpproxy.FromEnvironment().ProxyFunc(), to)
}

func dialThrough(ctx context.Context, proxyOf func(*url.URL) (*url.URL, error), to netip.AddrPort) (net.Conn, error) {
	proxy, err := proxyOf(&url.URL{Scheme: "https", Host: to.String()})
	if err != nil {
		return nil, fmt.Errorf("proxy of HTTPS_PROXY: %w", err)
	}
	if proxy == nil {
		return dialDirect(ctx, to)
	}
	conn, err := dialProxyHost(ctx, proxy)
	if err != nil {
		return nil, fmt.Errorf("proxy of HTTPS_PROXY: %w", err)
	}
	if err := connect(ctx, conn, proxy, to); err != nil {
		return nil, errors.Join(fmt.Errorf("proxy of HTTPS_PROXY: %w", err), conn.Close())
	}
	return conn, nil
}

func dialProxyHost(ctx context.Context, proxy *url.URL) (net.Conn, error) {
	ports := map[string]string{"http": "80", "https": "443"}
	port, ok := ports[proxy.Scheme]
	if !ok {
		return nil, fmt.Errorf("scheme %q is not served; http and https are", proxy.Scheme)
	}
	if p := proxy.Port(); p != "" {
		port = p
	}
	host := net.JoinHostPort(proxy.Hostname(), port)
	var d net.Dialer
	if proxy.Scheme == "https" {
		return (&tls.Dialer{NetDialer: &d, Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", host)
	}
	return d.DialContext(ctx, "tcp", host)
}

// connect asks a proxy for a tunnel (RFC 9110 §9.3.6). What follows on conn is
// the other end's.
func connect(ctx context.Context, conn net.Conn, proxy *url.URL, to netip.AddrPort) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	ask := "CONNECT " + to.String() + " HTTP/1.1\r\nHost: " + to.String() + "\r\n"
	if u := proxy.User; u != nil {
		password, _ := u.Password()
		ask += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)) + "\r\n"
	}
	if _, err := io.WriteString(conn, ask+"\r\n"); err != nil {
		return err
	}
	head, err := readHead(conn)
	if err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(head), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("it answered %q", answer.Status)
	}
	if !stop() {
		return ctx.Err()
	}
	return conn.SetDeadline(time.Time{})
}

// readHead reads the head of an answer and not a byte more: what follows may
// be the other end's already.
func readHead(r io.Reader) (*bytes.Buffer, error) {
	var head bytes.Buffer
	var b [1]byte
	for !bytes.HasSuffix(head.Bytes(), []byte("\r\n\r\n")) {
		if head.Len() >= maxProxyAnswer {
			return nil, fmt.Errorf("its answer is longer than %d bytes", maxProxyAnswer)
		}
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return nil, err
		}
		head.WriteByte(b[0])
	}
	return &head, nil
}
