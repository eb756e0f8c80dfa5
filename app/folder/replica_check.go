package folder

import (
	"errors"
	"fmt"
	"slices"

	"github.com/zeebo/blake3"
)

// Limits of what a member may announce.
const (
	maxNumber   = 1 << 62 // of dots and seq
	maxReplicas = 64      // in a vector
	maxVersions = 16      // in an entry
	maxPrev     = 4
	maxPending  = 5_000_000 // paths that a member announces and Base does not cover
	maxRecords  = 16_384    // replicas whose labels are kept
)

// checkBatch tells why a batch can not come from an honest replica.
func checkBatch(b Batch) error {
	for _, rec := range b.Replicas {
		if rec.Label != CleanLabel(rec.Label) {
			return fmt.Errorf("replica %x: label %q is not clean", rec.ID, rec.Label)
		}
	}
	last := uint64(0)
	for _, a := range b.Rows {
		if err := checkAnnounced(a); err != nil {
			return fmt.Errorf("%q: %w", a.Path, err)
		}
		if a.Seq <= last {
			return fmt.Errorf("%q: seq %d after %d", a.Path, a.Seq, last)
		}
		last = a.Seq
	}
	if h := b.Head; h != nil {
		if h.Replica != b.Replica {
			return fmt.Errorf("head of replica %x after rows of %x", h.Replica, b.Replica)
		}
		if h.Seq > maxNumber || h.Seq < last {
			return fmt.Errorf("head with seq %d after %d", h.Seq, last)
		}
	}
	return nil
}

func checkAnnounced(a Announced) error {
	if a.Path == "" {
		return errors.New("a row of the root")
	}
	if err := CheckPath(a.Path); err != nil && !errors.Is(err, errSystem) {
		return err
	}
	if a.Seq == 0 || a.Seq > maxNumber {
		return fmt.Errorf("seq %d", a.Seq)
	}
	if a.Withdrawn {
		return nil
	}
	return checkEntry(a.Entry)
}

func checkEntry(e Entry) error {
	switch {
	case len(e.V) == 0:
		return errors.New("no vector")
	case len(e.V) > maxReplicas:
		return fmt.Errorf("%d replicas in the vector", len(e.V))
	case len(e.S) > maxVersions:
		return fmt.Errorf("%d versions", len(e.S))
	case !e.V.ordered():
		return errors.New("vector out of order")
	case slices.ContainsFunc(e.V, func(d Dot) bool { return d.N > maxNumber }):
		return errors.New("number in the vector above 2^62")
	case e.M.Rank > maxNumber || e.M.Bits > 0o777:
		return fmt.Errorf("mode %o with rank %d", e.M.Bits, e.M.Rank)
	case len(e.W) > maxEnded || !slices.IsSortedFunc(e.W, compareEnded) ||
		slices.ContainsFunc(e.W, func(w Ended) bool { return w.At > maxNumber }):
		return errors.New("ended contents out of order")
	}
	for i, v := range e.S {
		if i > 0 && compareDots(e.S[i-1].Dot, v.Dot) >= 0 {
			return errors.New("versions out of order")
		}
		if !e.V.Covers(v.Dot) {
			return errors.New("version that its vector does not cover")
		}
		if err := checkVersion(v); err != nil {
			return err
		}
	}
	return nil
}

func checkVersion(v Version) error {
	if len(v.Prev) > maxPrev {
		return fmt.Errorf("%d previous dots", len(v.Prev))
	}
	switch v.Kind {
	case File:
		if v.Size < 0 || v.Target != "" {
			return errors.New("file with a negative size or a target")
		}
	case Link:
		if len(v.Target) == 0 || len(v.Target) > MaxTarget || v.Size != int64(len(v.Target)) || v.Content != Hash(blake3.Sum256([]byte(v.Target))) {
			return errors.New("link whose target is not its content")
		}
	case Dir:
		if v.Size != 0 || v.Content != (Hash{}) || v.Target != "" {
			return errors.New("directory with content")
		}
	default:
		return fmt.Errorf("version of kind %d", v.Kind)
	}
	return nil
}
