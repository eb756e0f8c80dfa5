package apptest

import (
	"context"
	"fmt"
	"slices"
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

// NearbyWords are shown by PairNearby.
var NearbyWords = []string{"negligent", "scouts", "manmade"}

// Away says that nobody is at the screens of devices nearby: PairNearby waits.
func (f *Fake) Away() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = true
}

// PairNearby asks for the words at once, and believes what is answered.
func (f *Fake) PairNearby(ctx context.Context, id app.NearbyID) (app.DeviceID, error) {
	f.mu.Lock()
	if err := f.begin(ctx, "PairNearby", id); err != nil {
		f.mu.Unlock()
		return "", err
	}
	i := slices.IndexFunc(f.state.Nearby, func(d app.Nearby) bool { return d.ID == id })
	if i < 0 {
		f.mu.Unlock()
		return "", app.Errorf(app.CodeNotFound, "no device %s is nearby", id)
	}
	if f.away {
		f.mu.Unlock()
		<-ctx.Done()
		return "", ctx.Err()
	}
	near := f.state.Nearby[i]
	q := SameWords(app.QuestionID(f.draw("same")), near.Name)
	f.update(func(s *app.State) { s.Questions = append(s.Questions, q) })
	f.mu.Unlock()
	asked := func(o app.Question) bool { return o.ID == q.ID }
	for st := range f.Watch(ctx) {
		if !slices.ContainsFunc(st.Questions, asked) {
			break
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() != nil {
		f.update(func(s *app.State) { s.Questions = slices.DeleteFunc(s.Questions, asked) })
		return "", ctx.Err()
	}
	if !slices.Contains(f.calls, fmt.Sprintf("Answer %s %s", q.ID, app.ChoiceSame)) {
		return "", app.Errorf(app.CodeFailed, "the words differ: somebody may be in between")
	}
	d := app.Device{ID: app.DeviceID("of" + string(id)), Name: near.Name, Verified: "nearby", Connected: true}
	f.update(func(s *app.State) {
		s.Devices = append(s.Devices, d)
		s.Nearby = slices.DeleteFunc(s.Nearby, func(o app.Nearby) bool { return o.ID == id })
	})
	return d.ID, nil
}

// SameWords is a question whether both screens show NearbyWords.
func SameWords(id app.QuestionID, name string) app.Question {
	return app.Question{
		ID: id, Kind: app.AskSame, Name: name, Words: NearbyWords, Text: "Does the screen of " + name + " show the same three words?",
		Choices: []app.Choice{{ID: app.ChoiceSame, Text: "Yes, the same"}, {ID: app.ChoiceDifferent, Text: "No"}},
	}
}

// testUnknownNearby: only who is there can be asked.
func testUnknownNearby(t *testing.T, s app.Service) {
	if d, err := s.PairNearby(t.Context(), "nobody"); d != "" || app.CodeOf(err) != app.CodeNotFound {
		t.Errorf("PairNearby(nobody) = %q, %v, want an error with the code %s", d, err, app.CodeNotFound)
	}
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
