package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"foldpost/app"
)

// compareTime is ample for the words to show once a request was opened.
const compareTime = 30 * time.Second

// pairNearby asks a device nearby to be linked, and shows the words.
func (s *session) pairNearby(ctx context.Context, svc app.Service, word string, w waiting) error {
	ctx, cancel := w.begin(ctx)
	defer cancel()
	d, err := findNearby(ctx, svc, word)
	if err != nil {
		return err
	}
	id, words, err := s.linkNearby(ctx, svc, d)
	if err != nil {
		return err
	}
	s.say("Linked with %s. Next: foldpost share DIR %s", d.Name, quoted(d.Name))
	if !s.json {
		return nil
	}
	return s.emit(struct {
		V      int          `json:"v"`
		Device app.DeviceID `json:"device"`
		Words  []string     `json:"words,omitempty"`
	}{app.StateVersion, id, words})
}

// linkNearby asks a device nearby to be linked, and shows the words, until it
// is.
func (s *session) linkNearby(ctx context.Context, svc app.Service, d app.Nearby) (id app.DeviceID, words []string, err error) {
	s.say("Asking %s. Open the request there: in its window, or with `foldpost answer`.", d.Name)
	asking, stop := context.WithCancel(ctx)
	defer stop()
	type result struct {
		device app.DeviceID
		err    error
	}
	linked := make(chan result, 1)
	go func() {
		defer stop()
		id, err := svc.PairNearby(asking, d.ID)
		linked <- result{id, err}
	}()
	if words, err = s.followNearby(asking, svc); err != nil {
		stop()
		<-linked
		return "", words, err
	}
	r := <-linked
	if r.err != nil && ended(ctx) == errNotYet {
		r.err = app.Errorf(app.CodeFailed, "%s was not linked in time; nothing was shared. Try again when both of you look at the screens", d.Name)
	}
	return r.device, words, r.err
}

// findNearby waits a moment for the device that word means.
func findNearby(ctx context.Context, svc app.Service, word string) (app.Nearby, error) {
	looking, cancel := context.WithTimeout(ctx, nearbyLook)
	defer cancel()
	var st app.State
	for st = range svc.Watch(looking) {
		if d, err := resolve(aNeighbour, word, neighbours(st)); err == nil {
			return d, nil
		}
	}
	if err := ended(ctx); err != nil {
		return app.Nearby{}, err
	}
	d, err := resolve(aNeighbour, word, neighbours(st))
	if err != nil && len(st.Nearby) == 0 {
		err = app.Errorf(app.CodeNotFound, "%q is no e-mail address, and no device is found nearby: open foldpost on the other device in the same network, or type `foldpost nearby` there", word)
	}
	return d, err
}

// followNearby shows the words of a request of ours while it goes on, and has
// the person compare them where one is there.
func (s *session) followNearby(asking context.Context, svc app.Service) (words []string, err error) {
	for st := range svc.Watch(asking) {
		q, ok := sameWords(st)
		if !ok || words != nil {
			continue
		}
		words = q.Words
		if err := s.compareWords(asking, svc, st, q); err != nil && asking.Err() == nil {
			return words, err
		}
	}
	return words, nil
}

// sameWords is the question whether both screens show the same.
func sameWords(st app.State) (app.Question, bool) {
	i := slices.IndexFunc(st.Questions, func(q app.Question) bool { return q.Kind == app.AskSame })
	if i < 0 {
		return app.Question{}, false
	}
	return st.Questions[i], true
}

// compareNext waits for the words of a request that was opened here, and shows
// them.
func (s *session) compareNext(ctx context.Context, svc app.Service, name string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, compareTime, errNotYet)
	defer cancel()
	return until(ctx, svc, "for "+name, func(st app.State) (bool, error) {
		for _, q := range st.Questions {
			if q.Kind == app.AskBrokenOff && q.Name == name {
				return false, app.Errorf(app.CodeFailed, "%s", q.Text)
			}
		}
		q, ok := sameWords(st)
		if !ok {
			return false, nil
		}
		if s.json {
			return true, s.emit(struct {
				V        int            `json:"v"`
				Question app.QuestionID `json:"question"`
				Words    []string       `json:"words"`
			}{app.StateVersion, q.ID, q.Words})
		}
		return true, s.compareWords(ctx, svc, st, q)
	})
}

// compareWords shows three words, and asks whether the other screen shows the same
// where somebody is there. No flag says so in a person's place.
func (s *session) compareWords(ctx context.Context, svc app.Service, st app.State, q app.Question) error {
	if !s.json {
		if _, err := fmt.Fprintln(s.out, s.strong(shown(strings.Join(q.Words, " ")))); err != nil {
			return err
		}
	}
	if !s.canAsk() {
		id := abbr(questions(st), string(q.ID))
		s.say("Does the screen of %s show the same three words? Next: foldpost answer %s %s (or: %s)", q.Name, id, app.ChoiceSame, app.ChoiceDifferent)
		return nil
	}
	for {
		text, err := s.ask(ctx, "Does the screen of "+q.Name+" show the same three words? [yes/no]")
		if err != nil {
			return err
		}
		choice := ""
		switch strings.ToLower(text) {
		case "y", "yes", app.ChoiceSame:
			choice = app.ChoiceSame
		case "n", "no", app.ChoiceDifferent:
			choice = app.ChoiceDifferent
		default:
			continue
		}
		return svc.Answer(ctx, q.ID, choice)
	}
}

// nearbyAsks finds the request of a device nearby by its name.
func nearbyAsks(st app.State, word string) (app.Question, bool) {
	for _, q := range st.Questions {
		if q.Kind == app.AskNearby && (word == q.Name || strings.EqualFold(word, q.Name) && word != "") {
			return q, true
		}
	}
	return app.Question{}, false
}
