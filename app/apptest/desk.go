package apptest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"foldpost/app"
)

// What a window asks of a Service beside the main job.

func settings() []app.Setting {
	return []app.Setting{
		{Key: "name", Value: "here", Help: "what other devices see"},
		{Key: "person", Value: "Ada Lovelace", Help: "your name in invitations"},
		{Key: "port", Value: "4000", Help: "UDP and TCP port"},
		{Key: "trash-days", Value: "30", Help: "how long deleted and replaced files are kept"},
		{Key: "visible", Value: "everyone", Help: "who nearby can find this device", Values: []string{"everyone", "devices", "nobody"}},
		{Key: "limit-up", Value: "0", Help: "KiB per second, 0: no limit"},
		{Key: "limit-down", Value: "0", Help: "KiB per second, 0: no limit"},
		{Key: app.SettingTURNPassword, Value: "", Help: "for the TURN server"},
		{Key: app.SettingTheme, Value: "system", Help: "of the window", Values: []string{"system", "light", "dark"}},
		{Key: app.SettingLanguage, Value: "system", Help: "of the window", Values: []string{"system", "en", "de"}},
		{Key: app.SettingSize, Value: "100", Help: "of the window, in percent", Values: []string{"85", "100", "115", "130", "150"}},
		{Key: app.SettingLogin, Value: "off", Help: "start in the tray", Values: []string{"on", "off"}},
		{Key: app.SettingNotify, Value: "on", Help: "tell of questions and arrivals", Values: []string{"on", "off"}},
	}
}

// Guess says what FindMailbox finds for addresses of a domain.
func (f *Fake) Guess(domain string, g app.MailboxGuess) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.guesses[domain] = g
}

// Hold says what Measure finds in a directory. Any other is empty, on a disk
// with 100 GB of room.
func (f *Fake) Hold(dir string, m app.Measure) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.measures[dir] = m
}

// Happen adds a change to a folder's recent past.
func (f *Fake) Happen(id app.FolderID, c app.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.recent[id] = append(f.recent[id], c)
	slices.SortStableFunc(f.recent[id], func(a, b app.Change) int { return b.At.Compare(a.At) })
}

// Mail adds a message to the list of those sent and read.
func (f *Fake) Mail(m app.Mail) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mails = append([]app.Mail{m}, f.mails...)
}

const draft = `

Ada invites you to keep a folder in sync. The files go straight from Ada's computer to yours: no account, no cloud.

1. Do this at your computer (Windows or Linux).
2. No Foldpost yet? Get it and start it. It asks for no account and no password.
3. Press "I have an invitation" and drop the attached file there.
4. Type the six words that Ada tells you by phone or chat. They never come by e-mail; if they do, it is not Ada.

Good until Friday 27 November 2026, 12:00 (UTC).
You did not expect this? Ask Ada, or delete this mail: then nothing happens.
`

// Draft returns a mail with the note.
func (f *Fake) Draft(ctx context.Context, r app.DraftRequest) (app.Draft, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Draft", r.To, r.Folder); err != nil {
		return app.Draft{}, err
	}
	d := app.Draft{Subject: "An invitation", Text: strings.TrimSpace(r.Note + draft)}
	if f.state.Mailbox != nil {
		d.From = f.state.Mailbox.Address
	}
	return d, nil
}

// Resend notes the time of the mail.
func (f *Fake) Resend(ctx context.Context, id app.InvitationID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Resend", id); err != nil {
		return err
	}
	if _, ok := f.invitations[id]; !ok {
		return app.Errorf(app.CodeNotFound, "no invitation %s is open", id)
	}
	f.update(func(s *app.State) {
		for i := range s.Invitations {
			if s.Invitations[i].ID == id {
				s.Invitations[i].Sent = time.Now().Round(0)
			}
		}
	})
	return nil
}

// Measure finds what Hold said.
func (f *Fake) Measure(ctx context.Context, dir string) (app.Measure, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Measure", dir); err != nil {
		return app.Measure{}, err
	}
	if m, ok := f.measures[dir]; ok {
		return m, nil
	}
	return app.Measure{Free: 100e9}, nil
}

// Move changes a folder's path.
func (f *Fake) Move(ctx context.Context, id app.FolderID, dir string) error {
	return f.onFolder(ctx, "Move", id, func(fo *app.Folder) { fo.Path = dir }, dir)
}

// Resolve takes a conflict from the list.
func (f *Fake) Resolve(ctx context.Context, id app.FolderID, path, keep string, _ ...app.Version) error {
	f.mu.Lock()
	i := slices.IndexFunc(f.conflicts[id], func(c app.Conflict) bool { return c.Path == path })
	f.mu.Unlock()
	if i < 0 {
		return app.Errorf(app.CodeNotFound, "%s has no conflict", path)
	}
	return f.onFolder(ctx, "Resolve", id, func(fo *app.Folder) {
		f.conflicts[id] = slices.Delete(f.conflicts[id], i, i+1)
		fo.Conflicts = max(0, fo.Conflicts-1)
	}, path, keep)
}

// LeaveOut adds a path that is not synced.
func (f *Fake) LeaveOut(id app.FolderID, l app.LeftOut) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leftOut[id] = append(f.leftOut[id], l)
	f.update(func(s *app.State) {
		for i := range s.Folders {
			if s.Folders[i].ID == id {
				s.Folders[i].LeftOut++
			}
		}
	})
}

// LeftOut finds what LeaveOut told.
func (f *Fake) LeftOut(ctx context.Context, id app.FolderID) ([]app.LeftOut, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.known(id); err != nil {
		return nil, err
	}
	return slices.Clone(f.leftOut[id]), nil
}

// Recent finds what Happen told.
func (f *Fake) Recent(ctx context.Context, id app.FolderID, n int) ([]app.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Recent", id, n); err != nil {
		return nil, err
	}
	if err := f.known(id); err != nil {
		return nil, err
	}
	return slices.Clone(f.recent[id][:min(n, len(f.recent[id]))]), nil
}

// FindMailbox finds what Guess said, else servers named after the domain.
func (f *Fake) FindMailbox(ctx context.Context, address string) (app.MailboxGuess, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "FindMailbox", address); err != nil {
		return app.MailboxGuess{}, err
	}
	_, domain, ok := strings.Cut(address, "@")
	if !ok {
		return app.MailboxGuess{}, app.Errorf(app.CodeUsage, "%q is no e-mail address", address)
	}
	if g, ok := f.guesses[domain]; ok {
		return g, nil
	}
	return app.MailboxGuess{
		IMAP: fmt.Sprintf("imap.%s:993", domain), SMTP: fmt.Sprintf("smtp.%s:465", domain), Login: app.LoginPassword, Source: app.FromGuess,
	}, nil
}

// Mails finds what Mail told.
func (f *Fake) Mails(ctx context.Context) ([]app.Mail, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Mails"); err != nil {
		return nil, err
	}
	return slices.Clone(f.mails), nil
}

// Find says what Doctor finds beside the State's findings.
func (f *Fake) Find(list ...app.Finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.findings = append(f.findings, list...)
}

// Doctor finds what Find told.
func (f *Fake) Doctor(ctx context.Context) ([]app.Finding, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Doctor"); err != nil {
		return nil, err
	}
	list := []app.Finding{app.Found(app.FoundProgram, "Version", f.state.Device.Version, "System", "test")}
	list = append(list, f.state.Findings...)
	return append(list, f.findings...), nil
}

// Reset empties the State.
func (f *Fake) Reset(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(ctx, "Reset"); err != nil {
		return err
	}
	f.update(func(s *app.State) {
		*s = app.State{
			V: app.StateVersion, Device: s.Device, Questions: []app.Question{}, Invitations: []app.OpenInvitation{},
			Devices: []app.Device{}, Folders: []app.Folder{}, Offers: []app.Offer{}, Nearby: []app.Nearby{},
		}
	})
	return nil
}
