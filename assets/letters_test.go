package assets

import (
	"strings"
	"testing"
	"time"
)

var monday = time.Date(2026, time.November, 30, 10, 41, 0, 0, time.FixedZone("", 3600))

func TestInvitationMail(t *testing.T) {
	got := InvitationMail(Invitation{
		Person:  "Ada Lovelace",
		Note:    "Hi Bob, here are the photos from the Harz, 38 GB. I'll ring you with the six words! – Ada",
		Folder:  true,
		Expires: monday,
	})
	want := `Hi Bob, here are the photos from the Harz, 38 GB. I'll ring you with the six words! – Ada

Ada invites you to keep a folder in sync. The files go straight from Ada's computer to yours: no account, no cloud.

1. Do this at your computer (Windows or Linux). On a phone or a Mac it does not work yet.
2. No Foldpost yet? Get it at https://foldpost.example/get and start it. It asks for no account and no password.
3. Press "I have an invitation" and drop the attached file there – or copy this whole message and press Paste.
   (If you have Foldpost already, opening the attached file is enough.)
4. Type the six words that Ada tells you by phone or chat. They never come by e-mail; if they do, it is not Ada.

Good until Monday 30 November 2026, 10:41 (UTC+1). Leave both computers on until the files are there.
You did not expect this? Ask Ada, or delete this mail: then nothing happens.
`
	if got.Subject != "Ada Lovelace would like to share a folder with you" || got.Body != want {
		t.Errorf("InvitationMail = %q\n%s\nwant\n%s", got.Subject, got.Body, want)
	}
}

func TestInvitationByHand(t *testing.T) {
	got := InvitationByHand(Invitation{Person: "Ada Lovelace", Folder: true, Expires: monday})
	want := `Ada Lovelace invites you to share a folder.
1. At a Windows or Linux computer get https://foldpost.example/get
2. Copy this whole message, choose "Paste invitation" there.
3. Type the six words Ada tells you by phone or chat, never by e-mail.
Leave both computers on. Good until Mon 30 Nov 10:41. Not expected? Delete this.
`
	if got.Body != want {
		t.Errorf("InvitationByHand =\n%s\nwant\n%s", got.Body, want)
	}
	if len(got.Subject)+len(got.Body) > 350 {
		t.Errorf("%d bytes leave too little of a mailto: URL", len(got.Subject)+len(got.Body))
	}
}

func TestAnswerMail(t *testing.T) {
	got := AnswerMail(Answer{Person: "Bob", Device: "Bob's laptop", Subject: "Ada would like to share a folder with you"})
	want := `Bob accepted on "Bob's laptop". Leave Foldpost running on both computers; it does the rest.

If this was not Bob, open Foldpost and press Remove.
`
	if got.Subject != "Re: Ada would like to share a folder with you" || got.Body != want {
		t.Errorf("AnswerMail = %q\n%s", got.Subject, got.Body)
	}
	if again := AnswerMail(Answer{Subject: got.Subject}); again.Subject != got.Subject {
		t.Errorf("subject of an answer to %q = %q", got.Subject, again.Subject)
	}
}

// TestEachLetterSays looks for what a letter must not lack.
func TestEachLetterSays(t *testing.T) {
	for _, folder := range []bool{true, false} {
		i := Invitation{Person: "Ada Lovelace", Folder: folder, Expires: monday}
		for name, text := range map[string]Text{"mail": InvitationMail(i), "by hand": InvitationByHand(i)} {
			for _, say := range []string{"Ada", "both computers", "Both computers", "never", "six words", "30 Nov", "10:41", Download, "elete this"} {
				other := strings.ToLower(say[:1]) + say[1:]
				if !strings.Contains(strings.ToLower(text.Body), strings.ToLower(other)) {
					t.Errorf("%s, folder %v: does not say %q:\n%s", name, folder, say, text.Body)
				}
			}
		}
	}
	for _, text := range []Text{AnswerMail(Answer{Person: "Bob", Device: "PC"}), AnswerByHand(Answer{Person: "Bob", Device: "PC"})} {
		if !strings.Contains(text.Body, "If this was not Bob") || text.Subject != "Bob accepted your invitation" {
			t.Errorf("answer = %q\n%s", text.Subject, text.Body)
		}
	}
}

// TestMailsBetweenComputers say that nobody has to do anything.
func TestMailsBetweenComputers(t *testing.T) {
	for name, text := range map[string]Text{"seek": SeekMail("Bob's\nPC"), "here": HereMail("Bob's\nPC"), "reserved": ReservedMail("Bob's\nPC")} {
		if text.Subject == "" || !strings.Contains(text.Body, `on "Bob's PC"`) || !strings.Contains(text.Body, "nothing to do") {
			t.Errorf("%s = %q\n%s", name, text.Subject, text.Body)
		}
	}
}

func TestWhatPeopleTypeStaysWhereItIsPut(t *testing.T) {
	got := InvitationMail(Invitation{
		Person: "Ada\r\nBcc: eve@example.org", Note: "line one\r\nline {{.Download}} two\x1b[2J\n\n", Expires: monday,
	})
	if strings.ContainsAny(got.Subject, "\r\n") {
		t.Errorf("Subject = %q, want one line", got.Subject)
	}
	if !strings.HasPrefix(got.Body, "line one\nline {{.Download}} two[2J\n\nAda invites") {
		t.Errorf("Body = %q", got.Body)
	}
}

func TestZone(t *testing.T) {
	for seconds, want := range map[int]string{0: "UTC", 3600: "UTC+1", -5 * 3600: "UTC-5", 19800: "UTC+5:30", -12600: "UTC-3:30"} {
		if got := zone(monday.In(time.FixedZone("", seconds))); got != want {
			t.Errorf("zone of %d s = %s, want %s", seconds, got, want)
		}
	}
}
