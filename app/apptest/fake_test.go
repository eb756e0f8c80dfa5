package apptest

import (
	"testing"

	"foldpost/app"
)

func TestFake(t *testing.T) {
	TestService(t, func(*testing.T) app.Service { return NewFake() })
}
