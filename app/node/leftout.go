package node

import (
	"context"
	"strings"

	"foldpost/app"
	"foldpost/app/folder"
)

// LeftOut implements [app.Service].
func (n *Node) LeftOut(ctx context.Context, f app.FolderID) ([]app.LeftOut, error) {
	r, err := n.started(ctx, f)
	if err != nil {
		return nil, err
	}
	found, err := r.LeftOut(ctx)
	if err != nil {
		return nil, err
	}
	list := []app.LeftOut{}
	for _, l := range found {
		list = append(list, app.LeftOut{Path: string(l.Path), Why: leftOutWhy(l.Why)})
	}
	return list, nil
}

// leftOutWhy takes from a reason that it is one and of which path, and makes
// one line of it.
func leftOutWhy(why string) string {
	if _, after, ok := strings.Cut(why, folder.ErrLeftOut.Error()); ok {
		why = after
	} else if i := strings.LastIndex(why, `": `); i >= 0 {
		why = why[i+1:]
	}
	return strings.ReplaceAll(strings.TrimLeft(why, ":\n "), "\n", "; ")
}
