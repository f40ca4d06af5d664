package milena_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"milena"
)

// limit is how long anything in these tests may take.
const limit = 2 * time.Minute

// shortly is the deadline of what can't succeed.
const shortly = 50 * time.Millisecond

func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// isError checks the code, and that everything there is to say is in the text.
func isError(t testing.TB, err error, want milena.Code) *milena.Error {
	t.Helper()
	var e *milena.Error
	if !errors.Is(err, want) || !errors.As(err, &e) {
		t.Fatalf("got %v, want %v", err, want)
	}
	if !strings.Contains(err.Error(), want.Name()) || !strings.Contains(err.Error(), e.Message) {
		t.Fatalf("the text %q lacks the name or the message", err)
	}
	return e
}

// cluster starts an embedded one for a test.
func cluster(t testing.TB, brokers int, options ...milena.Option) *milena.EmbeddedCluster {
	t.Helper()
	c, err := milena.NewEmbeddedCluster(brokers, options...)
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func producer(t testing.TB, c *milena.EmbeddedCluster, options ...milena.Option) *milena.Producer {
	t.Helper()
	p, err := milena.NewProducer(with(c, options)...)
	must(t, err)
	t.Cleanup(func() { p.Close(canceled()) })
	return p
}

func consumer(t testing.TB, c *milena.EmbeddedCluster, options ...milena.Option) *milena.Consumer {
	t.Helper()
	defaults := milena.Config{"auto.offset.reset": "earliest", "enable.auto.commit": "false",
		"fetch.max.wait.ms": "20"}
	k, err := milena.NewConsumer(with(c, append([]milena.Option{defaults}, options...))...)
	must(t, err)
	t.Cleanup(func() { k.Close(within(t, 5*time.Second)) })
	return k
}

func admin(t testing.TB, c *milena.EmbeddedCluster, options ...milena.Option) *milena.Admin {
	t.Helper()
	a, err := milena.NewAdmin(with(c, options)...)
	must(t, err)
	t.Cleanup(func() { a.Close() })
	return a
}

func with(c *milena.EmbeddedCluster, options []milena.Option) []milena.Option {
	return append([]milena.Option{milena.Config{"bootstrap.servers": c.BootstrapServers()}}, options...)
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// soonCanceled is a context that ends while a call waits.
func soonCanceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	return ctx
}

// numbered are records with values "0", "1", … and those numbers as tokens.
func numbered(first, n int) []milena.ProducerRecord {
	records := make([]milena.ProducerRecord, n)
	for i := range records {
		records[i] = milena.ProducerRecord{Value: []byte(fmt.Sprint(first + i)), Token: uint64(first + i)}
	}
	return records
}

// send hands records over and waits until all are delivered.
func send(t testing.TB, p *milena.Producer, topic string, records ...milena.ProducerRecord) []milena.Delivery {
	t.Helper()
	ctx := within(t, limit)
	n, err := p.Send(ctx, topic, records...)
	must(t, err)
	equal(t, "accepted", n, len(records))
	return delivered(t, p, len(records))
}

// delivered polls until so many records are reported, all as delivered.
func delivered(t testing.TB, p *milena.Producer, n int) []milena.Delivery {
	t.Helper()
	all := reported(t, p, n)
	for _, d := range all {
		must(t, d.Err)
	}
	return all
}

func reported(t testing.TB, p *milena.Producer, n int) []milena.Delivery {
	t.Helper()
	ctx := within(t, limit)
	var all []milena.Delivery
	for n > 0 {
		some, err := p.Poll(ctx)
		must(t, err)
		for _, d := range some {
			n -= len(d.Tokens)
		}
		all = append(all, some...)
	}
	equal(t, "records reported too often", n, 0)
	return all
}

// read polls until there are n records, and hands events to each.
func read(t testing.TB, c *milena.Consumer, n int, events func(*milena.Event)) []milena.ConsumerRecord {
	t.Helper()
	ctx := within(t, limit)
	var all []milena.ConsumerRecord
	for len(all) < n {
		batch, err := c.Poll(ctx)
		must(t, err)
		if batch.Event != nil && events != nil {
			events(batch.Event)
		}
		batch.All()(func(r milena.ConsumerRecord) bool {
			all = append(all, r)
			return true
		})
	}
	equal(t, "records", len(all), n)
	return all
}

// eventually tries until it is true.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%s: not in %v\n%s", what, limit, buf[:runtime.Stack(buf, true)])
		}
	}
}

func partitions(topic string, n int) []milena.TopicPartition {
	all := make([]milena.TopicPartition, n)
	for i := range all {
		all[i] = milena.TopicPartition{Topic: topic, Partition: int32(i)}
	}
	return all
}
