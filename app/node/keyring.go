package node

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"

	system "github.com/zalando/go-keyring"

	"foldpost/p2p/wire"
)

// A Keyring keeps passwords where the user's desktop does, outside of the
// home. Its calls may take as long as the user takes to unlock it.
type Keyring interface {
	Set(account, password string) error
	// Get fails with ErrNoPassword for an account that it does not have.
	Get(account string) (string, error)
	Delete(account string) error
}

// ErrNoPassword reports an account that a keyring does not have.
var ErrNoPassword = errors.New("the keyring has no such password")

// SystemKeyring is that of this desktop: the Secret Service, the Windows
// Credential Manager, or the macOS Keychain. Where there is none, its calls
// fail.
func SystemKeyring() Keyring { return systemKeyring{} }

type systemKeyring struct{}

var errNoDesktop = errors.New("open keyring: there is no desktop session")

// check keeps the library from starting a message bus of its own, on a server
// say.
func (systemKeyring) check() error {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" || os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return nil
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		if _, err := os.Stat(filepath.Join(dir, "bus")); err == nil {
			return nil
		}
	}
	return errNoDesktop
}

func (s systemKeyring) Set(account, password string) error {
	if err := s.check(); err != nil {
		return err
	}
	return system.Set(wire.Name, account, password)
}

func (s systemKeyring) Get(account string) (string, error) {
	if err := s.check(); err != nil {
		return "", err
	}
	password, err := system.Get(wire.Name, account)
	if errors.Is(err, system.ErrNotFound) {
		return "", ErrNoPassword
	}
	return password, err
}

func (s systemKeyring) Delete(account string) error {
	if err := s.check(); err != nil {
		return err
	}
	err := system.Delete(wire.Name, account)
	if errors.Is(err, system.ErrNotFound) {
		return nil
	}
	return err
}
