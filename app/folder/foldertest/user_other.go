//go:build !unix

package foldertest

import "errors"

func mkfifo(string) error { return errors.ErrUnsupported }
