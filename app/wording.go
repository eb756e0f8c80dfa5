package app

import (
	"maps"
	"slices"
)

// A Reason names a wording: what was found, in one word for scripts.
type Reason string

// What the doctor may find.
const (
	FoundProgram   Reason = "program"
	FoundPaused    Reason = "paused"
	FoundQuestions Reason = "questions"
	FoundClock     Reason = "clock"
	FoundClockOff  Reason = "clock-off"  // against most linked devices
	FoundClockAway Reason = "clock-away" // of one device, against this one

	FoundAddresses   Reason = "addresses"
	FoundNoAddress   Reason = "no-address"
	FoundPort        Reason = "port"
	FoundOpen        Reason = "open"
	FoundKeepsPort   Reason = "router-keeps-port"
	FoundChangesPort Reason = "router-changes-port"
	FoundCarrier     Reason = "carrier-router"
	FoundNoMapping   Reason = "router-unknown"
	FoundBlocked     Reason = "udp-blocked"

	FoundRelaying     Reason = "relaying"
	FoundVPN          Reason = "vpn"
	FoundNotForwarded Reason = "port-not-forwarded"
	FoundForwarded    Reason = "port-forwarded" // nobody came through yet
	FoundOpened       Reason = "port-open"
	FoundTwoRouters   Reason = "two-routers"
	FoundTURN         Reason = "turn-server"
	FoundTURNBad      Reason = "turn-problem"

	FoundNearby       Reason = "nearby"
	FoundNearbySoon   Reason = "nearby-soon"
	FoundOthersNear   Reason = "others-nearby"
	FoundNobodyNear   Reason = "nobody-nearby"
	FoundHidden       Reason = "hidden"
	FoundNoMulticast  Reason = "no-multicast"
	FoundNearbyBroken Reason = "nearby-broken"
	FoundPortTaken    Reason = "port-5353-taken"
	FoundFirewall     Reason = "port-5353-blocked"

	FoundNoMailbox  Reason = "no-mailbox"
	FoundMailbox    Reason = "mailbox"
	FoundMailboxNew Reason = "mailbox-connecting"
	FoundMailboxBad Reason = "mailbox-problem"

	FoundLinkedNear  Reason = "linked-near" // through the own network
	FoundLinkedFar   Reason = "linked-far"
	FoundLinkedRelay Reason = "linked-relay"
	FoundAway        Reason = "away"
	FoundNever       Reason = "never-reached"
	FoundNowhere     Reason = "nowhere"

	FoundCutOff       Reason = "cut-off"
	FoundUnasked      Reason = "unasked"
	FoundSilent       Reason = "silent"
	FoundUndelivered  Reason = "undelivered"
	FoundElsewhere    Reason = "elsewhere"
	FoundNotRunning   Reason = "not-running"
	FoundIsolated     Reason = "isolated"
	FoundHalfway      Reason = "halfway"
	FoundNoWay        Reason = "no-way"
	FoundCarrierHere  Reason = "carrier-here"
	FoundBlockedHere  Reason = "blocked-here"
	FoundBlockedThere Reason = "blocked-there"
	FoundBothChange   Reason = "routers-change-port"
	FoundChangesHere  Reason = "router-here"
	FoundChangesThere Reason = "router-there"

	FoundFolders       Reason = "folders"
	FoundFolderStopped Reason = "folder-stopped"
	FoundFolderProblem Reason = "folder-problem"
)

// A Wording is how a reason is said. {{.X}} stands for the value X.
type Wording struct {
	Area   Area
	OK     bool
	Side   Side
	Text   string
	Advice string // what helps; "" where nothing has to be done

	Command string // that goes with the advice
}

// Wordings returns all texts that findings are made of, in no order.
func Wordings() []Wording { return slices.Collect(maps.Values(wordings)) }

// WordingOf returns how a reason is said.
func WordingOf(r Reason) Wording { return wordings[r] }

// Who changes one reads the others.
var wordings = map[Reason]Wording{
	FoundProgram: {
		Area: AreaDevice, OK: true,
		Text: "Foldpost {{.Version}} on {{.System}}.",
	},
	FoundPaused: {
		Area: AreaDevice, OK: true, Side: SideHere,
		Text:    "Everything is paused.",
		Command: "foldpost resume",
	},
	FoundQuestions: {
		Area: AreaDevice, OK: true, Side: SideHere,
		Text:    "Questions that wait for you: {{.N}}.",
		Command: "foldpost answer",
	},
	FoundClock: {
		Area: AreaDevice, OK: true,
		Text: "The clock agrees with those of the linked devices.",
	},
	FoundClockOff: {
		Area: AreaDevice, Side: SideHere,
		Text:   "The clock of this computer is wrong by {{.Time}}, say the linked devices.",
		Advice: "Let the system set the time by itself. A wrong clock makes the wrong one of two changes look newer, and letters look expired.",
	},
	FoundClockAway: {
		Area:   AreaDevice,
		Text:   "The clocks of this computer and of {{.Name}} differ by {{.Time}}.",
		Advice: "Look at both, and let the systems set the time by themselves. A wrong clock makes the wrong one of two changes look newer, and letters look expired.",
	},
	FoundAddresses: {
		Area: AreaNetwork, OK: true,
		Text: "This computer is on a network, at {{.Addresses}}.",
	},
	FoundNoAddress: {
		Area: AreaNetwork, Side: SideHere,
		Text:   "This computer is on no network.",
		Advice: "Connect it to one. Changes are kept and go out later.",
	},
	FoundPort: {
		Area: AreaNetwork, OK: true,
		Text: "Foldpost listens at port {{.Port}} ({{.Kinds}}).",
	},
	FoundTURN: {
		Area: AreaNetwork, OK: true,
		Text: "The TURN server {{.Server}} takes packets for this computer, for where nothing else gets through.",
	},
	FoundTURNBad: {
		Area: AreaNetwork, Side: SideHere,
		Text:    "The TURN server {{.Server}} does not serve this computer.",
		Advice:  "Look whether its name, the user and the password are right.",
		Command: "foldpost config turn",
	},
	FoundOpen: {
		Area: AreaNetwork, OK: true,
		Text: "No router changes the address of this computer: others see it as it is.",
	},
	FoundKeepsPort: {
		Area: AreaNetwork, OK: true,
		Text: "The router here is a friendly one: everybody sees this computer at the same address.",
	},
	FoundChangesPort: {
		Area: AreaNetwork, Side: SideHere,
		Text:   "The router here uses another port for each computer that this one talks to, so nobody can be told where to call it.",
		Advice: "Where links are missing: forward port {{.Port}} (UDP and TCP) to this computer on the router, or switch UPnP on there. A third device of yours that is always on helps too.",
	},
	FoundCarrier: {
		Area: AreaNetwork, Side: SideNetwork,
		Text:   "The internet provider puts this home behind a router of its own (carrier NAT), so that no call from outside comes in.",
		Advice: "Where links are missing: ask the provider for an address of your own or for IPv6. A third device of yours that is always on, somewhere else, helps too.",
	},
	FoundBlocked: {
		Area: AreaNetwork, Side: SideHere,
		Text:   "The network here lets no UDP packets out: nothing answers (typical for offices and hotels).",
		Advice: "Use another network, if you can. Here, devices can only be reached by TCP, and only those whose routers let calls in.",
	},
	FoundNoMapping: {
		Area: AreaNetwork, OK: true,
		Text: "What the router here makes of this computer's address is not known yet: that takes two links into different networks.",
	},
	FoundRelaying: {
		Area: AreaNetwork, OK: true,
		Text: "Links of other devices that this one passes on: {{.N}}. It can read nothing of them.",
	},
	FoundVPN: {
		Area: AreaNetwork, Side: SideHere,
		Text:   "All traffic of this computer goes through a VPN, which may keep it from devices nearby and from calls.",
		Advice: "Where links are missing: try without the VPN, or let it leave the local network alone.",
	},
	FoundNotForwarded: {
		Area: AreaNetwork, OK: true,
		Text: "The router forwards no port to this computer: it does not let programs ask for one (UPnP, NAT-PMP, PCP).",
	},
	FoundForwarded: {
		Area: AreaNetwork, OK: true,
		Text: "The router forwards port {{.Port}} to this computer. Nobody has come in that way yet.",
	},
	FoundOpened: {
		Area: AreaNetwork, OK: true,
		Text: "The router forwards port {{.Port}} to this computer, and others have come in that way.",
	},
	FoundTwoRouters: {
		Area: AreaNetwork, Side: SideHere,
		Text:   "There are two routers in a row here: the first one forwards a port, the second one keeps callers out.",
		Advice: "Where links are missing: have one of the two work as a bridge or access point, or forward the port on both.",
	},
	FoundNearby: {
		Area: AreaNearby, OK: true,
		Text: "Devices nearby that run Foldpost: {{.N}}.",
	},
	FoundNearbySoon: {
		Area: AreaNearby, OK: true,
		Text: "Devices nearby have just begun to be looked for.",
	},
	FoundOthersNear: {
		Area: AreaNearby, OK: true,
		Text:   "Other devices nearby are heard, but none that runs Foldpost.",
		Advice: "If one should be: is Foldpost running on it, and is it in the same network?",
	},
	FoundNobodyNear: {
		Area: AreaNearby, OK: true,
		Text:   "No other device nearby is heard.",
		Advice: "If one should be: is it on, and in the same network? Guest networks and many offices keep devices apart.",
	},
	FoundHidden: {
		Area: AreaNearby, OK: true,
		Text:    "This device shows itself to nobody nearby, for its setting says so.",
		Command: "foldpost config visible devices",
	},
	FoundNoMulticast: {
		Area: AreaNearby, Side: SideHere,
		Text:   "Devices nearby cannot be found: none of this computer's networks carries messages to all (multicast).",
		Advice: "Connect it to a Wi-Fi or a cable. A mobile connection or a VPN alone is not enough.",
	},
	FoundNearbyBroken: {
		Area: AreaNearby, Side: SideHere,
		Text:   "Devices nearby cannot be found: the system does not let Foldpost listen to messages to all (multicast).",
		Advice: "Does a firewall or a container keep it from that? Devices that know each other's address link all the same.",
	},
	FoundPortTaken: {
		Area: AreaNearby, Side: SideHere,
		Text:   "Another program has port 5353 for itself: this device finds others, but they do not find it.",
		Advice: "Close that program, which looks for devices too, or set it to share the port.",
	},
	FoundFirewall: {
		Area: AreaNearby, Side: SideHere,
		Text:   "A firewall on this computer keeps messages of devices nearby out: not even its own come back.",
		Advice: "Let Foldpost receive UDP at the ports 5353 and {{.Port}} in the firewall.",
	},
	FoundNoMailbox: {
		Area: AreaMailbox, OK: true,
		Text:    "No e-mail account is set up. Invitations go by hand, and devices that have moved cannot ask each other where they are.",
		Command: "foldpost mailbox set YOUR-ADDRESS",
	},
	FoundMailbox: {
		Area: AreaMailbox, OK: true,
		Text: "The e-mail account {{.Mail}} works.",
	},
	FoundMailboxNew: {
		Area: AreaMailbox, OK: true,
		Text: "The e-mail account {{.Mail}} is being connected.",
	},
	FoundMailboxBad: {
		Area: AreaMailbox, Side: SideHere,
		Text:    "The e-mail account {{.Mail}} does not work: {{.Problem}}",
		Advice:  "Try it again, or set it up anew.",
		Command: "foldpost mailbox test",
	},
	FoundLinkedNear: {
		Area: AreaLink, OK: true,
		Text: "{{.Name}} is connected in this network ({{.Kind}}). An answer takes {{.RTT}} ms.",
	},
	FoundLinkedFar: {
		Area: AreaLink, OK: true,
		Text: "{{.Name}} is connected directly over the internet ({{.Kind}}). An answer takes {{.RTT}} ms.",
	},
	FoundLinkedRelay: {
		Area: AreaLink, OK: true,
		Text:   "{{.Name}} is connected through {{.Through}}, because no direct way is open. An answer takes {{.RTT}} ms.",
		Advice: "A direct way is tried again every minute.",
	},
	FoundAway: {
		Area: AreaLink, Side: SideThere,
		Text:   "{{.Name}} does not answer: it is off, asleep or without a network (last seen {{.When}}).",
		Advice: "It goes on by itself when that computer is on again.",
	},
	FoundSilent: {
		Area: AreaLink, Side: SideThere,
		Text:   "{{.Name}} answers neither calls nor the letter of {{.When}}: it is most likely off or asleep.",
		Advice: "It goes on by itself when that computer is on again.",
	},
	FoundNever: {
		Area:   AreaLink,
		Text:   "{{.Name}} was never reached: that computer may be off, or a router is in the way.",
		Advice: "Is the other computer on, and Foldpost running on it? Bring both into one network, if only once.",
	},
	FoundNowhere: {
		Area:   AreaLink,
		Text:   "Nobody has told yet where {{.Name}} is.",
		Advice: "Bring both computers into one network, if only once. With an e-mail account on both they tell each other where they are.",
	},
	FoundUndelivered: {
		Area: AreaLink, Side: SideThere,
		Text:   "{{.Name}} does not answer where it was, and the mail that asks where it is came back: its e-mail address is wrong, full or gone.",
		Advice: "Ask its user in another way. Bring both computers into one network, if only once, and they find each other there.",
	},
	FoundElsewhere: {
		Area: AreaLink, Side: SideNetwork,
		Text:   "{{.Name}} is known only at addresses of another home or office, which nobody can call from here.",
		Advice: "It goes on by itself when both are in one network again. With an e-mail account on both they tell each other where they are.",
	},
	FoundCutOff: {
		Area: AreaLink, Side: SideHere,
		Text:   "{{.Name}} cannot be called, because this computer is on no network.",
		Advice: "Connect this computer to a network.",
	},
	FoundUnasked: {
		Area: AreaLink, Side: SideHere,
		Text:   "{{.Name}} does not answer where it was, and it cannot be asked by mail where it is: the e-mail account here does not work.",
		Advice: "Set the e-mail account right, or bring both computers into one network, if only once.",
	},
	FoundNotRunning: {
		Area: AreaLink, Side: SideThere,
		Text:   "{{.Name}} does not answer, but a computer at its address in this network does: Foldpost is not running there.",
		Advice: "Start Foldpost on that computer.",
	},
	FoundIsolated: {
		Area: AreaLink, Side: SideNetwork,
		Text:   "{{.Name}} is in this network and is heard, but does not answer calls: the Wi-Fi keeps its devices apart, or a firewall on one of the two is in the way.",
		Advice: "Let Foldpost through the firewalls, here UDP and TCP at port {{.Port}}. A guest network keeps its devices apart: use the main one, or a cable.",
	},
	FoundHalfway: {
		Area: AreaLink, Side: SideNetwork,
		Text:   "{{.Name}} is on and short packets come through, but no connection comes about.",
		Advice: "Is the program on both sides of the same version? Else a firewall or a VPN on the way lets only short packets through: try without it, or in another network.",
	},
	FoundNoWay: {
		Area: AreaLink, Side: SideNetwork,
		Text:   "{{.Name}} is on, for it wrote at {{.When}}, but no call comes through in either direction: a router or firewall between the two is in the way.",
		Advice: "One of these helps: forward port {{.Port}} (UDP and TCP) to this computer on the router, or switch UPnP on, here or there; IPv6 on both sides; or a third device of yours that is always on.",
	},
	FoundCarrierHere: {
		Area: AreaLink, Side: SideHere,
		Text:   "{{.Name}} is on, for it wrote at {{.When}}, but no call comes through: the internet provider here has put this home behind a router of its own (carrier NAT).",
		Advice: "One of these helps: forward port {{.Port}} on the router of {{.Name}}, or switch UPnP on there; IPv6 on both sides; an address of your own from the provider; or a third device of yours that is always on.",
	},
	FoundBlockedHere: {
		Area: AreaLink, Side: SideHere,
		Text:   "No way to {{.Name}}: the network here lets no UDP packets out (typical for offices and hotels), and {{.Name}} does not answer by TCP.",
		Advice: "One of these helps: another network here; forwarding Foldpost's port (TCP) on the router of {{.Name}}, or UPnP there; or a third device of yours that is always on and can be called.",
	},
	FoundBlockedThere: {
		Area: AreaLink, Side: SideThere,
		Text:   "No way to {{.Name}}: the network there lets no UDP packets out (typical for offices and hotels), and calls by TCP do not get in here.",
		Advice: "One of these helps: another network there; forwarding port {{.Port}} (TCP) to this computer on the router here, or UPnP here; or a third device of yours that is always on and can be called.",
	},
	FoundBothChange: {
		Area: AreaLink, Side: SideNetwork,
		Text:   "No way to {{.Name}}: the routers here and there both use another port for each computer that is called, so neither side can be told where to call.",
		Advice: "One of these helps: forward port {{.Port}} (UDP and TCP) to this computer on the router, or switch UPnP on, here or there; IPv6 on both sides; or a third device of yours that is always on.",
	},
	FoundChangesHere: {
		Area: AreaLink, Side: SideHere,
		Text:   "No way to {{.Name}}: the router here uses another port for each computer that is called, and the router there lets in only whom it has called itself.",
		Advice: "One of these helps: forward port {{.Port}} (UDP and TCP) to this computer on the router here, or switch UPnP on, here or there; IPv6 on both sides; or a third device of yours that is always on.",
	},
	FoundChangesThere: {
		Area: AreaLink, Side: SideThere,
		Text:   "No way to {{.Name}}: the router there uses another port for each computer that is called, and the router here lets in only whom it has called itself.",
		Advice: "One of these helps: switch UPnP on at the router there or here, or forward Foldpost's port there; IPv6 on both sides; or a third device of yours that is always on.",
	},
	FoundFolders: {
		Area: AreaFolder, OK: true,
		Text: "Folders that are in order: {{.N}}.",
	},
	FoundFolderStopped: {
		Area: AreaFolder, Side: SideHere,
		Text:    "The folder {{.Folder}} has stopped.",
		Advice:  "Its question says what can be done.",
		Command: "foldpost answer",
	},
	FoundFolderProblem: {
		Area: AreaFolder, Side: SideHere,
		Text:   "Something on this computer keeps the folder {{.Folder}} from being complete.",
		Advice: "It goes on by itself when this is solved.",
	},
}
