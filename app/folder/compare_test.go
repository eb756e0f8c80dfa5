package folder_test

import (
	"context"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"foldpost/app/folder"
	"foldpost/app/folder/foldertest"
)

// TestCompareWithWhoBegins: a member that still waits to scan for the first
// time has said nothing of what it has.
func TestCompareWithWhoBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		there := foldertest.NewTree(foldertest.Options{})
		u := there.User(t)
		u.Write("same", "1")
		u.Write("other", "22")
		u.Write("new", "333")
		a := start(t, "ada", there, u, nil)
		a.SetMembers([]folder.Member{{Device: folder.DeviceID{'b'}, Role: folder.ReadWrite}}) // a writer to wait for
		here := foldertest.NewTree(foldertest.Options{})
		v := here.User(t)
		v.Write("same", "1")
		v.Write("other", "44")
		v.Write("mine", "4")
		r, err := a.Serve(folder.DeviceID{'b'})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		got, err := folder.Compare(ctx, here, "", r)
		want := folder.Comparison{
			Equal: folder.Tally{Files: 1, Bytes: 1}, OnlyHere: folder.Tally{Files: 1, Bytes: 1},
			OnlyThere: folder.Tally{Files: 1, Bytes: 3}, Different: folder.Tally{Files: 1, Bytes: 2},
			Examples: []folder.Path{"other"},
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Compare = %+v, %v, want %+v", got, err, want)
		}
	})
}

// TestFirstScanWaitsForNobodyInvited: who has not said yes has no rows that a
// new folder could wait for.
func TestFirstScanWaitsForNobodyInvited(t *testing.T) {
	for _, invited := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			tree := foldertest.NewTree(foldertest.Options{})
			tree.User(t).Write("f", "1")
			a := start(t, "ada", tree, tree.User(t), nil)
			a.SetMembers([]folder.Member{{Device: folder.DeviceID{'b'}, Role: folder.ReadWrite, Invited: invited}})
			began := time.Now()
			a.until("scanned", func(s folder.Status) bool { return s.Files == 1 })
			if took, waited := time.Since(began), !invited; (took > 9*time.Second) != waited {
				t.Errorf("a member invited=%t: scanned after %s, want waited=%t", invited, took, waited)
			}
		})
	}
}
