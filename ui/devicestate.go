package ui

import (
	"cmp"
	"maps"
	"time"

	"foldpost/app"
)

// deviceState is a device's state in a few words.
func deviceState(d app.Device, now time.Time) string {
	switch {
	case d.Connected:
		return tr("connected")
	case d.LastSeen.IsZero():
		return tr("not reached yet")
	}
	return tr("last seen {{.When}}", "When", when(d.LastSeen, now))
}

// deviceOwner is whose a device is, as far as is known: an address that its
// user typed or whose letter was opened, else the device's own name.
func deviceOwner(d app.Device) string { return shown(cmp.Or(d.Owner, d.Name)) }

// deviceAndOwner is a device with whose it is: "ada@example.org (Ada's laptop)".
func deviceAndOwner(d app.Device) string {
	if d.Owner == "" {
		return shown(d.Name)
	}
	return shown(d.Owner) + " (" + shown(d.Name) + ")"
}

// deviceAdvice says why a device is not connected, and what stays safe; "" if
// it is connected.
func deviceAdvice(d app.Device, now time.Time) string {
	switch {
	case d.Connected:
		return ""
	case d.Why != nil && d.Why.Reason != app.FoundNever && d.Why.Reason != app.FoundAway:
		return whyText(d)
	case d.LastSeen.IsZero() && d.Problem != "":
		return tr("You and {{.Who}} are linked, but your computers cannot reach each other yet. {{.Problem}} Nothing is lost: the files start as soon as both are in one network, one of them uses another one, or one of your other devices can pass them on.",
			"Who", deviceOwner(d), "Problem", shownText(d.Problem))
	case d.LastSeen.IsZero():
		return tr("You and {{.Who}} are linked, but your computers cannot reach each other yet. Nothing is lost: the files start as soon as both are in one network, one of them uses another one, or one of your other devices can pass them on.",
			"Who", deviceOwner(d))
	case d.Problem != "":
		return shownText(d.Problem)
	}
	return tr("{{.Name}} is off or asleep (last seen {{.When}}). It goes on by itself.", "Name", shown(d.Name), "When", when(d.LastSeen, now))
}

// whyText says why a device is not connected, where something better is known
// than that it does not answer.
func whyText(d app.Device) string {
	why := *d.Why
	why.Values = maps.Clone(why.Values)
	if why.Values["Name"] != "" && d.Name != "" {
		why.Values["Name"] = d.Name // whose it is stands beside it
	}
	text, _ := foundText(why)
	switch {
	case d.LastSeen.IsZero():
		return tr("You and {{.Who}} are linked, but your computers cannot reach each other yet. {{.Problem}} Nothing is lost: the files start as soon as both are in one network, one of them uses another one, or one of your other devices can pass them on.",
			"Who", deviceOwner(d), "Problem", text)
	case d.Problem != "":
		return tr("{{.Problem}} Nothing is lost: it goes on by itself as soon as there is a way.", "Problem", text)
	}
	return text
}
