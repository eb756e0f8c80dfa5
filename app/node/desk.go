package node

import (
	"context"

	"foldpost/app"
)

// errLater is what the window's verbs answer until each is here.
var errLater = app.Errorf(app.CodeFailed, "this does not work yet")

func (n *Node) Reset(context.Context) error { return errLater }
