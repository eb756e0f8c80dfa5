package node

import (
	"errors"
	"fmt"
	"testing"

	"foldpost/app/folder"
)

func TestLeftOutWhy(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("%w: a pipe", folder.ErrLeftOut), "a pipe"},
		{fmt.Errorf("look at %q: %w: a pipe", "a: b", folder.ErrLeftOut), "a pipe"},
		{errors.New(`open "a": permission denied`), "permission denied"},
		{errors.Join(folder.ErrLeftOut, errors.New("link leads out")), "link leads out"},
		{errors.New("permission denied"), "permission denied"},
		{errors.Join(errors.New("one"), errors.New("two")), "one; two"},
	} {
		if got := leftOutWhy(c.err.Error()); got != c.want {
			t.Errorf("leftOutWhy(%q) = %q, want %q", c.err, got, c.want)
		}
	}
}
