package milena_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"milena"
)

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := milena.NewEmbeddedCluster(1)
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	config := milena.Config{"bootstrap.servers": cluster.BootstrapServers(), "group.id": "readers", "auto.offset.reset": "earliest"}

	producer, err := milena.NewProducer(config)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := producer.Send(ctx, "letters", milena.ProducerRecord{Key: []byte("Franz"), Value: []byte("Dear Milena")}); err != nil {
		log.Fatal(err)
	}
	if err := producer.Close(ctx); err != nil {
		log.Fatal(err)
	}

	consumer, err := milena.NewConsumer(config)
	if err != nil {
		log.Fatal(err)
	}
	defer consumer.Close(ctx)
	if err := consumer.Subscribe("letters"); err != nil {
		log.Fatal(err)
	}
	for read := 0; read < 1; {
		batch, err := consumer.Poll(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if batch.Event != nil {
			fmt.Println(batch.Event.Kind, len(batch.Event.Partitions))
		}
		for i := 0; i < batch.Len(); i++ {
			record := batch.At(i)
			fmt.Printf("%s-%d at %d: %s = %s\n", record.Topic, record.Partition, record.Offset, record.Key, record.Value)
			read++
		}
	}
	// Output:
	// assigned 1
	// letters-0 at 0: Franz = Dear Milena
}

// Many records in one call cost one crossing for each 256 KiB. What became of them comes by their tokens.
func ExampleProducer_Send() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := milena.NewEmbeddedCluster(1)
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	producer, err := milena.NewProducer(milena.Config{"bootstrap.servers": cluster.BootstrapServers()})
	if err != nil {
		log.Fatal(err)
	}
	records := make([]milena.ProducerRecord, 3)
	for i := range records {
		records[i] = milena.ProducerRecord{Value: []byte(fmt.Sprint("letter ", i)), Token: uint64(100 + i)}
	}
	accepted, err := producer.Send(ctx, "letters", records...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("accepted:", accepted)
	if err := producer.Close(ctx); err != nil {
		log.Fatal(err)
	}
	producer.Deliveries(ctx)(func(d milena.Delivery, err error) bool {
		if err != nil || d.Err != nil {
			log.Fatal(err, d.Err)
		}
		for i, token := range d.Tokens {
			fmt.Println(token, "is at offset", d.Offset(i))
		}
		return true
	})
	// Output:
	// accepted: 3
	// 100 is at offset 0
	// 101 is at offset 1
	// 102 is at offset 2
}

// Commits where the work is done, without a group's sharing out.
func ExampleConsumer_Commit() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := milena.NewEmbeddedCluster(1)
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	config := milena.Config{"bootstrap.servers": cluster.BootstrapServers(), "group.id": "readers",
		"auto.offset.reset": "earliest", "enable.auto.commit": "false"}
	producer, err := milena.NewProducer(config)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := producer.Send(ctx, "letters", milena.ProducerRecord{}, milena.ProducerRecord{}); err != nil {
		log.Fatal(err)
	}
	if err := producer.Close(ctx); err != nil {
		log.Fatal(err)
	}

	consumer, err := milena.NewConsumer(config)
	if err != nil {
		log.Fatal(err)
	}
	defer consumer.Close(ctx)
	letters := milena.TopicPartition{Topic: "letters", Partition: 0}
	if err := consumer.Assign(letters); err != nil {
		log.Fatal(err)
	}
	for read := 0; read < 2; {
		batch, err := consumer.Poll(ctx)
		if err != nil {
			log.Fatal(err)
		}
		read += batch.Len() // here the work is done
		if err := consumer.Commit(ctx, batch.Offsets()...); err != nil {
			log.Fatal(err)
		}
	}
	committed, err := consumer.Committed(ctx, letters)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("next to read:", committed[0].Offset)
	// Output: next to read: 2
}

// Errors are compared by their codes, and tell what to do.
func ExampleError() {
	_, err := milena.NewProducer(milena.Config{"bootstrap.servers": "localhost:9092", "ack": "all"})
	fmt.Println(errors.Is(err, milena.ErrInvalidConfiguration))
	var e *milena.Error
	if errors.As(err, &e) {
		fmt.Println(e.Code.Name(), e.Retriable(), e.Fatal())
	}
	// Output:
	// true
	// INVALID_CONFIGURATION false false
}

func ExampleAdmin_CreateTopics() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := milena.NewEmbeddedCluster(3)
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	admin, err := milena.NewAdmin(milena.Config{"bootstrap.servers": cluster.BootstrapServers()})
	if err != nil {
		log.Fatal(err)
	}
	defer admin.Close()
	letters := milena.NewTopic{Name: "letters", Partitions: 2, ReplicationFactor: 3}
	for i := 0; i < 2; i++ {
		if _, err := admin.CreateTopics(ctx, letters); errors.Is(err, milena.ErrTopicAlreadyExists) {
			fmt.Println("it is there already")
		} else if err != nil {
			log.Fatal(err)
		}
	}
	topics, err := admin.DescribeTopics(ctx, "letters")
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range topics[0].Partitions {
		fmt.Println(p.Partition, "has", len(p.Replicas), "replicas")
	}
	// Output:
	// it is there already
	// 0 has 3 replicas
	// 1 has 3 replicas
}

// A program is tested with brokers that fail: here the answer to the first Produce request gets lost.
func ExampleEmbeddedCluster_PushFault() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := milena.NewEmbeddedCluster(1)
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	if err := cluster.PushFault(milena.NewFault(milena.FaultDisconnectAfter, milena.APIProduce)); err != nil {
		log.Fatal(err)
	}
	producer, err := milena.NewProducer(milena.Config{"bootstrap.servers": cluster.BootstrapServers(), "log.level": "off"})
	if err != nil {
		log.Fatal(err)
	}
	defer producer.Close(ctx)
	if _, err := producer.Send(ctx, "letters", milena.ProducerRecord{Value: []byte("Dear Milena")}); err != nil {
		log.Fatal(err)
	}
	deliveries, err := producer.Poll(ctx)
	if err != nil {
		log.Fatal(err)
	}
	requests, err := cluster.RequestCount(milena.APIProduce)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("error:", deliveries[0].Err, "offset:", deliveries[0].BaseOffset, "requests:", requests)
	// Output: error: <nil> offset: 0 requests: 2
}
