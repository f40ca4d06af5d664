package milena_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"milena"
)

func TestRoundTrip(t *testing.T) {
	when := time.UnixMilli(1_700_000_000_123)
	sent := []milena.ProducerRecord{
		{},
		{Key: []byte{}, Value: []byte{}},
		{Key: []byte("key"), Value: nil, Timestamp: when},
		{Key: nil, Value: []byte("value")},
		{Value: bytes.Repeat([]byte{0, 255}, 50_000)},
		{Headers: []milena.Header{{"same", []byte("1")}, {"same", []byte("2")}, {"", []byte{}}, {"null", nil}}},
		{Headers: []milena.Header{{Name: "größer"}}, Value: []byte("last")},
	}
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		t.Run(codec, func(t *testing.T) {
			c := cluster(t, 1)
			must(t, c.CreateTopic("letters", 1, 1))
			began := time.Now().Add(-time.Second)
			send(t, producer(t, c, milena.Config{"compression.type": codec}), "letters", sent...)
			k := consumer(t, c)
			must(t, k.Assign(partitions("letters", 1)...))
			for i, r := range read(t, k, len(sent), nil) {
				equal(t, "topic", r.Topic, "letters")
				equal(t, "offset", r.Offset, int64(i))
				equal(t, "type", r.TimestampType, milena.CreateTime)
				equal(t, "control", r.Control, false)
				if want := sent[i].Timestamp; !want.IsZero() {
					equal(t, "time", r.Timestamp, want)
				} else if r.Timestamp.Before(began) || r.Timestamp.After(time.Now().Add(time.Second)) {
					t.Fatalf("record %d is of %v", i, r.Timestamp)
				}
				for what, pair := range map[string][2]any{
					"key": {r.Key, sent[i].Key}, "value": {r.Value, sent[i].Value}, "headers": {r.Headers, sent[i].Headers},
				} {
					if !reflect.DeepEqual(pair[0], pair[1]) {
						t.Fatalf("%s of record %d: got %#v, want %#v", what, i, pair[0], pair[1])
					}
				}
			}
		})
	}
}

func TestBatch(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 3, 1))
	p := producer(t, c)
	for i := int32(0); i < 3; i++ {
		for n := int32(0); n <= i; n++ {
			send(t, p, "letters", milena.ProducerRecord{Partition: milena.Some(i), Value: []byte{byte(i), byte(n)}})
		}
	}
	k := consumer(t, c)
	must(t, k.Assign(partitions("letters", 3)...))
	next := make(map[int32]int64)
	for next[0]+next[1]+next[2] < 6 {
		batch, err := k.Poll(within(t, limit))
		must(t, err)
		n := 0
		for _, chunk := range batch.Chunks() {
			for i := 0; i < chunk.Len(); i++ {
				r := chunk.At(i)
				equal(t, "partition", r.Partition, chunk.Partition)
				equal(t, "offset", r.Offset, next[r.Partition])
				equal(t, "value", string(r.Value), string([]byte{byte(r.Partition), byte(r.Offset)}))
				equal(t, "the same by All and At", string(batch.At(n).Value), string(r.Value))
				next[r.Partition]++
				n++
			}
			equal(t, "next offset", chunk.NextOffset, next[chunk.Partition])
			count := 0
			chunk.All()(func(milena.ConsumerRecord) bool { count++; return false })
			equal(t, "records of an iteration left early", count, 1)
		}
		equal(t, "records", batch.Len(), n)
		for _, o := range batch.Offsets() {
			equal(t, "offset to commit", o.Offset, next[o.Partition])
		}
	}
	empty := &milena.Batch{Event: &milena.Event{}}
	equal(t, "records of an event", empty.Len(), 0)
}

func TestKeptRecordsDoNotOverlap(t *testing.T) {
	c := cluster(t, 1)
	send(t, producer(t, c), "letters", numbered(0, 3)...)
	k := consumer(t, c)
	must(t, k.Assign(partitions("letters", 1)...))
	all := read(t, k, 3, nil)
	_ = append(all[0].Value, "xxxxxxxxxxxxxxxxxxxx"...)
	equal(t, "the next value", string(all[1].Value), "1")
	must(t, k.Close(within(t, limit)))
	equal(t, "after close", string(all[2].Value), "2")
}

func TestCommits(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 2, 1))
	p := producer(t, c)
	for i := int32(0); i < 2; i++ {
		records := numbered(0, 10)
		for n := range records {
			records[n].Partition = milena.Some(i)
		}
		send(t, p, "letters", records...)
	}
	ctx := within(t, limit)
	k := consumer(t, c, milena.Config{"group.id": "readers"})
	both := partitions("letters", 2)
	must(t, k.Assign(both...))
	before, err := k.Committed(ctx, both...)
	must(t, err)
	equal(t, "committed before", before[1].Offset, -1)

	must(t, k.Commit(ctx, milena.Offset{Topic: "letters", Partition: 1, Offset: 7, Metadata: "halfway"}))
	after, err := k.Committed(ctx, both...)
	must(t, err)
	equal(t, "partition 0", after[0].Offset, -1)
	equal(t, "partition 1", after[1].Offset, 7)
	equal(t, "metadata", after[1].Metadata, "halfway")

	read(t, k, 20, nil)
	must(t, k.Commit(ctx))
	after, err = k.Committed(ctx, both...)
	must(t, err)
	equal(t, "all of partition 0", after[0].Offset, 10)
	equal(t, "all of partition 1", after[1].Offset, 10)

	must(t, k.CommitAsync(milena.Offset{Topic: "letters", Partition: 0, Offset: 3}))
	batch, err := k.Poll(ctx)
	must(t, err)
	if e := batch.Event; e == nil || e.Kind != milena.EventCommitted || e.Err != nil || e.Partitions[0].Offset != 3 {
		t.Fatalf("got %+v", batch.Event)
	}
	isError(t, k.Commit(ctx, milena.Offset{Topic: "letters", Offset: -5}), milena.ErrInvalidArgument)
	must(t, k.Close(ctx))

	again := consumer(t, c, milena.Config{"group.id": "readers"})
	must(t, again.Assign(both...))
	for i, r := range read(t, again, 7, nil) {
		equal(t, "partition", r.Partition, 0)
		equal(t, "offset", r.Offset, int64(3+i))
	}
}

func TestAutoCommitOnClose(t *testing.T) {
	c := cluster(t, 1)
	send(t, producer(t, c), "letters", numbered(0, 10)...)
	config := milena.Config{"group.id": "readers", "enable.auto.commit": "true"}
	k := consumer(t, c, config)
	must(t, k.Subscribe("letters"))
	read(t, k, 10, nil)
	must(t, k.Close(within(t, limit)))
	k = consumer(t, c, config)
	committed, err := k.Committed(within(t, limit), partitions("letters", 1)...)
	must(t, err)
	equal(t, "committed", committed[0].Offset, 10)
}

func TestPositions(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	p := producer(t, c)
	for i := 0; i < 10; i++ {
		send(t, p, "letters", milena.ProducerRecord{Value: []byte(fmt.Sprint(i)), Timestamp: time.UnixMilli(int64(1000 + i))})
	}
	ctx := within(t, limit)
	k := consumer(t, c)
	one := partitions("letters", 1)
	must(t, k.Assign(one...))

	position := func(want int64) {
		t.Helper()
		at, err := k.Position(ctx, one...)
		must(t, err)
		equal(t, "position", at[0].Offset, want)
		value := "none"
		if want < 10 {
			value = string(read(t, k, int(10-want), nil)[0].Value)
			equal(t, "value", value, fmt.Sprint(want))
		}
	}
	position(0)
	must(t, k.Seek(milena.Offset{Topic: "letters", Offset: 4}))
	position(4)
	must(t, k.SeekToEnd(one...))
	position(10)
	must(t, k.SeekToBeginning())
	position(0)
	assignment, err := k.Assignment()
	must(t, err)
	equal(t, "assignment", assignment[0].TopicPartition(), one[0])
	equal(t, "its position", assignment[0].Offset, 10)

	first, err := k.BeginningOffsets(ctx, one...)
	must(t, err)
	equal(t, "beginning", first[0].Offset, 0)
	end, err := k.EndOffsets(ctx, one...)
	must(t, err)
	equal(t, "end", end[0].Offset, 10)
	times, err := k.OffsetsForTimes(ctx, milena.Offset{Topic: "letters", Timestamp: time.UnixMilli(1007)})
	must(t, err)
	equal(t, "offset", times[0].Offset, 7)
	equal(t, "time", times[0].Timestamp, time.UnixMilli(1007))
	times, err = k.OffsetsForTimes(ctx, milena.Offset{Topic: "letters", Timestamp: time.UnixMilli(5000)})
	must(t, err)
	equal(t, "offset", times[0].Offset, -1)
	equal(t, "time", times[0].Timestamp, time.Time{})

	isError(t, k.Seek(milena.Offset{Topic: "letters", Partition: 5}), milena.ErrInvalidState)
	isError(t, k.Seek(milena.Offset{Topic: "letters", Offset: -2}), milena.ErrInvalidArgument)
	_, err = k.Position(ctx, milena.TopicPartition{Topic: "other"})
	isError(t, err, milena.ErrInvalidState)
}

func TestPause(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 2, 1))
	p := producer(t, c)
	k := consumer(t, c)
	both := partitions("letters", 2)
	must(t, k.Assign(both...))
	must(t, k.Pause(both[0]))
	for i := int32(0); i < 2; i++ {
		send(t, p, "letters", milena.ProducerRecord{Partition: milena.Some(i)})
	}
	equal(t, "partition", read(t, k, 1, nil)[0].Partition, 1)
	if _, err := k.Poll(within(t, 50*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	must(t, k.Resume(both[0]))
	equal(t, "partition", read(t, k, 1, nil)[0].Partition, 0)
	isError(t, k.Pause(milena.TopicPartition{Topic: "other"}), milena.ErrInvalidState)
}

func TestNoOffset(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	k := consumer(t, c, milena.Config{"auto.offset.reset": "none"})
	must(t, k.Assign(partitions("letters", 1)...))
	_, err := k.Poll(within(t, limit))
	e := isError(t, err, milena.ErrNoOffset)
	equal(t, "fatal", e.Fatal(), false)
	must(t, k.SeekToBeginning())
	if _, err := k.Poll(within(t, 50*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestConsumerContexts(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	k := consumer(t, c, milena.Config{"group.id": "readers"})
	one := partitions("letters", 1)
	must(t, k.Assign(one...))
	must(t, k.Commit(within(t, limit), milena.Offset{Topic: "letters"}))
	must(t, c.PauseBroker(1))
	calls := map[string]func(context.Context) error{
		"Poll":      func(ctx context.Context) error { _, err := k.Poll(ctx); return err },
		"Commit":    func(ctx context.Context) error { return k.Commit(ctx, milena.Offset{Topic: "letters"}) },
		"Committed": func(ctx context.Context) error { _, err := k.Committed(ctx, one...); return err },
		"Position": func(ctx context.Context) error {
			must(t, k.SeekToEnd())
			_, err := k.Position(ctx, one...)
			return err
		},
		"EndOffsets": func(ctx context.Context) error { _, err := k.EndOffsets(ctx, one...); return err },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			if err := call(canceled()); err != context.Canceled {
				t.Fatal(err)
			}
			if err := call(within(t, 30*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			began := time.Now()
			if err := call(soonCanceled()); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Fatalf("it took %v", took)
			}
		})
	}
	must(t, c.ResumeBroker(1))
	end, err := k.EndOffsets(within(t, limit), one...)
	must(t, err)
	equal(t, "end", end[0].Offset, 0)
}
