package ui

// askMailbox opens the sheet that sets up the e-mail account; done is called
// when it works.
func (w *Window) askMailbox(address string, done func()) {}
