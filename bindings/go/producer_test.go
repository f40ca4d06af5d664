package milena_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"milena"
)

func TestSendReportsEachRecordOnce(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 3, 1))
	p := producer(t, c)
	seen := make(map[uint64]bool)
	offsets := make(map[string]bool)
	for _, d := range send(t, p, "letters", numbered(0, 10_000)...) {
		equal(t, "topic", d.Topic, "letters")
		for i, token := range d.Tokens {
			at := fmt.Sprint(d.Partition, d.Offset(i))
			if seen[token] || offsets[at] {
				t.Fatalf("record %d at %s is reported twice", token, at)
			}
			seen[token], offsets[at] = true, true
		}
	}
	equal(t, "tokens", len(seen), 10_000)
}

func TestSendToAPartition(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 3, 1))
	p := producer(t, c)
	for want := int32(0); want < 3; want++ {
		d := send(t, p, "letters", milena.ProducerRecord{Partition: milena.Some(want)})
		equal(t, "partition", d[0].Partition, want)
		equal(t, "offset", d[0].BaseOffset, 0)
	}
	d := send(t, p, "letters", milena.ProducerRecord{Key: []byte("key"), Value: []byte("a")})
	e := send(t, p, "letters", milena.ProducerRecord{Key: []byte("key"), Value: []byte("b")})
	equal(t, "partition of the same key", d[0].Partition, e[0].Partition)
}

func TestSendTakesUntilOneIsRefused(t *testing.T) {
	p := producer(t, cluster(t, 1))
	records := numbered(0, 10)
	records[7].Value = make([]byte, 2<<20)
	n, err := p.Send(context.Background(), "letters", records...)
	equal(t, "accepted", n, 7)
	isError(t, err, milena.ErrMessageTooLarge)
	delivered(t, p, 7)

	records[7] = milena.ProducerRecord{Timestamp: time.Unix(-5, 0)}
	n, err = p.Send(context.Background(), "letters", records...)
	equal(t, "accepted", n, 7)
	isError(t, err, milena.ErrInvalidArgument)
	delivered(t, p, 7)
}

func TestSendRefuses(t *testing.T) {
	p := producer(t, cluster(t, 1))
	for topic, want := range map[string]milena.Code{
		"":             milena.ErrInvalidTopicException,
		"no spaces":    milena.ErrInvalidTopicException,
		"not\xffUTF-8": milena.ErrInvalidTopicException,
	} {
		n, err := p.Send(context.Background(), topic, milena.ProducerRecord{})
		equal(t, "accepted", n, 0)
		isError(t, err, want)
	}
	n, err := p.Send(context.Background(), "letters")
	must(t, err)
	equal(t, "accepted", n, 0)
	if _, err := p.Send(canceled(), "letters", milena.ProducerRecord{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestDeliveryFails(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	must(t, c.PushError(milena.APIProduce, milena.ErrTopicAuthorizationFailed, 1))
	p := producer(t, c)
	_, err := p.Send(context.Background(), "letters", numbered(0, 3)...)
	must(t, err)
	for _, d := range reported(t, p, 3) {
		e := isError(t, d.Err, milena.ErrTopicAuthorizationFailed)
		equal(t, "retriable", e.Retriable(), false)
		equal(t, "fatal", e.Fatal(), false)
		equal(t, "offset", d.Offset(0), -1)
	}
}

func TestUnreachable(t *testing.T) {
	p, err := milena.NewProducer(milena.Config{"bootstrap.servers": "127.0.0.1:1", "log.level": "off",
		"max.block.ms": "300", "delivery.timeout.ms": "400", "request.timeout.ms": "300", "linger.ms": "0"})
	must(t, err)
	defer p.Close(canceled())
	_, err = p.Send(context.Background(), "letters", numbered(0, 1)...)
	must(t, err)
	d := reported(t, p, 1)
	var e *milena.Error
	if !errors.As(d[0].Err, &e) || e.Cause == "" {
		t.Fatalf("the error has no cause: %v", d[0].Err)
	}
}

// full is a producer whose memory holds one batch, at a broker that does not answer.
func full(t *testing.T, options ...milena.Option) (*milena.EmbeddedCluster, *milena.Producer) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	p := producer(t, c, append([]milena.Option{milena.Config{"buffer.memory": "20000", "linger.ms": "0"}}, options...)...)
	send(t, p, "letters", numbered(0, 1)...)
	must(t, c.PauseBroker(1))
	for {
		n, err := p.Send(within(t, 200*time.Millisecond), "letters", milena.ProducerRecord{Value: make([]byte, 10_000)})
		// The time may be over before the call begins.
		if err != nil && err != context.DeadlineExceeded {
			equal(t, "accepted", n, 0)
			isError(t, err, milena.ErrBufferExhausted)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			return c, p
		}
	}
}

func TestSendWaitsForRoom(t *testing.T) {
	c, p := full(t)
	var wait sync.WaitGroup
	for i := 0; i < 50; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			n, err := p.Send(within(t, limit), "letters", milena.ProducerRecord{Value: make([]byte, 5000)})
			if n != 1 || err != nil {
				t.Error(n, err)
			}
		}()
	}
	eventually(t, "one waits", p.Waits)
	must(t, c.ResumeBroker(1))
	wait.Wait()
	must(t, p.Flush(within(t, limit)))
}

func TestSendGoesOnWhereItWasRefused(t *testing.T) {
	c, p := full(t, milena.Config{"batch.size": "2000"})
	records := numbered(0, 2000)
	for i := range records {
		records[i].Headers = []milena.Header{{Name: "n", Value: []byte{1, 2, 3}}, {Name: "null"}}
		records[i].Key = []byte("key")
	}
	go func() {
		eventually(t, "it waits", p.Waits)
		c.ResumeBroker(1)
	}()
	n, err := p.Send(within(t, limit), "letters", records...)
	must(t, err)
	equal(t, "accepted", n, len(records))
	must(t, p.Flush(within(t, limit)))
	k := consumer(t, c)
	must(t, k.Assign(partitions("letters", 1)...))
	next := 0
	for next < len(records) {
		batch, err := k.Poll(within(t, limit))
		must(t, err)
		for i := 0; i < batch.Len(); i++ {
			if r := batch.At(i); string(r.Key) == "key" {
				equal(t, "value", string(r.Value), fmt.Sprint(next))
				next++
			}
		}
	}
}

func TestCancelledSend(t *testing.T) {
	_, p := full(t)
	for _, waiters := range []int{1, 20} {
		ctx, cancel := context.WithCancel(context.Background())
		errs := make(chan error, waiters)
		for i := 0; i < waiters; i++ {
			go func() {
				_, err := p.Send(ctx, "letters", milena.ProducerRecord{Value: make([]byte, 10_000)})
				errs <- err
			}()
		}
		eventually(t, "one waits", p.Waits)
		cancel()
		began := time.Now()
		for i := 0; i < waiters; i++ {
			err := <-errs
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			// Some may not have begun when it ended.
			if err != context.Canceled {
				isError(t, err, milena.ErrBufferExhausted)
			}
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Fatalf("it took %v", took)
		}
	}
}

func TestMaxBlockMs(t *testing.T) {
	_, p := full(t, milena.Config{"max.block.ms": "250"})
	began := time.Now()
	_, err := p.Send(context.Background(), "letters", milena.ProducerRecord{Value: make([]byte, 10_000)})
	isError(t, err, milena.ErrBufferExhausted)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err = p.Send(ctx, "letters", milena.ProducerRecord{Value: make([]byte, 10_000)})
	isError(t, err, milena.ErrBufferExhausted)
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Fatalf("it took %v only", took)
	}
}

func TestPollEndsWithItsContext(t *testing.T) {
	p := producer(t, cluster(t, 1))
	if _, err := p.Poll(within(t, 20*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if _, err := p.Poll(soonCanceled()); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestManyGoroutines(t *testing.T) {
	const senders, pollers, each = 8, 4, 2000
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 4, 1))
	p := producer(t, c, milena.Config{"buffer.memory": "200000", "batch.size": "2000"})
	var senderGroup, pollerGroup sync.WaitGroup
	var mu sync.Mutex
	seen := make(map[uint64]int)
	for i := 0; i < pollers; i++ {
		pollerGroup.Add(1)
		go func() {
			defer pollerGroup.Done()
			p.Deliveries(within(t, limit))(func(d milena.Delivery, err error) bool {
				if err != nil || d.Err != nil {
					t.Error(err, d.Err)
					return false
				}
				mu.Lock()
				defer mu.Unlock()
				for _, token := range d.Tokens {
					seen[token]++
				}
				return true
			})
		}()
	}
	for s := 0; s < senders; s++ {
		senderGroup.Add(1)
		go func(first int) {
			defer senderGroup.Done()
			for i := 0; i < each; i += 50 {
				if _, err := p.Send(within(t, limit), "letters", numbered(first+i, 50)...); err != nil {
					t.Error(err)
				}
			}
		}(s * each)
	}
	senderGroup.Wait()
	must(t, p.Flush(within(t, limit)))
	must(t, p.Close(within(t, limit)))
	pollerGroup.Wait()
	equal(t, "records", len(seen), senders*each)
	for token, times := range seen {
		if times != 1 {
			t.Fatalf("record %d is reported %d times", token, times)
		}
	}
}

func TestDeliveriesLeftEarly(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 8, 1))
	p := producer(t, c)
	for i := int32(0); i < 8; i++ {
		_, err := p.Send(context.Background(), "letters", milena.ProducerRecord{Partition: milena.Some(i)})
		must(t, err)
	}
	must(t, p.Flush(within(t, limit)))
	seen := make(map[int32]bool)
	for len(seen) < 8 {
		p.Deliveries(within(t, limit))(func(d milena.Delivery, err error) bool {
			must(t, err)
			if seen[d.Partition] {
				t.Fatalf("partition %d twice", d.Partition)
			}
			seen[d.Partition] = true
			return false
		})
	}
}

func TestFlush(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	p := producer(t, c, milena.Config{"linger.ms": "60000", "delivery.timeout.ms": "120000"})
	_, err := p.Send(context.Background(), "letters", numbered(0, 10)...)
	must(t, err)
	must(t, p.Flush(context.Background()))
	delivered(t, p, 10)

	must(t, c.PauseBroker(1))
	_, err = p.Send(context.Background(), "letters", numbered(0, 10)...)
	must(t, err)
	err = p.Flush(within(t, 50*time.Millisecond))
	isError(t, err, milena.ErrTimedOut)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if err := p.Flush(soonCanceled()); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	must(t, c.ResumeBroker(1))
	must(t, p.Flush(within(t, limit)))
	delivered(t, p, 10)
}

func TestCloseDelivers(t *testing.T) {
	c := cluster(t, 1)
	p := producer(t, c, milena.Config{"linger.ms": "10000"})
	_, err := p.Send(context.Background(), "letters", numbered(0, 100)...)
	must(t, err)
	must(t, p.Close(within(t, limit)))
	must(t, p.Close(within(t, limit)))
	delivered(t, p, 100)
	_, err = p.Poll(context.Background())
	isError(t, err, milena.ErrClosed)
	n, err := p.Send(context.Background(), "letters", milena.ProducerRecord{})
	equal(t, "accepted", n, 0)
	isError(t, err, milena.ErrClosed)
	isError(t, p.Flush(context.Background()), milena.ErrClosed)
}

func TestCloseGivesUp(t *testing.T) {
	deadline := func() context.Context { return within(t, 100*time.Millisecond) }
	for name, ctx := range map[string]func() context.Context{
		"deadline": deadline, "cancelled": soonCanceled, "cancelled before": canceled,
	} {
		t.Run(name, func(t *testing.T) {
			c := cluster(t, 1)
			must(t, c.CreateTopic("letters", 1, 1))
			p := producer(t, c)
			must(t, c.PauseBroker(1))
			_, err := p.Send(context.Background(), "letters", numbered(0, 100)...)
			must(t, err)
			ctx := ctx()
			err = p.Close(ctx)
			isError(t, err, milena.ErrTimedOut)
			// The library's own deadline may pass a moment before the context's.
			if gone := ctx.Err(); errors.Is(gone, context.Canceled) && !errors.Is(err, gone) {
				t.Fatal(err)
			}
			for _, d := range reported(t, p, 100) {
				isError(t, d.Err, milena.ErrPurged)
			}
		})
	}
}

func TestCloseWhileBlocked(t *testing.T) {
	_, p := full(t)
	ended := make(chan error, 3)
	go func() {
		_, err := p.Send(context.Background(), "letters", milena.ProducerRecord{Value: make([]byte, 10_000)})
		ended <- err
	}()
	go func() {
		var err error
		for err == nil {
			_, err = p.Poll(context.Background())
		}
		ended <- err
	}()
	eventually(t, "both wait", func() bool { return p.Waits() && p.Polled() })
	isError(t, p.Close(within(t, 50*time.Millisecond)), milena.ErrTimedOut)
	for i := 0; i < 2; i++ {
		isError(t, <-ended, milena.ErrClosed)
	}
}
