package node

import (
	"context"

	"foldpost/app"
	"foldpost/p2p/wire"
)

// asked is a question that a running call waits for.
type asked struct {
	question app.Question
	answer   chan string
}

// ask puts a question to the user and returns the choice. Asking the same
// question again replaces the first asking.
func (n *Node) ask(ctx context.Context, q app.Question) (choice string, err error) {
	a := &asked{question: q, answer: make(chan string, 1)}
	n.mu.Lock()
	n.asked[q.ID] = a
	n.mu.Unlock()
	n.kick()
	defer func() {
		n.mu.Lock()
		if n.asked[q.ID] == a {
			delete(n.asked, q.ID)
		}
		n.mu.Unlock()
		n.kick()
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case choice = <-a.answer:
		return choice, nil
	}
}

// shownName makes a name from outside fit to be shown.
func shownName(s string) string {
	if s = wire.SafeName(s); s == "" {
		return "unnamed"
	}
	return s
}
