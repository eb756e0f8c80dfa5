package node

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails where a goroutine outlives the tests: Run ends all it started.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
