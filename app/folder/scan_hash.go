package folder

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/zeebo/blake3"
)

// hashBuffer is where BLAKE3 is at full speed.
const hashBuffer = 128 << 10

var buffers = sync.Pool{New: func() any {
	b := make([]byte, hashBuffer)
	return &b
}}

// hashFile reads a whole file. It fails with ErrChanged when the file is not,
// before or after, what the caller saw.
func hashFile(ctx context.Context, t Tree, p Path, seen Stat) (Hash, error) {
	c, err := t.Open(p)
	if err != nil {
		return Hash{}, err
	}
	defer c.Close()
	if st, err := c.Stat(); err != nil || !sameFile(st, seen) {
		return Hash{}, changedBecause(err)
	}
	h := blake3.New()
	n, err := copyAt(ctx, h, c, 0)
	if err != nil {
		return Hash{}, fmt.Errorf("read %q: %w", p, err)
	}
	if st, err := c.Stat(); err != nil || n != seen.Size || !sameFile(st, seen) {
		return Hash{}, changedBecause(err)
	}
	return sumOf(h), nil
}

func changedBecause(err error) error {
	if err != nil {
		return err
	}
	return ErrChanged
}

// hashLink is the content of a link.
func hashLink(target string) Hash { return Hash(blake3.Sum256([]byte(target))) }

func sumOf(h *blake3.Hasher) Hash {
	var sum Hash
	h.Sum(sum[:0])
	return sum
}

// copyAt copies from an offset to the end and returns how many bytes it was.
func copyAt(ctx context.Context, to io.Writer, from io.ReaderAt, offset int64) (int64, error) {
	pooled := buffers.Get().(*[]byte)
	defer buffers.Put(pooled)
	buf := *pooled
	var n int64
	for {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		k, err := from.ReadAt(buf, offset+n)
		if k > 0 {
			if _, err := to.Write(buf[:k]); err != nil {
				return n, err
			}
			n += int64(k)
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// sameFile tells whether nothing was written between two looks at a path.
// Permissions do not count: a change of them moves CTime.
func sameFile(a, b Stat) bool {
	return a.Kind == b.Kind && a.Size == b.Size && a.MTime == b.MTime && a.CTime == b.CTime &&
		a.Birth == b.Birth && a.Dev == b.Dev && a.Ino == b.Ino
}
