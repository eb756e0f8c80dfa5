package node

import (
	"context"
	"errors"
	"io"
	"strings"

	"foldpost/app"
	"foldpost/app/folder"
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
	case q.Kind == app.AskBrokenOff:
		n.forgetEnd(id)
		return nil
	case q.Kind == app.AskMailbox:
		return n.ForgetMailbox(ctx)
	case strings.HasSuffix(string(id), missingSuffix):
		return n.lookAgain(q.Folder)
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
