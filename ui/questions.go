package ui

import "foldpost/app"

// openQuestion opens what a question needs: a sheet for words or a directory,
// else its choices.
func (w *Window) openQuestion(app.Question) {}
