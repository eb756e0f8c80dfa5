package apptest

import (
	"context"
	"testing"
	"time"

	"foldpost/app"
)

// OpenNearby makes the device visible.
func (f *Fake) OpenNearby(ctx context.Context, after time.Duration) error {
	f.mu.Lock()
	if err := f.begin(ctx, "OpenNearby", after); err != nil {
		f.mu.Unlock()
		return err
	}
	f.open++
	f.update(func(s *app.State) { s.Device.Visible = true })
	f.mu.Unlock()
	<-ctx.Done()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open--
	f.after = f.after || after > 0
	f.update(func(s *app.State) { s.Device.Visible = f.open > 0 || f.after })
	return ctx.Err()
}

// testOpenNearby: the device is visible for as long as one caller wants it.
func testOpenNearby(t *testing.T, s app.Service) {
	hold := func(after time.Duration) (leave func()) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.OpenNearby(ctx, after) }()
		return func() {
			cancel()
			select {
			case err := <-ended:
				if err == nil || ctx.Err() == nil {
					t.Errorf("OpenNearby = %v, want the error of its context", err)
				}
			case <-time.After(wait):
				t.Error("OpenNearby goes on after its context has ended")
			}
		}
	}
	visible := func(st app.State) bool { return st.Device.Visible }
	first := hold(time.Hour)
	until(t, s, "is visible", visible)
	hold(0)()
	if !s.State().Device.Visible {
		t.Error("not visible any more, though another caller wants it")
	}
	first()
	until(t, s, "is visible for a while after a caller", visible)
}
