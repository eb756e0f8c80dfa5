// Where to begin reading.
//
//  1. state.go and app.go here: everything a person can see and ask for.
//  2. p2p/p2p.go: devices, links and streams, and the hooks by which the
//     application takes part ([foldpost/p2p.Manager]).
//  3. app/folder/entry.go and its PROTOCOL.md: what a file's entry says, and how
//     two of them become one. Plan is the heart; what acts on it is dull.
//  4. mail/mail.go and mail/letter.go: how a sealed letter travels in an
//     ordinary e-mail.
//  5. app/node/node.go: the one place that knows all of these.
//  6. app/cli and app/control: from a command to a Service and back.
//  7. ui/window.go, which draws a State, and ui/desktop/desktop.go, the window's
//     place on a desktop; window.go in the root joins them with a node.
//
// # Pairing
//
// An invitation, as its two people see it ([OpenInvitation], [Step]). What the
// two programs say to each other at "saving" stands in p2p/PROTOCOL.md.
//
//	who invites                               who is invited
//
//	 Invite                                    a letter came, or Look
//	   |                                              |
//	sending  -- the mail has left -->             AskInvitation
//	   |                                              |  Accept: the words
//	waiting  <------- the other one dials ----    looking     open the letter
//	   |      (a link: AskPairing)                    |
//	reserved <-- never on together: answer --> reserved
//	   |         and confirmation by mail              |
//	 saving  <-- each side proves the secret -->   saving
//	   |         and then writes its half             |
//	 paired                                        paired
//
// From waiting and looking an invitation can also end: withdrawn, expired, used
// by another device, or burnt after three wrong proofs. Then it is failed, its
// Problem says why, and it leaves the list after a while. From saving a side whose partner
// could not keep its half goes back to where it was: nobody stays paired alone.
//
// Devices nearby need no invitation. Both people look at their screens:
//
//	who asks                                  who is asked
//
//	PairNearby                                 OpenNearby
//	   |  ------------ wants to pair ------>       |
//	waits                                     AskNearby: open, no
//	   |  <----------------------------------      | open
//	AskSame: three words                      AskSame: three words
//	   |  <---- both: "the same" ----------->      |
//	 saving                                     saving
//	   |                                           |
//	 paired                                     paired
//
// Whatever else happens ends the request on both sides, with nothing kept.
package app
