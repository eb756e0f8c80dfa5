package ui

// hintText is what to know before a password is typed, in the user's language.
// The hints are those of the table of providers; others stay as they are.
func hintText(hint string) string {
	switch hint {
	case "Two-step sign-in must be on.":
		return tr("Two-step sign-in must be on.")
	case "Two-step sign-in must be on. Where your organisation allows no app passwords, send invitations with your own mail program.":
		return tr("Two-step sign-in must be on. Where your organisation allows no app passwords, send invitations with your own mail program.")
	case "AT&T calls the app password a secure mail key.":
		return tr("AT&T calls the app password a secure mail key.")
	case "Mail programs must be let in first, in the settings of your mail account.":
		return tr("Mail programs must be let in first, in the settings of your mail account.")
	case "Mail programs must be let in first, in the settings of your mail account; this may be for paying customers only.":
		return tr("Mail programs must be let in first, in the settings of your mail account; this may be for paying customers only.")
	case "Telekom calls it the e-mail password; the one of the website does not work here.":
		return tr("Telekom calls it the e-mail password; the one of the website does not work here.")
	case "If two-step sign-in is on, make an app password.":
		return tr("If two-step sign-in is on, make an app password.")
	case "Mail programs must be let in first, in the settings of your mail account. If two-step sign-in is on, make an app password.":
		return tr("Mail programs must be let in first, in the settings of your mail account. If two-step sign-in is on, make an app password.")
	case "Proton Mail Bridge must run on this computer. Enter the password that Bridge shows, and give the certificate that it exports.":
		return tr("Proton Mail Bridge must run on this computer. Enter the password that Bridge shows, and give the certificate that it exports.")
	case "Let mail programs in first, in the settings of your mail account: you are given an authorisation code, which is the app password.":
		return tr("Let mail programs in first, in the settings of your mail account: you are given an authorisation code, which is the app password.")
	}
	return shownText(hint)
}
