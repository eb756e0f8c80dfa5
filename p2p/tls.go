package p2p

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"time"

	"foldpost/p2p/wire"
)

// The two protocols of a connection. A dialler offers exactly one.
const (
	alpnLink = wire.Name + "/1"
	alpnPair = wire.Name + "-pair/1"
)

// maxCertificate is far above the about 200 bytes of a certificate that holds
// only an ed25519 key.
const maxCertificate = 1 << 10

// errPeer reports a certificate that is not the one that was expected here.
var errPeer = errors.New("peer not accepted")

// certificate returns the self-signed certificate of an identity. It carries
// nothing but the key: no name, no real date, no extension.
func certificate(id *Identity) (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // RFC 5280 §4.1.2.5: no end
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, id.key.Public(), id.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate of %s: %w", id, err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: id.key}, nil
}

// publicKeyOf returns the only thing that counts in a connection's TLS state:
// the ed25519 key of the peer's one certificate.
func publicKeyOf(cs tls.ConnectionState) ([32]byte, error) {
	if cs.Version != tls.VersionTLS13 || len(cs.PeerCertificates) != 1 || cs.DidResume {
		return [32]byte{}, fmt.Errorf("%w: %d certificates", errPeer, len(cs.PeerCertificates))
	}
	c := cs.PeerCertificates[0]
	key, ok := c.PublicKey.(ed25519.PublicKey)
	if !ok || len(c.Raw) > maxCertificate {
		return [32]byte{}, fmt.Errorf("%w: not a certificate of one ed25519 key", errPeer)
	}
	return [32]byte(key), nil
}

func commonTLS(cert tls.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		CurvePreferences:       []tls.CurveID{tls.X25519MLKEM768, tls.X25519},
		Certificates:           []tls.Certificate{cert},
		ClientAuth:             tls.RequireAnyClientCert,
		SessionTicketsDisabled: true, // a ticket of one protocol would resume on the other
		InsecureSkipVerify:     true, // VerifyConnection pins instead
	}
}

// dialTLS is the side that calls: it goes on only with the holder of peer's key,
// and shows its own certificate to nobody else.
func dialTLS(cert tls.Certificate, peer PeerID, alpn string, now time.Time) *tls.Config {
	c := commonTLS(cert)
	c.ServerName = newKnock(peer, now).serverName()
	c.NextProtos = []string{alpn}
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		key, err := publicKeyOf(cs)
		if err != nil {
			return err
		}
		if id := PeerIDOf(key[:]); id != peer {
			return fmt.Errorf("%w: %s where %s was expected", errPeer, id.Short(), peer.Short())
		}
		return nil
	}
	return c
}

// A listenPolicy is what the called side asks its endpoint.
type listenPolicy struct {
	door   *door
	onLink func(netip.Addr) bool
	nearby func() bool       // whether devices nearby may ask to pair
	linked func(PeerID) bool // whether a peer may have a link
}

// listenTLS is the side that is called: it shows no certificate without a
// right knock, but to devices nearby while they may ask to pair, and accepts
// links only from peers of the policy. Any key may ask to pair.
func listenTLS(cert tls.Certificate, policy listenPolicy) *tls.Config {
	c := commonTLS(cert)
	c.NextProtos = []string{alpnLink, alpnPair}
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		onLink := policy.onLink(addrPortOf(hello.Conn.RemoteAddr()).Addr())
		if hello.ServerName == nearbyName {
			return nil, policy.checkNearby(hello.SupportedProtos, onLink)
		}
		if err := policy.door.check(hello.ServerName, time.Now(), onLink); err != nil {
			return nil, err
		}
		if len(hello.SupportedProtos) != 1 {
			return nil, fmt.Errorf("%w: %d protocols offered", errPeer, len(hello.SupportedProtos))
		}
		return nil, nil
	}
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		key, err := publicKeyOf(cs)
		if err != nil {
			return err
		}
		id := PeerIDOf(key[:])
		if cs.NegotiatedProtocol != alpnPair && !policy.linked(id) {
			return fmt.Errorf("%w: %s is not paired", errPeer, id.Short())
		}
		return nil
	}
	return c
}

// addrPortOf returns the address of a UDP or TCP peer, an IPv4 address as such;
// none of other networks.
func addrPortOf(a net.Addr) netip.AddrPort {
	u, ok := a.(interface{ AddrPort() netip.AddrPort })
	if !ok {
		return netip.AddrPort{}
	}
	ap := u.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
