//go:build !(linux || windows || darwin || dragonfly || freebsd || netbsd || openbsd)

package discovery

import (
	"context"
	"errors"
)

func systemNotices(context.Context, func(lost link)) error { return errors.ErrUnsupported }
