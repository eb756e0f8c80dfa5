package e2e

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// counting counts what passes a socket, both ways.
type counting struct {
	net.PacketConn
	bytes atomic.Int64
}

func (c *counting) ReadFrom(p []byte) (int, net.Addr, error) {
	n, a, err := c.PacketConn.ReadFrom(p)
	c.bytes.Add(int64(n))
	return n, a, err
}

func (c *counting) WriteTo(p []byte, a net.Addr) (int, error) {
	n, err := c.PacketConn.WriteTo(p, a)
	c.bytes.Add(int64(n))
	return n, err
}

// plantSmall writes the small files, a hundred to a directory, and leaves it to
// the system when they get to the disk.
func plantSmall(b *testing.B, dir string, seed byte) {
	content := randomBytes(seed, benchFiles*benchSmall)
	for i := range benchFiles {
		sub := filepath.Join(dir, fmt.Sprintf("dir %d", i/100))
		if i%100 == 0 {
			benchMust(b, os.MkdirAll(sub, 0o700))
		}
		benchMust(b, os.WriteFile(filepath.Join(sub, fmt.Sprintf("file %d", i)), content[i*benchSmall:(i+1)*benchSmall], 0o600))
	}
}

func timed(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

func limitSmallWrites(b *testing.B) time.Duration {
	dir := filepath.Join(b.TempDir(), "raw")
	return timed(func() {
		plantSmall(b, dir, 3)
		benchMust(b, exec.Command("sync", "-f", dir).Run())
	})
}

func limitWrite(b *testing.B, content []byte) time.Duration {
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	benchMust(b, err)
	defer f.Close()
	return timed(func() {
		_, err := f.Write(content)
		benchMust(b, err)
		benchMust(b, f.Sync())
	})
}

func limitRead(b *testing.B, file string) time.Duration {
	f, err := os.Open(file)
	benchMust(b, err)
	defer f.Close()
	return timed(func() {
		_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, make([]byte, 128<<10))
		benchMust(b, err)
	})
}

func limitReadAll(b *testing.B, dir string) time.Duration {
	return timed(func() {
		benchMust(b, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				_, err = os.ReadFile(p)
			}
			return err
		}))
	})
}

func limitStat(b *testing.B, dir string) time.Duration {
	return timed(func() {
		benchMust(b, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err == nil {
				_, err = d.Info()
			}
			return err
		}))
	})
}

// limitCopy copies a tree as who has no such program would.
func limitCopy(b *testing.B, dir string) (string, time.Duration) {
	args := []string{"rsync", "-a", dir + "/", filepath.Join(b.TempDir(), "copy") + "/"}
	if _, err := exec.LookPath(args[0]); err != nil {
		args = []string{"cp", "-a", dir, filepath.Join(b.TempDir(), "copy")}
	}
	return args[0] + " " + args[1], timed(func() { benchMust(b, exec.Command(args[0], args[1:]...).Run()) })
}

func udpSocket(b *testing.B) net.PacketConn {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	benchMust(b, err)
	b.Cleanup(func() { c.Close() })
	return c
}

// quicPair is a connection over loopback, the client's end on a socket.
func quicPair(b *testing.B, from net.PacketConn) (client, server *quic.Conn) {
	public, private, err := ed25519.GenerateKey(nil)
	benchMust(b, err)
	cert, err := x509.CreateCertificate(nil, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, public, private)
	benchMust(b, err)
	conf := &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: private}},
		NextProtos:   []string{"bench"}, InsecureSkipVerify: true, SessionTicketsDisabled: true, ClientAuth: tls.RequireAnyClientCert,
	}
	windows := &quic.Config{MaxStreamReceiveWindow: 16 << 20, MaxConnectionReceiveWindow: 32 << 20}
	l, err := quic.ListenAddr("127.0.0.1:0", conf, windows)
	benchMust(b, err)
	b.Cleanup(func() { l.Close() })
	client, err = quic.Dial(b.Context(), from, l.Addr(), conf, windows)
	benchMust(b, err)
	server, err = l.Accept(b.Context())
	benchMust(b, err)
	b.Cleanup(func() {
		client.CloseWithError(0, "")
		server.CloseWithError(0, "")
	})
	return client, server
}

func limitHandshake(b *testing.B) (time.Duration, int64) {
	wire := &counting{PacketConn: udpSocket(b)}
	began := time.Now()
	client, _ := quicPair(b, wire)
	<-client.HandshakeComplete()
	return time.Since(began), wire.bytes.Load()
}

func limitQUIC(b *testing.B, content []byte) time.Duration {
	client, server := quicPair(b, udpSocket(b))
	return timed(func() {
		go func() {
			s, err := server.OpenUniStreamSync(context.Background())
			if err == nil {
				s.Write(content)
				s.Close()
			}
		}()
		s, err := client.AcceptUniStream(b.Context())
		benchMust(b, err)
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, s, make([]byte, 128<<10))
		if err != nil || n != int64(len(content)) {
			b.Errorf("read %d bytes, %v; want %d", n, err, len(content))
		}
	})
}

// limitRTT is the mean of small questions and answers on an open stream.
func limitRTT(b *testing.B) time.Duration {
	client, server := quicPair(b, udpSocket(b))
	go func() {
		if s, err := server.AcceptStream(context.Background()); err == nil {
			io.Copy(s, s)
		}
	}()
	s, err := client.OpenStreamSync(b.Context())
	benchMust(b, err)
	return timed(func() {
		buf := make([]byte, 64)
		for range 100 {
			_, err := s.Write(buf)
			benchMust(b, err)
			_, err = io.ReadFull(s, buf)
			benchMust(b, err)
		}
	}) / 100
}

func randomBytes(seed byte, n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}
