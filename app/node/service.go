package node

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"foldpost/app"
	"foldpost/app/folder"
	"foldpost/p2p/wire"
)

var _ app.Service = (*Node)(nil)

// Answer implements [app.Service].
func (n *Node) Answer(ctx context.Context, id app.QuestionID, choice string) error {
	i := -1
	st := n.State()
	for j, q := range st.Questions {
		if q.ID == id {
			i = j
		}
	}
	if i < 0 {
		return app.Errorf(app.CodeNotFound, "no question %s waits: foldpost answer lists them", id)
	}
	q := st.Questions[i]
	known := false
	for _, c := range q.Choices {
		if c.ID != choice {
			continue
		}
		if known = true; c.Command != "" {
			return app.Errorf(app.CodeUsage, "this answer needs more: %s", c.Command)
		}
	}
	if !known {
		return app.Errorf(app.CodeUsage, "%q is no choice of question %s: foldpost answer %s shows them", choice, id, id)
	}
	defer n.kick()
	switch {
	case q.Kind == app.AskInvitation:
		n.dismiss(q.Invitation)
		return nil
	case q.Kind == app.AskOffer:
		return n.decline(app.FolderID(strings.TrimPrefix(string(id), "offer-")))
	case q.Kind == app.AskMailbox:
		return n.ForgetMailbox(ctx)
	case q.Folder != "":
		f, err := n.started(ctx, q.Folder)
		if err != nil {
			return err
		}
		return f.Answer(strings.TrimPrefix(string(id), string(q.Folder)+"-"), choice)
	}
	return n.choose(id, choice)
}

// Rescan implements [app.Service].
func (n *Node) Rescan(ctx context.Context, f app.FolderID) error {
	r, err := n.started(ctx, f)
	if err != nil {
		return err
	}
	if r.Status().State == folder.StatePaused {
		return app.Errorf(app.CodeFailed, "the folder is paused: foldpost resume %s", f)
	}
	if err := r.Rescan(ctx); err != nil {
		return err
	}
	n.publish()
	return nil
}

// Trash implements [app.Service].
func (n *Node) Trash(ctx context.Context, f app.FolderID) ([]app.Kept, error) {
	r, err := n.started(ctx, f)
	if err != nil {
		return nil, err
	}
	kept, err := r.Trash()
	if err != nil {
		return nil, err
	}
	list := []app.Kept{}
	for _, k := range kept {
		list = append(list, app.Kept{Path: string(k.Path), At: k.At, Size: k.Stat.Size})
	}
	return list, nil
}

// Restore implements [app.Service].
func (n *Node) Restore(ctx context.Context, r app.RestoreRequest, w io.Writer) error {
	f, err := n.started(ctx, r.Folder)
	if err != nil {
		return err
	}
	err = f.Restore(ctx, folder.Path(r.Path), r.At, w)
	if errors.Is(err, folder.ErrGone) {
		return app.Errorf(app.CodeNotFound, "%s is not among the deleted and replaced files: foldpost trash %s lists them", r.Path, r.Folder)
	}
	return err
}

// setting is one key of config.
type setting struct {
	key, help string
	get       func(*kept) string
	set       func(*kept, string) error
}

var settings = []setting{
	{
		"name", "what this device is called on others", func(s *kept) string { return s.Name },
		func(s *kept, v string) error {
			if v = wire.SafeName(v); v == "" {
				return app.Errorf(app.CodeUsage, "a device needs a name")
			}
			s.Name = v
			return nil
		},
	},
	{
		"person", "your name in invitations", func(s *kept) string { return s.Person },
		func(s *kept, v string) error { s.Person = wire.SafeName(v); return nil },
	},
	{
		"port", "the UDP port; used from the next start on", func(s *kept) string { return strconv.Itoa(int(s.Port)) },
		func(s *kept, v string) error {
			p, err := strconv.ParseUint(v, 10, 16)
			if err != nil || p < 1024 && p != 443 {
				return app.Errorf(app.CodeUsage, "a port is a number from 1024 to 65535, or 443")
			}
			s.Port = uint16(p)
			return nil
		},
	},
	{
		"trash-days", "how long deleted and replaced files are kept; used from the next start on", func(s *kept) string { return strconv.Itoa(s.TrashDays) },
		func(s *kept, v string) error {
			d, err := strconv.Atoi(v)
			if err != nil || d < 1 || d > 3650 {
				return app.Errorf(app.CodeUsage, "days are a number from 1 to 3650")
			}
			s.TrashDays = d
			return nil
		},
	},
}

// Config implements [app.Service].
func (n *Node) Config(context.Context) ([]app.Setting, error) {
	s := n.keep.view()
	var list []app.Setting
	for _, k := range settings {
		list = append(list, app.Setting{Key: k.key, Value: k.get(&s), Help: k.help})
	}
	return list, nil
}

// SetConfig implements [app.Service].
func (n *Node) SetConfig(_ context.Context, name, value string) error {
	for _, k := range settings {
		if k.key == name {
			return n.update(func(s *kept) error { return k.set(s, value) })
		}
	}
	return app.Errorf(app.CodeUsage, "there is no setting %q: foldpost config lists them", name)
}
