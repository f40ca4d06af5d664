// Package perf has the options, the loops and the JSON line of milena-perf for clients in Go; what a client calls for
// them is in its command.
package perf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand"
	"time"
)

const (
	pool = 1000 // records that are prepared, and sent over and over
	// MostPolled is how many records one poll asks for, in mode batch.
	MostPolled = 8192
	// Patience is how long nothing may come.
	Patience = time.Minute
)

// Producer is what the loops need of one. Values are sent to the topic of the options.
type Producer interface {
	// SendAll sends n records, over and over these, and waits until all are delivered.
	SendAll(values [][]byte, n int, oneACall bool) error
	Send(value []byte) error
	SendAndWait(value []byte) error
}

// Consumer is what the loops need of one.
type Consumer interface {
	// Begin reads from the beginning of all partitions, or only what comes from now on; called again, anew.
	Begin(atEnd bool) error
	// Read reads n records, and says how many bytes their values had.
	Read(n int) (int64, error)
	ReadOne() ([]byte, error)
	Close()
}

// Client makes them.
type Client interface {
	Producer(o Options) (Producer, error)
	Consumer(o Options) (Consumer, error)
}

// Main runs the operation that the command line names.
func Main(name string, client Client) {
	o := parse()
	operations := map[string]func(Options, Client) (result, error){
		"produce": produce, "consume": consume, "lat": lat, "e2e": e2e,
	}
	operation, known := operations[o.Op]
	if !known {
		fail(fmt.Errorf("there is no operation %s", o.Op))
	}
	r, err := operation(o, client)
	if err != nil {
		fail(err)
	}
	r.print(name, o)
}

// makePool makes values whose first half is random and whose second half is constant.
func makePool(size int) [][]byte {
	chance := rand.New(rand.NewSource(88172645463325252))
	values := make([][]byte, pool)
	for i := range values {
		values[i] = bytes.Repeat([]byte{'x'}, size)
		chance.Read(values[i][:size/2])
	}
	return values
}

func produce(o Options, client Client) (result, error) {
	values := makePool(o.Size)
	producer, err := client.Producer(o)
	if err != nil {
		return result{}, err
	}
	if err := producer.SendAll(values, o.Warmup, o.OneACall); err != nil {
		return result{}, err
	}
	watch := start()
	err = producer.SendAll(values, o.Count, o.OneACall)
	return watch.stop(int64(o.Count*o.Size), nil), err
}

// consume warms up by reading the first records, and goes back to the beginning then.
func consume(o Options, client Client) (result, error) {
	consumer, err := client.Consumer(o)
	if err != nil {
		return result{}, err
	}
	defer consumer.Close()
	if err := consumer.Begin(false); err != nil {
		return result{}, err
	}
	if o.Warmup > 0 {
		if _, err := consumer.Read(o.Warmup); err != nil {
			return result{}, err
		}
		if err := consumer.Begin(false); err != nil {
			return result{}, err
		}
	}
	watch := start()
	size, err := consumer.Read(o.Count)
	return watch.stop(size, nil), err
}

// oneByOne calls once for each record.
func oneByOne(o Options, once func(i int) error) (result, error) {
	for i := 0; i < o.Warmup; i++ {
		if err := once(i); err != nil {
			return result{}, err
		}
	}
	latencies := make([]time.Duration, o.Count)
	watch := start()
	for i := range latencies {
		sent := time.Now()
		if err := once(o.Warmup + i); err != nil {
			return result{}, err
		}
		latencies[i] = time.Since(sent)
	}
	return watch.stop(int64(o.Count*o.Size), latencies), nil
}

func lat(o Options, client Client) (result, error) {
	values := makePool(o.Size)
	producer, err := client.Producer(o)
	if err != nil {
		return result{}, err
	}
	return oneByOne(o, func(i int) error { return producer.SendAndWait(values[i%pool]) })
}

func e2e(o Options, client Client) (result, error) {
	values := makePool(o.Size)
	producer, err := client.Producer(o)
	if err != nil {
		return result{}, err
	}
	if err := producer.SendAndWait(values[0]); err != nil {
		return result{}, err
	}
	o.OneACall = true
	consumer, err := client.Consumer(o)
	if err != nil {
		return result{}, err
	}
	defer consumer.Close()
	if err := consumer.Begin(true); err != nil {
		return result{}, err
	}
	return oneByOne(o, func(i int) error {
		value := bytes.Clone(values[i%pool])
		if len(value) >= 8 {
			binary.LittleEndian.PutUint64(value, uint64(i))
		}
		if err := producer.Send(value); err != nil {
			return err
		}
		read, err := consumer.ReadOne()
		if err == nil && !bytes.Equal(read, value) {
			err = errors.New("the record that was read is not the one that was sent")
		}
		return err
	})
}
