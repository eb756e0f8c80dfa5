package ui

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fyne.io/fyne/v2/lang"
	"github.com/dustin/go-humanize"

	"foldpost/app"
	"foldpost/assets"
)

// tr is a text of the catalogue: English here, other languages in
// assets/translations. Names in it are filled from pairs of name and value:
//
//	tr("Linked with {{.Name}}", "Name", d.Name)
func tr(text string, pairs ...any) string {
	return lang.Localize(text, fill(pairs))
}

// trn is tr for a number of things, which is {{.N}} in both texts.
func trn(n int, one, many string, pairs ...any) string {
	if n != 1 {
		one = many
	}
	return tr(one, append(pairs, "N", comma(n))...)
}

// foundText is what was found, and what helps, in the user's language. The
// texts are those of [app.Wordings].
func foundText(f app.Finding) (text, advice string) {
	w := app.WordingOf(f.Reason)
	if w.Text == "" { // of a newer program
		return shownText(f.Text), shownText(f.Advice)
	}
	values := make(map[string]any, len(f.Values))
	for k, v := range f.Values {
		values[k] = ink(v, maxNamed)
	}
	if text = lang.Localize(w.Text, values); w.Advice != "" {
		advice = lang.Localize(w.Advice, values)
	}
	return text, advice
}

// maxNamed is ample for what a finding names.
const maxNamed = 300

// comma is a number for people: "9,123".
func comma(n int) string { return humanize.Comma(int64(n)) }

func fill(pairs []any) map[string]any {
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

// Languages are those that the catalogue has, beside English, which is its
// keys.
var Languages = []string{"de"}

// SetLanguage chooses the language of all texts made from now on: "system",
// "en" or one of Languages. What the catalogue does not have is English.
func SetLanguage(name string) error {
	here := lang.SystemLocale()
	if name == "system" {
		name, _, _ = strings.Cut(string(here), "-")
	}
	texts, err := catalogue(name)
	if err != nil {
		return err
	}
	return lang.AddTranslationsForLocale(texts, here) // whatever the system speaks
}

// catalogue returns all texts in a language. What is not translated is
// English; it has to be there too, else Fyne logs each use of it, and the
// language of before would stay.
func catalogue(language string) ([]byte, error) {
	texts := map[string]string{}
	for _, l := range Languages {
		b, err := assets.Translation(l)
		if err != nil {
			return nil, err
		}
		some := map[string]string{}
		if err := json.Unmarshal(b, &some); err != nil {
			return nil, fmt.Errorf("texts of %s: %w", l, err)
		}
		for k, v := range some {
			if l != language || v == "" {
				v = k
			}
			if _, ok := texts[k]; !ok || l == language {
				texts[k] = v
			}
		}
	}
	return json.Marshal(texts)
}

const maxShown = 64

// shown is a name of foreign origin, made harmless: one line of at most 64
// characters that have ink and do not change the direction of others.
func shown(name string) string { return ink(name, maxShown) }

// shownPath is shown for a path, of which the end matters most.
func shownPath(path string) string {
	p := []rune(ink(path, len(path)))
	if len(p) <= 2*maxShown {
		return string(p)
	}
	return "…" + string(p[len(p)-2*maxShown:])
}

// shownText is shown for text of several lines.
func shownText(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = ink(strings.TrimSuffix(l, "\r"), len(l))
	}
	return strings.Join(lines, "\n")
}

// sentence begins with a capital letter, unless with a file's name, and has an
// end.
func sentence(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	if n == 0 {
		return text
	}
	if first, _, _ := strings.Cut(text, " "); !strings.ContainsAny(first, "./@") {
		text = string(unicode.ToUpper(r)) + text[n:]
	}
	if last, _ := utf8.DecodeLastRuneInString(text); unicode.IsLetter(last) || unicode.IsDigit(last) || last == ')' {
		text += "."
	}
	return text
}

func ink(s string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > limit {
			return b.String() + "…"
		}
		if r != ' ' && !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
	}
	return b.String()
}

// bytes is a size for people: "38.0 GB".
func bytes(n int64) string { return humanize.Bytes(uint64(max(0, n))) }

// about is a length of time for people, roughly: "about 8 h".
func about(d time.Duration) string {
	switch {
	case d < time.Minute:
		return tr("less than a minute")
	case d < 90*time.Minute:
		return trn(int(d.Round(time.Minute)/time.Minute), "about {{.N}} minute", "about {{.N}} minutes")
	case d < 48*time.Hour:
		return trn(int(d.Round(time.Hour)/time.Hour), "about {{.N}} hour", "about {{.N}} hours")
	}
	return trn(int(d.Round(24*time.Hour)/(24*time.Hour)), "about {{.N}} day", "about {{.N}} days")
}

// when is a moment for people, seen from now: the time of day today, else the
// day too.
func when(t, now time.Time) string {
	t = t.In(now.Location())
	switch days := int(midnight(now).Sub(midnight(t)).Round(time.Hour) / (24 * time.Hour)); {
	case t.IsZero():
		return tr("never")
	case days == 0:
		return t.Format("15:04")
	case days == 1:
		return tr("yesterday, {{.Time}}", "Time", t.Format("15:04"))
	case days > 0 && days < 7, days < 0 && days > -7:
		return tr("{{.Day}}, {{.Time}}", "Day", weekday(t.Weekday()), "Time", t.Format("15:04"))
	}
	return t.Format("2006-01-02 15:04")
}

func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

func weekday(d time.Weekday) string {
	return [...]string{tr("Sunday"), tr("Monday"), tr("Tuesday"), tr("Wednesday"), tr("Thursday"), tr("Friday"), tr("Saturday")}[d]
}
