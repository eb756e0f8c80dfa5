package control

import (
	"context"
	"encoding/json"
	"time"

	"foldpost/app"
)

// The arguments of methods that have more than one, and of those whose one
// argument is a plain string or number: more may come.
type (
	none      struct{}
	idArgs    struct{ ID string }
	lookArgs  struct{ Input string }
	pickArgs  struct{ ID, Choice string }
	shareArgs struct {
		Folder app.FolderID
		Device app.DeviceID
	}
	relayArgs struct {
		Device app.DeviceID
		On     bool
	}
	joinArgs struct {
		Offer app.FolderID
		Dir   string
	}
	pauseArgs struct {
		Folder app.FolderID
		For    time.Duration
	}
	openArgs    struct{ After time.Duration }
	settingArgs struct{ Key, Value string }
	dirArgs     struct{ Dir string }
	moveArgs    struct {
		Folder app.FolderID
		Dir    string
	}
	resolveArgs struct {
		Folder     app.FolderID
		Path, Keep string
		Of         []app.Version
	}
	recentArgs struct {
		Folder app.FolderID
		Max    int
	}
	addressArgs struct{ Address string }
	restoreArgs struct {
		app.RestoreRequest
		Bytes bool // send the content, do not put it back
	}
)

// A method decodes its arguments, runs, and sends its values. Its error is the
// error of the call.
type method func(ctx context.Context, s app.Service, args []byte, out *reply) error

// methods are the calls that travel, by the names of Service's methods.
var methods = map[string]method{
	"State": value(func(_ context.Context, s app.Service, _ none) (app.State, error) {
		return s.State(), nil
	}),
	"Watch": watch,
	"Invite": value(func(ctx context.Context, s app.Service, r app.InviteRequest) (app.Invitation, error) {
		return s.Invite(ctx, r)
	}),
	"Look": value(func(ctx context.Context, s app.Service, a lookArgs) (app.Proposal, error) {
		return s.Look(ctx, a.Input)
	}),
	"Accept": value(func(ctx context.Context, s app.Service, r app.AcceptRequest) (app.Accepted, error) {
		return s.Accept(ctx, r)
	}),
	"Letter": value(func(ctx context.Context, s app.Service, a idArgs) (app.Invitation, error) {
		return s.Letter(ctx, app.InvitationID(a.ID))
	}),
	"Draft": value(func(ctx context.Context, s app.Service, r app.DraftRequest) (app.Draft, error) {
		return s.Draft(ctx, r)
	}),
	"Resend": act(func(ctx context.Context, s app.Service, a idArgs) error {
		return s.Resend(ctx, app.InvitationID(a.ID))
	}),
	"Withdraw": act(func(ctx context.Context, s app.Service, a idArgs) error {
		return s.Withdraw(ctx, app.InvitationID(a.ID))
	}),
	"OpenNearby": act(func(ctx context.Context, s app.Service, a openArgs) error {
		return s.OpenNearby(ctx, a.After)
	}),
	"PairNearby": value(func(ctx context.Context, s app.Service, a idArgs) (app.DeviceID, error) {
		return s.PairNearby(ctx, app.NearbyID(a.ID))
	}),
	"Unpair": act(func(ctx context.Context, s app.Service, a idArgs) error {
		return s.Unpair(ctx, app.DeviceID(a.ID))
	}),
	"Relay": act(func(ctx context.Context, s app.Service, a relayArgs) error {
		return s.Relay(ctx, a.Device, a.On)
	}),
	"Answer": act(func(ctx context.Context, s app.Service, a pickArgs) error {
		return s.Answer(ctx, app.QuestionID(a.ID), a.Choice)
	}),
	"Share": value(func(ctx context.Context, s app.Service, r app.ShareRequest) (app.Shared, error) {
		return s.Share(ctx, r)
	}),
	"Measure": value(func(ctx context.Context, s app.Service, a dirArgs) (app.Measure, error) {
		return s.Measure(ctx, a.Dir)
	}),
	"Unshare": act(func(ctx context.Context, s app.Service, a shareArgs) error {
		return s.Unshare(ctx, a.Folder, a.Device)
	}),
	"Compare": value(func(ctx context.Context, s app.Service, a joinArgs) (app.Comparison, error) {
		return s.Compare(ctx, a.Offer, a.Dir)
	}),
	"Join": act(func(ctx context.Context, s app.Service, a joinArgs) error {
		return s.Join(ctx, a.Offer, a.Dir)
	}),
	"Move": act(func(ctx context.Context, s app.Service, a moveArgs) error {
		return s.Move(ctx, a.Folder, a.Dir)
	}),
	"Leave": act(func(ctx context.Context, s app.Service, a idArgs) error {
		return s.Leave(ctx, app.FolderID(a.ID))
	}),
	"Pause": act(func(ctx context.Context, s app.Service, a pauseArgs) error {
		return s.Pause(ctx, a.Folder, a.For)
	}),
	"Resume": act(func(ctx context.Context, s app.Service, a idArgs) error {
		return s.Resume(ctx, app.FolderID(a.ID))
	}),
	"Rescan": act(func(ctx context.Context, s app.Service, a idArgs) error {
		return s.Rescan(ctx, app.FolderID(a.ID))
	}),
	"Conflicts": value(func(ctx context.Context, s app.Service, a idArgs) ([]app.Conflict, error) {
		return s.Conflicts(ctx, app.FolderID(a.ID))
	}),
	"LeftOut": value(func(ctx context.Context, s app.Service, a idArgs) ([]app.LeftOut, error) {
		return s.LeftOut(ctx, app.FolderID(a.ID))
	}),
	"Resolve": act(func(ctx context.Context, s app.Service, a resolveArgs) error {
		return s.Resolve(ctx, a.Folder, a.Path, a.Keep, a.Of...)
	}),
	"Recent": value(func(ctx context.Context, s app.Service, a recentArgs) ([]app.Change, error) {
		return s.Recent(ctx, a.Folder, a.Max)
	}),
	"Trash": value(func(ctx context.Context, s app.Service, a idArgs) ([]app.Kept, error) {
		return s.Trash(ctx, app.FolderID(a.ID))
	}),
	"Restore": restore,
	"FindMailbox": value(func(ctx context.Context, s app.Service, a addressArgs) (app.MailboxGuess, error) {
		return s.FindMailbox(ctx, a.Address)
	}),
	"SetMailbox": act(func(ctx context.Context, s app.Service, m app.MailboxSettings) error {
		return s.SetMailbox(ctx, m)
	}),
	"TestMailbox": act(func(ctx context.Context, s app.Service, _ none) error {
		return s.TestMailbox(ctx)
	}),
	"ForgetMailbox": act(func(ctx context.Context, s app.Service, _ none) error {
		return s.ForgetMailbox(ctx)
	}),
	"Mails": value(func(ctx context.Context, s app.Service, _ none) ([]app.Mail, error) {
		return s.Mails(ctx)
	}),
	"Config": value(func(ctx context.Context, s app.Service, _ none) ([]app.Setting, error) {
		return s.Config(ctx)
	}),
	"SetConfig": act(func(ctx context.Context, s app.Service, a settingArgs) error {
		return s.SetConfig(ctx, a.Key, a.Value)
	}),
	"Doctor": value(func(ctx context.Context, s app.Service, _ none) ([]app.Finding, error) {
		return s.Doctor(ctx)
	}),
	"Reset": act(func(ctx context.Context, s app.Service, _ none) error {
		return s.Reset(ctx)
	}),
}

// value is a method with one result.
func value[A, R any](f func(context.Context, app.Service, A) (R, error)) method {
	return func(ctx context.Context, s app.Service, args []byte, out *reply) error {
		a, err := decodeArgs[A](args)
		if err != nil {
			return err
		}
		r, err := f(ctx, s, a)
		if err != nil {
			return err
		}
		return out.value(r)
	}
}

// act is a method without a result.
func act[A any](f func(context.Context, app.Service, A) error) method {
	return func(ctx context.Context, s app.Service, args []byte, _ *reply) error {
		a, err := decodeArgs[A](args)
		if err != nil {
			return err
		}
		return f(ctx, s, a)
	}
}

func watch(ctx context.Context, s app.Service, _ []byte, out *reply) error {
	for st := range s.Watch(ctx) {
		if err := out.value(st); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func restore(ctx context.Context, s app.Service, args []byte, out *reply) error {
	a, err := decodeArgs[restoreArgs](args)
	if err != nil {
		return err
	}
	if !a.Bytes {
		return s.Restore(ctx, a.RestoreRequest, nil)
	}
	return s.Restore(ctx, a.RestoreRequest, out)
}

func decodeArgs[A any](args []byte) (A, error) {
	var a A
	if err := json.Unmarshal(args, &a); err != nil {
		return a, app.Errorf(app.CodeUsage, "arguments: %v", err)
	}
	return a, nil
}
