package folder

import (
	"errors"
	"time"
)

// A clock that was set wrong must not empty the trash. A computer that was off
// for long looks the same, so both wait.
const (
	clockLeap  = 14 * 24 * time.Hour // between two looks: nothing is forgotten yet
	leapGrace  = 3 * 24 * time.Hour  // for somebody to set the clock right
	expireMeta = "expire "
)

// expiry says when old versions may be forgotten.
type expiry struct {
	Last  int64 // when it was asked last, unix s
	Grace int64 // nothing is forgotten before, unix s
}

// may is asked every few hours.
func (x *expiry) may(now time.Time) bool {
	last := x.Last
	x.Last = now.Unix()
	if grace := time.Unix(x.Grace, 0); now.Before(grace) && grace.Sub(now) <= leapGrace {
		return false
	}
	x.Grace = 0
	if last != 0 && now.Sub(time.Unix(last, 0)) > clockLeap {
		x.Grace = now.Add(leapGrace).Unix()
		return false
	}
	return true
}

func (e *engine) loadExpiry() error {
	var err1, err2 error
	e.settle.expiry.Last, err1 = metaOf[int64](e.store, expireMeta+"last")
	e.settle.expiry.Grace, err2 = metaOf[int64](e.store, expireMeta+"grace")
	return errors.Join(err1, err2)
}

// mayExpire asks expiry, and keeps what it remembers.
func (e *engine) mayExpire(now time.Time) bool {
	may := e.settle.expiry.may(now)
	e.keepMeta(expireMeta+"last", e.settle.expiry.Last)
	e.keepMeta(expireMeta+"grace", e.settle.expiry.Grace)
	return may
}
