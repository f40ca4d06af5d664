// Command franz-go is milena-perf over franz-go. A producer's mode is always one record a call.
package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"bench/perf"
)

// buffered is how many records may wait, as in librdkafka; 10,000 of franz-go's own would make it slower.
const buffered = 100_000

type client struct{}

func main() { perf.Main("franz-go", client{}) }

func common(o perf.Options) ([]kgo.Opt, error) {
	if len(o.Conf) > 0 {
		return nil, errors.New("--conf: franz-go has no properties by name")
	}
	return []kgo.Opt{kgo.SeedBrokers(strings.Split(o.Bootstrap, ",")...), kgo.AllowAutoTopicCreation()}, nil
}

type producer struct{ *kgo.Client }

func (client) Producer(o perf.Options) (perf.Producer, error) {
	options, err := common(o)
	if err != nil {
		return nil, err
	}
	more, err := producing(o)
	if err != nil {
		return nil, err
	}
	made, err := kgo.NewClient(append(options, more...)...)
	return &producer{made}, err
}

func producing(o perf.Options) ([]kgo.Opt, error) {
	options := []kgo.Opt{kgo.DefaultProduceTopic(o.Topic), kgo.MaxBufferedRecords(buffered)}
	switch o.Acks {
	case "all", "-1":
	case "1":
		options = append(options, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())
	case "0":
		options = append(options, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	default:
		return nil, fmt.Errorf("--acks %s", o.Acks)
	}
	if o.Linger != "" {
		ms, err := strconv.Atoi(o.Linger)
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.ProducerLinger(time.Duration(ms)*time.Millisecond))
	}
	if o.Batch != "" {
		bytes, err := strconv.Atoi(o.Batch)
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.ProducerBatchMaxBytes(int32(bytes)))
	}
	codecs := map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}
	codec, known := codecs[o.Compression]
	if !known {
		return nil, fmt.Errorf("--compression %s", o.Compression)
	}
	return append(options, kgo.ProducerBatchCompression(codec)), nil
}

func (p *producer) SendAll(values [][]byte, n int, _ bool) error {
	ctx := context.Background()
	var once sync.Once
	var failure error
	for i := 0; i < n; i++ {
		p.Produce(ctx, &kgo.Record{Value: values[i%len(values)]}, func(_ *kgo.Record, err error) {
			if err != nil {
				once.Do(func() { failure = err })
			}
		})
	}
	if err := p.Flush(ctx); err != nil {
		return err
	}
	return failure
}

func (p *producer) Send(value []byte) error {
	p.Produce(context.Background(), &kgo.Record{Value: value}, nil)
	return nil
}

func (p *producer) SendAndWait(value []byte) error {
	return p.ProduceSync(context.Background(), &kgo.Record{Value: value}).FirstErr()
}

type consumer struct {
	*kgo.Client
	o    perf.Options
	most int
}

func (client) Consumer(o perf.Options) (perf.Consumer, error) {
	c := &consumer{o: o, most: perf.MostPolled}
	if o.OneACall {
		c.most = 1
	}
	return c, nil
}

func (c *consumer) Begin(atEnd bool) error {
	c.Close()
	options, err := common(c.o)
	if err != nil {
		return err
	}
	from := kgo.NewOffset().AtStart()
	if atEnd {
		from = kgo.NewOffset().AtEnd()
	}
	options = append(options, kgo.ConsumeTopics(c.o.Topic), kgo.ConsumeResetOffset(from))
	if c.o.Group != "" {
		options = append(options, kgo.ConsumerGroup(c.o.Group))
	}
	if c.Client, err = kgo.NewClient(options...); err == nil && atEnd {
		err = c.untilAtEnd()
	}
	return err
}

// untilAtEnd waits until the consumer is in place: nothing says when it has looked up the end, so it has to have
// waited for records once, which none sends.
func (c *consumer) untilAtEnd() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	fetches := c.PollRecords(ctx, 1)
	if err := fetches.Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

func (c *consumer) next(most int) (kgo.Fetches, error) {
	ctx, cancel := context.WithTimeout(context.Background(), perf.Patience)
	defer cancel()
	for {
		fetches := c.PollRecords(ctx, most)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		if !fetches.Empty() {
			return fetches, nil
		}
	}
}

func (c *consumer) Read(n int) (size int64, err error) {
	for n > 0 {
		fetches, err := c.next(min(n, c.most))
		if err != nil {
			return size, err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			size += int64(len(r.Value))
			n--
		})
	}
	return size, nil
}

func (c *consumer) ReadOne() ([]byte, error) {
	fetches, err := c.next(1)
	if err != nil {
		return nil, err
	}
	return fetches.Records()[0].Value, nil
}

func (c *consumer) Close() {
	if c.Client != nil {
		c.Client.Close()
	}
}
