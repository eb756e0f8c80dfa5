package folder

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/zeebo/blake3"
)

// ignoreFile holds the folder's rules and is synced itself.
const ignoreFile Path = ".foldpostignore"

// maxIgnoreFile bounds the rules in bytes. A longer file has no effect.
const maxIgnoreFile = 256 << 10

// ignoreState is what is left out of the folder. Rules of another member take
// effect where they leave out more; what they would newly let in, and was never
// synced, stays hidden until this device's user agrees or changes the rules.
type ignoreState struct {
	now      atomic.Pointer[Ignore] // read by workers
	text     string
	theirs   *Ignore // nil: now's rules were written or accepted here
	accepted *Ignore
	held     heldRules // of members, since those that were accepted
	refused  string    // digest of rules that must not let in more
	byMember string    // digest of the last rules that came from a member
	loaded   bool
}

// hides is true for what only another member's rules would let in.
func (s *ignoreState) hides(p Path, dir bool) bool {
	return s.theirs != nil && (s.accepted.Match(p, dir) || s.held.match(p, dir))
}

// heldRules are members' rules that kept something out here, one after the
// other: what they kept out was never shared.
type heldRules struct {
	texts  []string
	parsed []*Ignore
	all    bool // they were too many: everything is held that was never shared
}

// The bounds of heldRules.
const (
	maxHeld     = 64
	maxHeldText = 512 << 10 // in all
)

func (h *heldRules) match(p Path, dir bool) bool {
	return h.all || slices.ContainsFunc(h.parsed, func(ig *Ignore) bool { return ig.Match(p, dir) })
}

func (h *heldRules) any() bool { return h.all || len(h.texts) > 0 }

// add reports whether the rules are new.
func (h *heldRules) add(defaults, text string) bool {
	if h.all || slices.Contains(h.texts, text) {
		return false
	}
	size := len(text)
	for _, t := range h.texts {
		size += len(t)
	}
	h.all = len(h.texts) == maxHeld || size > maxHeldText
	h.texts = append(h.texts, text)
	h.parsed = append(h.parsed, ParseIgnore(defaults, text))
	return true
}

// Each text is kept with an end; no text is kept twice, so that two ends
// without anything before them mean all.
const (
	heldEnd = "\x00"
	heldAll = heldEnd + heldEnd
)

func (e *engine) keepHeld() {
	h := &e.scan.ignore.held
	var b []byte
	for _, text := range h.texts {
		b = append(append(b, text...), heldEnd...)
	}
	if h.all {
		b = []byte(heldAll)
	}
	e.keepMeta("rules held", b)
}

func (e *engine) loadHeld() error {
	b, err := metaOf[[]byte](e.store, "rules held")
	if err != nil || len(b) == 0 {
		return err
	}
	h := &e.scan.ignore.held
	h.all = string(b) == heldAll
	for text := range strings.SplitSeq(strings.TrimSuffix(string(b), heldEnd), heldEnd) {
		h.add(e.cfg.IgnoreDefaults, text)
	}
	return nil
}

func digest(text string) string {
	sum := blake3.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// skipped is true for what is ignored. Workers call it.
func (e *engine) skipped(p Path, dir bool) bool {
	return e.scan.ignore.now.Load().Match(p, dir)
}

func (e *engine) initRules() error {
	s := &e.scan.ignore
	s.now.Store(ParseIgnore(e.cfg.IgnoreDefaults, ""))
	s.accepted = s.now.Load()
	var err1, err2 error
	s.refused, err1 = metaOf[string](e.store, "rules refused")
	s.byMember, err2 = metaOf[string](e.store, "rules by member")
	return errors.Join(err1, err2, e.loadHeld())
}

// readRules takes over what the file says now, before the rest is scanned. It
// runs in a scan's worker and waits for the event loop.
func (e *engine) readRules(ctx context.Context) error {
	text, err := rulesText(ctx, e.tree)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	e.report(ctx, func() {
		defer close(done)
		e.useRules(ctx, text)
	})
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func rulesText(ctx context.Context, t Tree) (string, error) {
	c, err := t.Open(ignoreFile)
	switch {
	case errors.Is(err, ErrGone), errors.Is(err, ErrLeftOut), errors.Is(err, ErrChanged):
		return "", nil // there are none
	case err != nil:
		return "", fmt.Errorf("read %s: %w", ignoreFile, err)
	}
	defer c.Close()
	b, err := io.ReadAll(io.NewSectionReader(c, 0, maxIgnoreFile+1))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", ignoreFile, err)
	}
	if len(b) > maxIgnoreFile {
		return "", nil
	}
	return string(b), nil
}

// useRules freezes rows that are ignored now. Those that are not any more are
// found by the scan that follows.
func (e *engine) useRules(ctx context.Context, text string) {
	s := &e.scan.ignore
	if s.loaded && text == s.text && (s.theirs == nil) == e.ownRules(text) {
		return
	}
	rules := ParseIgnore(e.cfg.IgnoreDefaults, text)
	if !s.loaded {
		if old, err := metaOf[string](e.store, "rules accepted"); err == nil {
			s.accepted = ParseIgnore(e.cfg.IgnoreDefaults, old)
		}
	}
	s.theirs = nil
	if e.ownRules(text) {
		s.accepted = rules
		e.acceptRules(text)
		delete(e.asked, askRulesID)
	} else {
		s.theirs = rules
		if s.held.add(e.cfg.IgnoreDefaults, text) {
			e.keepHeld()
		}
	}
	s.text, s.loaded = text, true
	s.now.Store(rules)
	clear(e.scan.thawed)
	for _, p := range e.rep.ignore(rules.Match) {
		e.scan.thawed[p] = true
	}
	e.commit()
	e.startWatch(ctx)
}

// ownRules is true where this device's user wrote the rules or agreed to them.
func (e *engine) ownRules(text string) bool {
	d := digest(text)
	if d != e.scan.ignore.byMember {
		return true
	}
	if e.scan.ignore.held.any() {
		return false // agreed to before members changed them
	}
	accepted, err := metaOf[string](e.store, "rules accepted")
	return err == nil && accepted == text
}

// rulesFromMember notes that a member's rules are about to be put on disk.
// Rules that are taken away, or too long to have an effect, are changed rules.
func (e *engine) rulesFromMember(o op) {
	e.scan.ignore.byMember = digest("")
	if o.Kind == opPut && o.Want.Size <= maxIgnoreFile {
		e.scan.ignore.byMember = hex.EncodeToString(o.Want.Content[:])
	}
	e.keepMeta("rules by member", e.scan.ignore.byMember)
}

// acceptRules notes that this device's user wrote the rules or agreed to them.
func (e *engine) acceptRules(text string) {
	e.keepMeta("rules accepted", text)
	if e.scan.ignore.held.any() {
		e.scan.ignore.held = heldRules{}
		e.keepHeld()
	}
}

func (e *engine) keepMeta(key string, value any) {
	if err := e.store.write(func() error {
		return e.store.exec("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)
	}); err != nil {
		e.fail(err)
	}
}

const askRulesID = "rules"

// askRules asks about n paths that stay hidden.
func (e *engine) askRules(n int, now time.Time) {
	s := &e.scan.ignore
	if n == 0 || s.theirs == nil || s.refused == digest(s.text) {
		delete(e.asked, askRulesID)
		return
	}
	files := "1 file or folder"
	if n > 1 {
		files = fmt.Sprintf("%d files or folders", n)
	}
	e.ask(now, Question{
		ID: askRulesID, Kind: askRulesID, Paths: n,
		Text: fmt.Sprintf("Another member changed what is left out. %s of this computer, never shared so far, would be shared now.", files),
		Choices: []Choice{
			{ID: "share", Text: "Share them too"},
			{ID: "keep", Text: "Keep them out"},
		},
	}, func(choice string) {
		if choice == "share" {
			e.acceptRules(s.text)
			s.accepted, s.theirs = s.now.Load(), nil
		} else {
			s.refused = digest(s.text)
			e.keepMeta("rules refused", s.refused)
		}
		e.scanAll(time.Now())
	})
}
