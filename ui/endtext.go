package ui

// endText is why an invitation ended, in the user's language. What the program
// may say in so many words is listed here; the rest stays as it is.
func endText(why string) string {
	switch why {
	case "This invitation has been used by another device. Was it not yours? Then ask the person to remove that device and to invite you again.":
		return tr("This invitation has been used by another device. Was it not yours? Then ask the person to remove that device and to invite you again.")
	case "This invitation has expired. Ask for a new one.":
		return tr("This invitation has expired. Ask for a new one.")
	case "This invitation has expired.":
		return tr("This invitation has expired.")
	case "This invitation was withdrawn. Ask for a new one.":
		return tr("This invitation was withdrawn. Ask for a new one.")
	case "The other computer does not know this invitation's secret. Ask for a new invitation.":
		return tr("The other computer does not know this invitation's secret. Ask for a new invitation.")
	case "The two programs are of versions that do not understand each other. Update the older one.":
		return tr("The two programs are of versions that do not understand each other. Update the older one.")
	case "The other person did not let this device in.":
		return tr("The other person did not let this device in.")
	case "The other computer does not know this invitation any more. Ask for a new one.":
		return tr("The other computer does not know this invitation any more. Ask for a new one.")
	case "Three wrong answers came for this invitation, so it was cancelled for safety. Invite again.":
		return tr("Three wrong answers came for this invitation, so it was cancelled for safety. Invite again.")
	}
	return shownText(why)
}
