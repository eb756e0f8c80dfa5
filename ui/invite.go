package ui

import "foldpost/app"

// askInvite opens the sheet that links another device, without a folder.
func (w *Window) askInvite() {}

// showInvitation opens an invitation that was made here: its words, how far it
// is, and what can be done about it.
func (w *Window) showInvitation(app.InvitationID) {}
