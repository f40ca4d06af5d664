package milena_test

import (
	"context"
	"runtime"
	"testing"

	"milena"
)

// The embedded cluster works in this process, too: its time is in the figures, its memory is not among Go's allocations.
// go test -run '^$' -bench . -benchmem

const valueBytes = 100

// perRecord reports figures of a record.
func perRecord(b *testing.B, run func(n int)) {
	b.ReportAllocs()
	b.SetBytes(valueBytes)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	run(b.N)
	b.StopTimer()
	runtime.ReadMemStats(&after)
	n := float64(b.N)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/record")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/n, "allocs/record")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/n, "B/record")
}

func benchmarkSend(b *testing.B, each int) {
	c := cluster(b, 1, milena.Config{"log.retention.bytes": "1000000"})
	must(b, c.CreateTopic("letters", 1, 1))
	p := producer(b, c, milena.Config{"linger.ms": "5"})
	records := make([]milena.ProducerRecord, each)
	for i := range records {
		records[i].Value = make([]byte, valueBytes)
	}
	told := make(chan struct{})
	ctx := context.Background()
	perRecord(b, func(n int) {
		go func() {
			defer close(told)
			for left := n; left > 0; {
				deliveries, err := p.Poll(ctx)
				if err != nil {
					b.Error(err)
					return
				}
				for _, d := range deliveries {
					left -= len(d.Tokens)
				}
			}
		}()
		for left := n; left > 0; left -= each {
			if _, err := p.Send(ctx, "letters", records[:min(each, left)]...); err != nil {
				b.Fatal(err)
			}
		}
		<-told
	})
}

func BenchmarkSendOne(b *testing.B)  { benchmarkSend(b, 1) }
func BenchmarkSendMany(b *testing.B) { benchmarkSend(b, 1000) }

// What is read is read again and again, from the beginning.
func BenchmarkPoll(b *testing.B) {
	const stored = 100_000
	c := cluster(b, 1)
	must(b, c.CreateTopic("letters", 1, 1))
	p := producer(b, c)
	records := make([]milena.ProducerRecord, stored)
	for i := range records {
		records[i].Value = make([]byte, valueBytes)
	}
	_, err := p.Send(context.Background(), "letters", records...)
	must(b, err)
	must(b, p.Flush(within(b, limit)))
	k := consumer(b, c, milena.Config{"max.poll.records": "10000"})
	must(b, k.Assign(partitions("letters", 1)...))
	ctx := context.Background()
	perRecord(b, func(n int) {
		next := int64(0)
		for n > 0 {
			batch, err := k.Poll(ctx)
			must(b, err)
			for i := 0; i < batch.Len(); i++ {
				if r := batch.At(i); r.Offset != next || len(r.Value) != valueBytes {
					b.Fatal("it is not the record that was sent", r.Offset, next)
				}
				next++
			}
			n -= batch.Len()
			if next == stored {
				must(b, k.SeekToBeginning())
				next = 0
			}
		}
	})
}
