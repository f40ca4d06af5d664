// Command milena-go is milena-perf over Milena's Go wrapper.
package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"bench/perf"
	"milena"
)

type client struct{}

func main() { perf.Main("milena-go", client{}) }

// settings are the properties, where those of --conf win over the others.
func settings(o perf.Options, others milena.Config) milena.Config {
	config := milena.Config{"bootstrap.servers": o.Bootstrap}
	for _, pairs := range []map[string]string{others, o.Conf} {
		for name, value := range pairs {
			if value != "" {
				config[name] = value
			}
		}
	}
	return config
}

type producer struct {
	*milena.Producer
	topic string
	// delivered gets the numbers of records, or why one was not delivered.
	delivered chan outcome
}

type outcome struct {
	records int
	err     error
}

func (client) Producer(o perf.Options) (perf.Producer, error) {
	p, err := milena.NewProducer(settings(o, milena.Config{
		"acks": o.Acks, "linger.ms": o.Linger, "compression.type": o.Compression, "batch.size": o.Batch,
	}))
	if err != nil {
		return nil, err
	}
	made := &producer{p, o.Topic, make(chan outcome, 1<<16)}
	go made.take()
	return made, nil
}

// take takes deliveries as long as there is a producer.
func (p *producer) take() {
	for {
		deliveries, err := p.Poll(context.Background())
		if err != nil {
			p.delivered <- outcome{err: err}
			return
		}
		for _, d := range deliveries {
			p.delivered <- outcome{len(d.Tokens), d.Err}
		}
	}
}

func (p *producer) wait(records int) error {
	for records > 0 {
		done := <-p.delivered
		if done.err != nil {
			return done.err
		}
		records -= done.records
	}
	return nil
}

func (p *producer) SendAll(values [][]byte, n int, oneACall bool) error {
	ctx := context.Background()
	records := make([]milena.ProducerRecord, len(values))
	for i := range records {
		records[i].Value = values[i]
	}
	for sent := 0; sent < n; {
		part := records[:min(len(records), n-sent)]
		if oneACall {
			for i := range part {
				if _, err := p.Producer.Send(ctx, p.topic, part[i]); err != nil {
					return err
				}
			}
		} else if _, err := p.Producer.Send(ctx, p.topic, part...); err != nil {
			return err
		}
		sent += len(part)
	}
	if err := p.Flush(ctx); err != nil {
		return err
	}
	return p.wait(n)
}

func (p *producer) Send(value []byte) error {
	_, err := p.Producer.Send(context.Background(), p.topic, milena.ProducerRecord{Value: value})
	return err
}

func (p *producer) SendAndWait(value []byte) error {
	if err := p.Send(value); err != nil {
		return err
	}
	return p.wait(1)
}

type consumer struct {
	*milena.Consumer
	o          perf.Options
	partitions []milena.TopicPartition
}

func (client) Consumer(o perf.Options) (perf.Consumer, error) {
	most, commit := perf.MostPolled, "false"
	if o.OneACall {
		most = 1
	}
	if o.Group != "" {
		commit = "true"
	}
	config := settings(o, milena.Config{
		"group.id": o.Group, "auto.offset.reset": "earliest", "enable.auto.commit": commit,
		"max.poll.records": strconv.Itoa(most),
	})
	c, err := milena.NewConsumer(config)
	if err != nil {
		return nil, err
	}
	all, err := partitions(o)
	return &consumer{c, o, all}, err
}

func partitions(o perf.Options) (all []milena.TopicPartition, err error) {
	admin, err := milena.NewAdmin(settings(o, nil))
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	topics, err := admin.DescribeTopics(context.Background(), o.Topic)
	if err != nil {
		return nil, err
	}
	for i := range topics[0].Partitions {
		all = append(all, milena.TopicPartition{Topic: o.Topic, Partition: int32(i)})
	}
	return all, nil
}

func (c *consumer) Begin(atEnd bool) error {
	if c.o.Group != "" {
		return c.Subscribe(c.o.Topic)
	}
	if err := c.Assign(c.partitions...); err != nil {
		return err
	}
	seek := c.SeekToBeginning
	if atEnd {
		seek = c.SeekToEnd
	}
	if err := seek(); err != nil {
		return err
	}
	_, err := c.Position(context.Background(), c.partitions...)
	return err
}

// next is the next batch of records.
func (c *consumer) next() (*milena.Batch, error) {
	ctx, cancel := context.WithTimeout(context.Background(), perf.Patience)
	defer cancel()
	for {
		batch, err := c.Poll(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("no record came: %w", err)
		}
		if err != nil || batch.Len() > 0 {
			return batch, err
		}
	}
}

func (c *consumer) Read(n int) (size int64, err error) {
	for n > 0 {
		batch, err := c.next()
		if err != nil {
			return size, err
		}
		for i := 0; i < batch.Len(); i++ {
			size += int64(len(batch.At(i).Value))
		}
		n -= batch.Len()
	}
	return size, nil
}

func (c *consumer) ReadOne() ([]byte, error) {
	batch, err := c.next()
	if err != nil {
		return nil, err
	}
	return batch.At(0).Value, nil
}

func (c *consumer) Close() { c.Consumer.Close(context.Background()) }
