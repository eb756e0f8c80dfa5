package cli

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// A meter is a progress bar on terminals and nothing elsewhere.
type meter struct {
	s    *session
	text string
	bar  *progressbar.ProgressBar
}

func (s *session) newMeter(text string) *meter { return &meter{s: s, text: text} }

// show draws the bar once there is something to count.
func (m *meter) show(done, total int64) {
	if !m.s.errTerm || m.s.quiet || total == 0 {
		return
	}
	if m.bar == nil {
		m.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(m.s.err),
			progressbar.OptionSetDescription(m.text),
			progressbar.OptionShowBytes(true),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetWidth(24),
		)
	}
	m.bar.ChangeMax64(total)
	m.bar.Set64(min(done, total))
}

// close takes the bar from the screen. It may be repeated.
func (m *meter) close() {
	if m.bar != nil {
		m.bar.Clear()
		m.bar = nil
	}
}
