package milena

import (
	"context"
	"time"
)

// noLimit is the timeout of a call whose context has no deadline; what it means, each call of the library says.
const noLimit = -1

// timeout is the time that ctx leaves, in milliseconds, rounded up; noLimit without a deadline.
func timeout(ctx context.Context) int64 {
	deadline, limited := ctx.Deadline()
	if !limited {
		return noLimit
	}
	return ceilMs(time.Until(deadline))
}

// grace is how long to wait for the library's own word when a deadline is over: it has more to say than the context.
const grace = time.Second

// await runs a call that blocks in the library until it ends or ctx does. In that case the call goes on in the
// background, until its own timeout.
func await[T any](ctx context.Context, call func(timeoutMs int64) (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	limit := timeout(ctx)
	if ctx.Done() == nil {
		return call(limit)
	}
	type result struct {
		value T
		err   error
	}
	ended := make(chan result, 1)
	go func() {
		value, err := call(limit)
		ended <- result{value, err}
	}()
	var late <-chan time.Time
	done := ctx.Done()
	for {
		select {
		case r := <-ended:
			return r.value, because(ctx, r.err)
		case <-done:
			if ctx.Err() != context.DeadlineExceeded {
				return none, ctx.Err()
			}
			timer := time.NewTimer(grace)
			defer timer.Stop()
			done, late = nil, timer.C
		case <-late:
			return none, ctx.Err()
		}
	}
}

func ceilMs(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

// goTime is a moment in milliseconds since 1970; the zero time for what is negative, which stands for none.
func goTime(ms int64) time.Time {
	if ms < 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// millis is the reverse of goTime.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return -1
	}
	return t.UnixMilli()
}
