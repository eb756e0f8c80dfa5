package node

import (
	"context"
	"time"

	"foldpost/app"
	"foldpost/p2p/wire"
)

// asked is a question about a device that waits to be let in. It stays for a
// while after the device has gone: most people are not at the screen at that
// moment, and the device comes again.
type asked struct {
	question app.Question
	answer   chan string // with room for one, which the next asking may take
	answered bool        // the user has chosen: not shown any more
	gone     time.Time   // when nobody waited any more; zero while somebody does
}

// rememberAsked is how long a question or its answer is kept for who comes
// again.
const rememberAsked = 10 * time.Minute

// ask puts a question to the user and returns the choice. The same question
// asked again is the same: its answer may be there already.
func (n *Node) ask(ctx context.Context, q app.Question) (choice string, err error) {
	n.mu.Lock()
	a := n.asked[q.ID]
	if a == nil || a.question.Text != q.Text {
		a = &asked{question: q, answer: make(chan string, 1)}
		n.asked[q.ID] = a
	}
	a.gone = time.Time{}
	n.mu.Unlock()
	n.kick()
	defer n.kick()
	select {
	case choice = <-a.answer:
		err = nil
	case <-ctx.Done():
		err = ctx.Err()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if a.gone = time.Now(); err == nil && n.asked[q.ID] == a {
		delete(n.asked, q.ID)
	}
	return choice, err
}

// askWhile is ask for a question that makes no sense once ctx is done.
func (n *Node) askWhile(ctx context.Context, q app.Question) (choice string, err error) {
	choice, err = n.ask(ctx, q)
	n.mu.Lock()
	delete(n.asked, q.ID)
	n.mu.Unlock()
	n.kick()
	return choice, err
}

// choose answers a question of [Node.ask].
func (n *Node) choose(id app.QuestionID, choice string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	a := n.asked[id]
	if a == nil || a.answered {
		return app.Errorf(app.CodeNotFound, "question %s does not wait any more", id)
	}
	a.answered = true
	a.answer <- choice // never blocks: there is one answer
	return nil
}

// askedNow lists the questions that wait for the user. Its caller holds mu.
func (n *Node) askedNow() []app.Question {
	var list []app.Question
	for id, a := range n.asked {
		switch {
		case !a.gone.IsZero() && time.Since(a.gone) > rememberAsked:
			delete(n.asked, id)
		case !a.answered:
			list = append(list, a.question)
		}
	}
	return list
}

// shownName makes a name from outside fit to be shown.
func shownName(s string) string {
	if s = wire.SafeName(s); s == "" {
		return "unnamed"
	}
	return s
}
