package p2p

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

// proxy answers each CONNECT on loopback with a fixed text, then echoes. It
// returns its URL and what it was asked.
func proxy(t *testing.T, answer string) (*url.URL, <-chan *http.Request) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	asked := make(chan *http.Request, 1)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				r, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				asked <- r
				_, _ = io.WriteString(c, answer)
				_, _ = io.Copy(c, in)
			}()
		}
	}()
	return &url.URL{Scheme: "http", Host: ln.Addr().String(), User: url.UserPassword("ada", "secret")}, asked
}

func TestProxy(t *testing.T) {
	to := netip.MustParseAddrPort("192.0.2.7:4001")
	for _, tt := range []struct {
		name, answer string
		want         string // of the error
	}{
		{"a tunnel, and bytes at once", "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nhello", ""},
		{"a refusal", "HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nhello", "403 Forbidden"},
		{"no end", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", maxProxyAnswer), "longer than"},
		{"no HTTP", "SSH-2.0-x\r\n\r\n", "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, asked := proxy(t, tt.answer)
			c, err := dialThrough(t.Context(), func(*url.URL) (*url.URL, error) { return u, nil }, to)
			if r := <-asked; r.Method != "CONNECT" || r.Host != to.String() || r.Header.Get("Proxy-Authorization") != "Basic YWRhOnNlY3JldA==" {
				t.Errorf("the proxy was asked %s %s, %v", r.Method, r.Host, r.Header)
			}
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("dialThrough = %v, want an error with %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatalf("dialThrough = %v", err)
			}
			defer c.Close()
			b := make([]byte, 5)
			if _, err := io.ReadFull(c, b); string(b) != "hello" {
				t.Errorf("the other end said %q, %v, want hello", b, err)
			}
		})
	}
}

// A proxy that says nothing costs no longer than the dial may take.
func TestProxyIsSilent(t *testing.T) {
	u, _ := proxy(t, "")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := dialThrough(ctx, func(*url.URL) (*url.URL, error) { return u, nil }, netip.MustParseAddrPort("192.0.2.7:4001")); err == nil {
		t.Error("dialThrough = nil, want an error")
	}
}

func TestNoProxy(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:9")
	t.Setenv("NO_PROXY", "127.0.0.0/8")
	c, err := dialProxy(t.Context(), addrPortOf(ln.Addr()))
	if err != nil {
		t.Fatalf("dialProxy to an address of NO_PROXY = %v", err)
	}
	_ = c.Close()
	if _, err := dialProxy(t.Context(), netip.MustParseAddrPort("192.0.2.7:4001")); err == nil || !strings.Contains(err.Error(), "HTTPS_PROXY") {
		t.Errorf("dialProxy through a dead proxy = %v, want an error that names it", err)
	}
}
