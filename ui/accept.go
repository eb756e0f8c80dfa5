package ui

// askAccept opens the sheet that takes an invitation: a link, the content of a
// file, a pasted message, the id of one that came by mail, or "" to be asked
// for it. It never accepts by itself.
func (w *Window) askAccept(string) {}

// openFile opens a file that may be an invitation.
func (w *Window) openFile(string) {}
