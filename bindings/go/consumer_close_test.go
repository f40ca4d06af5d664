package milena_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"milena"
)

func TestStates(t *testing.T) {
	c := cluster(t, 1)
	ctx := within(t, limit)
	k := consumer(t, c)
	isError(t, k.Subscribe("letters"), milena.ErrInvalidState)
	isError(t, k.Commit(ctx), milena.ErrInvalidState)
	_, err := k.Poll(ctx)
	isError(t, err, milena.ErrInvalidState)
	g := consumer(t, c, milena.Config{"group.id": "readers"})
	must(t, g.Subscribe("letters"))
	isError(t, g.Assign(partitions("letters", 1)...), milena.ErrInvalidState)
	must(t, g.Unsubscribe())
	must(t, g.Assign(partitions("letters", 1)...))
}

// A wake-up that comes when its call has just ended must not end another one.
func TestCancellationsDoNotLeak(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	k := consumer(t, c)
	one := partitions("letters", 1)
	// The questions are short: of a topic that is assigned the metadata is there, and no fetch is in front of them.
	must(t, k.Assign(one...))
	must(t, k.Pause(one...))
	for i := 0; i < 300; i++ {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Duration(i)*5*time.Microsecond, cancel)
		if _, err := k.EndOffsets(ctx, one...); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		_, err := k.BeginningOffsets(within(t, limit), one...)
		must(t, err)
	}
}

func TestOneGoroutineAtATime(t *testing.T) {
	c := cluster(t, 1)
	k := consumer(t, c)
	must(t, k.Assign(partitions("letters", 1)...))
	polling := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, err := k.Poll(ctx)
		polling <- err
	}()
	eventually(t, "it is busy", k.Busy)
	_, err := k.Poll(ctx)
	isError(t, err, milena.ErrBusy)
	cancel()
	if err := <-polling; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	_, err = k.Assignment()
	must(t, err)
}

func TestConsumerCloseWhileBlocked(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	for name, call := range map[string]func(*milena.Consumer) error{
		"Poll": func(k *milena.Consumer) error { _, err := k.Poll(context.Background()); return err },
		"EndOffsets": func(k *milena.Consumer) error {
			_, err := k.EndOffsets(context.Background(), partitions("letters", 1)...)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := consumer(t, c)
			must(t, k.Assign(partitions("letters", 1)...))
			must(t, c.PauseBroker(1))
			defer c.ResumeBroker(1)
			ended := make(chan error, 1)
			go func() { ended <- call(k) }()
			eventually(t, "it is busy", k.Busy)
			must(t, k.Close(within(t, limit)))
			isError(t, <-ended, milena.ErrClosed)
			must(t, k.Close(context.Background()))
			_, err := k.Assignment()
			isError(t, err, milena.ErrClosed)
			_, err = k.Poll(context.Background())
			isError(t, err, milena.ErrClosed)
		})
	}
}

func TestConsumerCloseEndsInTime(t *testing.T) {
	c := cluster(t, 1)
	send(t, producer(t, c), "letters", numbered(0, 1)...)
	for name, end := range map[string]struct {
		ctx func() context.Context
		err error
	}{
		"deadline":         {func() context.Context { return within(t, 100*time.Millisecond) }, context.DeadlineExceeded},
		"cancelled":        {soonCanceled, context.Canceled},
		"cancelled before": {canceled, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			k := consumer(t, c, milena.Config{"group.id": "g" + name, "enable.auto.commit": "true"})
			must(t, k.Subscribe("letters"))
			read(t, k, 1, nil)
			must(t, c.PauseBroker(1))
			defer c.ResumeBroker(1)
			began := time.Now()
			if err := k.Close(end.ctx()); !errors.Is(err, end.err) {
				t.Fatal(err)
			}
			// Without an end it would take default.api.timeout.ms.
			if took := time.Since(began); took > 30*time.Second {
				t.Fatalf("it took %v", took)
			}
		})
	}
}
