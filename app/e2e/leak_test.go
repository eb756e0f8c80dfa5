package e2e

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails where a goroutine outlives the tests. In simulated worlds the
// bubble itself fails for one that outlives its test.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
