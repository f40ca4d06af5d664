package milena_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"milena"
)

func TestGroup(t *testing.T) {
	const members, records = 2, 2000
	c := cluster(t, 2)
	must(t, c.CreateTopic("letters", 4, 1))
	for _, strategy := range []string{"range", "cooperative-sticky"} {
		t.Run(strategy, func(t *testing.T) { group(t, c, strategy, members, records) })
	}
}

// group is consumers that come one after the other, and one that leaves; all records are read at least once, and those
// of a partition in their order by each.
func group(t *testing.T, c *milena.EmbeddedCluster, strategy string, members, records int) {
	config := milena.Config{"group.id": strategy, "partition.assignment.strategy": strategy,
		"heartbeat.interval.ms": "50", "max.poll.records": "10"}
	p := producer(t, c)
	ctx, cancel := context.WithCancel(within(t, limit))
	defer cancel()
	var mu sync.Mutex
	seen := make(map[string]bool)
	owned := make([]map[int32]bool, members)
	var wait sync.WaitGroup
	member := func(i int, k *milena.Consumer) {
		defer wait.Done()
		for {
			batch, err := k.Poll(ctx)
			if errors.Is(err, context.Canceled) || errors.Is(err, milena.ErrClosed) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			if e := batch.Event; e != nil {
				follow(owned[i], e)
			}
			batch.All()(func(r milena.ConsumerRecord) bool {
				if !owned[i][r.Partition] {
					t.Errorf("a record of partition %d, which is not owned", r.Partition)
				}
				seen[string(r.Value)] = true
				return true
			})
			mu.Unlock()
			if batch.Event == nil {
				if err := k.Commit(ctx); err != nil && !errors.Is(err, milena.ErrRebalanceInProgress) &&
					!errors.Is(err, context.Canceled) && !errors.Is(err, milena.ErrClosed) {
					t.Error(err)
				}
			}
		}
	}
	consumers := make([]*milena.Consumer, members)
	balanced := func(counts ...int) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			for i, n := range counts {
				if len(owned[i]) != n {
					return false
				}
			}
			return true
		}
	}
	for i := range consumers {
		consumers[i] = consumer(t, c, config)
		owned[i] = make(map[int32]bool)
		must(t, consumers[i].Subscribe("letters"))
		wait.Add(1)
		go member(i, consumers[i])
		if i == 0 {
			eventually(t, "the first has all", balanced(4))
		}
		send(t, p, "letters", numbered(i*records, records)...)
	}
	eventually(t, "they share", balanced(2, 2))
	send(t, p, "letters", numbered(members*records, records)...)
	must(t, consumers[0].Close(ctx))
	eventually(t, "the second has all", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(owned[1]) == 4
	})
	eventually(t, "all are read", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(seen) == (members+1)*records
	})
	cancel()
	wait.Wait()
}

func follow(owned map[int32]bool, e *milena.Event) {
	for _, o := range e.Partitions {
		switch e.Kind {
		case milena.EventAssigned:
			owned[o.Partition] = true
		case milena.EventRevoked, milena.EventLost:
			delete(owned, o.Partition)
		}
	}
}

// A Poll that waits longer than max.poll.interval.ms keeps the membership.
func TestWaitingCountsAsPolling(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	k := consumer(t, c, milena.Config{"group.id": "readers", "max.poll.interval.ms": "2000"})
	must(t, k.Subscribe("letters"))
	batch, err := k.Poll(within(t, limit))
	must(t, err)
	equal(t, "event", batch.Event.Kind, milena.EventAssigned)
	if batch, err := k.Poll(within(t, 3*time.Second)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %+v, %v", batch, err)
	}
	must(t, k.Commit(within(t, limit)))
}

// owns polls until it has been assigned so many partitions.
func owns(t *testing.T, k *milena.Consumer, n int) {
	t.Helper()
	ctx := within(t, limit)
	for {
		batch, err := k.Poll(ctx)
		must(t, err)
		if e := batch.Event; e != nil && e.Kind == milena.EventAssigned && len(e.Partitions) == n {
			return
		}
	}
}

// A static member that restarts within its session takes its place again, and one of the same name takes it over.
func TestStaticMember(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 2, 1))
	member := func() *milena.Consumer {
		k := consumer(t, c, milena.Config{"group.id": "static", "group.instance.id": "i",
			"session.timeout.ms": "30000", "heartbeat.interval.ms": "100"})
		must(t, k.Subscribe("letters"))
		owns(t, k, 2)
		return k
	}
	must(t, member().Close(within(t, limit)))
	first := member()
	second := member()
	ctx := within(t, limit)
	for {
		_, err := first.Poll(ctx)
		if err == nil {
			continue
		}
		if e := isError(t, err, milena.ErrFencedInstanceID); !e.Fatal() {
			t.Fatalf("not fatal: %v", err)
		}
		break
	}
	must(t, second.Commit(within(t, limit)))
}
