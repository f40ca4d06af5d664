package milena_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync"
	"testing"

	"milena"
)

func TestUseAfterClose(t *testing.T) {
	c := cluster(t, 1)
	ctx := within(t, limit)
	p, k, a := producer(t, c), consumer(t, c, milena.Config{"group.id": "readers"}), admin(t, c)
	must(t, p.Close(ctx))
	must(t, k.Close(ctx))
	must(t, a.Close())
	// Others take the slots of those that are gone: an old handle must not become theirs.
	_, _, _ = producer(t, c), consumer(t, c), admin(t, c)
	one := partitions("letters", 1)
	offset := milena.Offset{Topic: "letters"}
	for name, call := range map[string]func() error{
		"Send":             func() error { _, err := p.Send(ctx, "letters", milena.ProducerRecord{}); return err },
		"Producer.Poll":    func() error { _, err := p.Poll(ctx); return err },
		"Flush":            func() error { return p.Flush(ctx) },
		"Subscribe":        func() error { return k.Subscribe("letters") },
		"Unsubscribe":      k.Unsubscribe,
		"Assign":           func() error { return k.Assign(one...) },
		"Assignment":       func() error { _, err := k.Assignment(); return err },
		"Consumer.Poll":    func() error { _, err := k.Poll(ctx); return err },
		"Seek":             func() error { return k.Seek(offset) },
		"SeekToBeginning":  func() error { return k.SeekToBeginning(one...) },
		"SeekToEnd":        func() error { return k.SeekToEnd(one...) },
		"Pause":            func() error { return k.Pause(one...) },
		"Resume":           func() error { return k.Resume(one...) },
		"Position":         func() error { _, err := k.Position(ctx, one...); return err },
		"Committed":        func() error { _, err := k.Committed(ctx, one...); return err },
		"BeginningOffsets": func() error { _, err := k.BeginningOffsets(ctx, one...); return err },
		"EndOffsets":       func() error { _, err := k.EndOffsets(ctx, one...); return err },
		"OffsetsForTimes":  func() error { _, err := k.OffsetsForTimes(ctx, offset); return err },
		"Commit":           func() error { return k.Commit(ctx, offset) },
		"CommitAsync":      func() error { return k.CommitAsync(offset) },
		"DescribeCluster":  func() error { _, err := a.DescribeCluster(ctx); return err },
		"ListTopics":       func() error { _, err := a.ListTopics(ctx, false); return err },
		"CreateTopics":     func() error { _, err := a.CreateTopics(ctx, milena.NewTopic{Name: "x"}); return err },
	} {
		t.Run(name, func(t *testing.T) { isError(t, call(), milena.ErrClosed) })
	}
	must(t, p.Close(ctx))
	must(t, k.Close(ctx))
	must(t, a.Close())
	must(t, c.Close())
	must(t, c.Close())
	isError(t, c.CreateTopic("letters", 1, 1), milena.ErrClosed)
	_, err := c.RequestCount(milena.AnyAPI)
	isError(t, err, milena.ErrClosed)
}

// Clients are closed by several goroutines at once, in the middle of calls by others.
func TestConcurrentClose(t *testing.T) {
	const rounds, goroutines = 20, 4
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	for round := 0; round < rounds; round++ {
		p, k, a := producer(t, c), consumer(t, c), admin(t, c)
		must(t, k.Assign(partitions("letters", 1)...))
		ctx := within(t, limit)
		var all sync.WaitGroup
		run := func(call func() error) {
			all.Add(1)
			go func() {
				defer all.Done()
				for {
					err := call()
					if errors.Is(err, milena.ErrClosed) {
						return
					}
					if err != nil && !errors.Is(err, milena.ErrBusy) {
						t.Error(err)
						return
					}
				}
			}()
		}
		for i := 0; i < goroutines; i++ {
			run(func() error { _, err := p.Send(ctx, "letters", milena.ProducerRecord{}); return err })
			run(func() error { _, err := p.Poll(ctx); return err })
			run(func() error { _, err := k.Poll(ctx); return err })
			run(func() error { _, err := k.EndOffsets(ctx, partitions("letters", 1)...); return err })
			run(func() error { _, err := a.DescribeCluster(ctx); return err })
		}
		for i := 0; i < goroutines; i++ {
			for _, end := range []func() error{
				func() error { return p.Close(ctx) }, func() error { return k.Close(ctx) }, a.Close,
			} {
				all.Add(1)
				go func(end func() error) {
					defer all.Done()
					if err := end(); err != nil {
						t.Error(err)
					}
				}(end)
			}
		}
		all.Wait()
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("this system does not list descriptors")
	}
	return len(all)
}

// use makes all kinds of clients and waits with each of them, so that they have goroutines and descriptors.
func use(t *testing.T, c *milena.EmbeddedCluster) (*milena.Producer, *milena.Consumer, *milena.Admin) {
	t.Helper()
	// Without the helpers, whose clean-up would keep the clients.
	ctx := within(t, limit)
	servers := milena.Config{"bootstrap.servers": c.BootstrapServers(), "log.level": "off"}
	p, err := milena.NewProducer(servers)
	must(t, err)
	k, err := milena.NewConsumer(servers, milena.Config{"auto.offset.reset": "earliest"})
	must(t, err)
	a, err := milena.NewAdmin(servers)
	must(t, err)
	send(t, p, "letters", milena.ProducerRecord{})
	must(t, k.Assign(partitions("letters", 1)...))
	batch, err := k.Poll(ctx)
	must(t, err)
	equal(t, "records", batch.Len() > 0, true)
	_, err = a.DescribeCluster(ctx)
	must(t, err)
	return p, k, a
}

func TestNoLeaks(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	for _, end := range []struct {
		how    string
		rounds func()
	}{
		{"closed", func() {
			p, k, a := use(t, c)
			must(t, p.Close(within(t, limit)))
			must(t, k.Close(within(t, limit)))
			must(t, a.Close())
		}},
		{"forgotten", func() { use(t, c) }},
	} {
		t.Run(end.how, func(t *testing.T) {
			end.rounds()
			runtime.GC()
			goroutines, open := runtime.NumGoroutine(), descriptors(t)
			for i := 0; i < 10; i++ {
				end.rounds()
			}
			// Contexts of a test end with it, and finalizers of what is forgotten need two collections.
			eventually(t, "all goroutines and descriptors are given back", func() bool {
				runtime.GC()
				return runtime.NumGoroutine() <= goroutines && descriptors(t) <= open
			})
		})
	}
}

// A client that only a call that waits refers to is not collected.
func TestCallsKeepTheirClient(t *testing.T) {
	c := cluster(t, 1)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	func() {
		k, err := milena.NewConsumer(milena.Config{"bootstrap.servers": c.BootstrapServers()})
		must(t, err)
		must(t, k.Assign(partitions("letters", 1)...))
		go func() {
			_, err := k.Poll(ctx)
			ended <- err
		}()
		eventually(t, "it polls", k.Busy)
	}()
	for i := 0; i < 5; i++ {
		runtime.GC()
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("the consumer was collected while it was polled: %v", err)
	}
}
