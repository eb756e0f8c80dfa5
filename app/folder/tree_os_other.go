//go:build !linux && !darwin && !windows

package folder

import (
	"errors"
	"io/fs"
	"math"
)

func addSystemStat(*Stat, fs.FileInfo) {}

func isFull(error) bool { return false }

func isNotEmpty(err error) bool { return errors.Is(err, fs.ErrExist) }

// freeBytes does not know, so nothing is refused for want of space.
func freeBytes(*dirAt) (int64, error) { return math.MaxInt64, nil }

func cannotLink(err error) bool {
	return !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist)
}
