// Embedded_cluster shows how to test a program against brokers that fail: three of them inside this process, of which
// one refuses, one is slow and one goes down, while letters are sent and read. Nothing is lost, nothing comes twice.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"milena"
)

const letters = 30

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	cluster, err := milena.NewEmbeddedCluster(3)
	if err != nil {
		return err
	}
	defer cluster.Close()
	if err := cluster.CreateTopic("letters", 3, 3); err != nil {
		return err
	}
	if err := trouble(cluster); err != nil {
		return err
	}
	config := milena.Config{"bootstrap.servers": cluster.BootstrapServers(), "log.level": "off",
		"group.id": "readers", "auto.offset.reset": "earliest"}
	if err := write(ctx, config); err != nil {
		return err
	}
	seen, err := read(ctx, config)
	if err != nil {
		return err
	}
	asked, err := cluster.RequestCount(milena.APIProduce)
	if err != nil {
		return err
	}
	log.Printf("%d Produce requests were needed", asked)
	fmt.Printf("%d letters sent, %d different ones read\n", letters, seen)
	return nil
}

// trouble is what is to go wrong.
func trouble(cluster *milena.EmbeddedCluster) error {
	// The next two Produce requests, at whichever broker, are refused.
	if err := cluster.PushError(milena.APIProduce, milena.ErrNotEnoughReplicas, 2); err != nil {
		return err
	}
	// The third one is carried out, but the answer never comes through.
	if err := cluster.PushFault(milena.NewFault(milena.FaultDisconnectAfter, milena.APIProduce)); err != nil {
		return err
	}
	slow := milena.Fault{Kind: milena.FaultDelay, API: milena.APIFetch, Broker: 2, Delay: 50 * time.Millisecond, Times: 3}
	if err := cluster.PushFault(slow); err != nil {
		return err
	}
	return cluster.BrokerDown(3)
}

func write(ctx context.Context, config milena.Config) error {
	producer, err := milena.NewProducer(config)
	if err != nil {
		return err
	}
	records := make([]milena.ProducerRecord, letters)
	for i := range records {
		records[i].Value = []byte(fmt.Sprint("letter ", i))
	}
	if _, err := producer.Send(ctx, "letters", records...); err != nil {
		return err
	}
	if err := producer.Close(ctx); err != nil {
		return err
	}
	var failed error
	producer.Deliveries(ctx)(func(d milena.Delivery, err error) bool {
		if err == nil {
			err = d.Err
		}
		failed = err
		return err == nil
	})
	return failed
}

func read(ctx context.Context, config milena.Config) (different int, err error) {
	consumer, err := milena.NewConsumer(config)
	if err != nil {
		return 0, err
	}
	defer consumer.Close(ctx)
	if err := consumer.Subscribe("letters"); err != nil {
		return 0, err
	}
	seen := make(map[string]bool)
	for n := 0; n < letters; {
		batch, err := consumer.Poll(ctx)
		if err != nil {
			return len(seen), err
		}
		for i := 0; i < batch.Len(); i++ {
			seen[string(batch.At(i).Value)] = true
			n++
		}
	}
	return len(seen), consumer.Commit(ctx)
}
