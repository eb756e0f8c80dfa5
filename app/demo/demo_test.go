package demo

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"foldpost/mail/mailtest"
)

// run runs the demo in a temporary directory of its own and returns what it
// printed.
func run(t *testing.T, o Options) (out string, err error) {
	t.Helper()
	var b bytes.Buffer
	o.Exit, o.Out, o.Version, o.parent = true, &b, "test", t.TempDir()
	err = Run(t.Context(), o)
	return b.String(), err
}

func TestDemo(t *testing.T) {
	t.Parallel()
	out, err := run(t, Options{})
	if err != nil {
		t.Fatalf("demo: %v\n%s", err, out)
	}
	for _, want := range []string{"six words", "linked", "arrived", "kept on both", "Both folders are equal", "trash"} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not say %q:\n%s", want, out)
		}
	}
}

// TestDemoWithoutMail: the mail server is cut while the invitation is on its
// way, so the demo must say so and fail.
func TestDemoWithoutMail(t *testing.T) {
	t.Parallel()
	out, err := run(t, Options{
		patience: 3 * time.Second,
		invited: func(s *mailtest.Server) {
			s.SetFaults(mailtest.Faults{Refuse: true})
			s.Cut()
		},
	})
	if err == nil {
		t.Fatalf("the demo came to its end without mail:\n%s", out)
	}
	if !strings.Contains(out, "did not come to its end") || strings.Contains(out, "linked") {
		t.Errorf("the demo said:\n%s", out)
	}
}
