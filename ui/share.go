package ui

// askShare opens the sheet that shares a directory; "" lets the user choose
// one.
func (w *Window) askShare(string) {}
