// Producer_demo is the ProducerDemo of the document that Milena implements (kafka-clients 1.1.0, explained), with the
// same properties; the values are JSON. The properties of a file win over those below.
//
//	producer_demo [-bootstrap-servers HOST:PORT] [-topic NAME] [-count N] [FILE.properties]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"strconv"

	"milena"
)

var properties = milena.Config{
	"bootstrap.servers": "localhost:9092",
	"acks":              "all",
	"retries":           "0",
	"batch.size":        "16384",
	"linger.ms":         "1",
	"buffer.memory":     "33554432",
	"key.serializer":    "org.apache.kafka.common.serialization.StringSerializer",
	"value.serializer":  "org.apache.kafka.common.serialization.StringSerializer",
}

func main() {
	servers := flag.String("bootstrap-servers", "", "where the brokers are")
	topic := flag.String("topic", "HelloWorld", "where to send")
	count := flag.Int("count", 100, "how many messages to send")
	flag.Parse()
	options := []milena.Option{properties}
	if flag.NArg() > 0 {
		options = append(options, milena.File(flag.Arg(0)))
	}
	if *servers != "" {
		options = append(options, milena.Config{"bootstrap.servers": *servers})
	}
	if err := produce(*topic, *count, options); err != nil {
		log.Fatal(err)
	}
}

func produce(topic string, count int, options []milena.Option) error {
	ctx := context.Background()
	producer, err := milena.NewProducer(options...)
	if err != nil {
		return err
	}
	// Deliveries are polled until the producer is closed and all is told.
	failed := make(chan int)
	go func() { failed <- report(ctx, producer) }()
	err = send(ctx, producer, topic, count)
	if closing := producer.Close(ctx); err == nil {
		err = closing
	}
	if n := <-failed; n > 0 && err == nil {
		err = fmt.Errorf("%d messages were not delivered", n)
	}
	return err
}

func send(ctx context.Context, producer *milena.Producer, topic string, count int) error {
	for i := 0; i < count; i++ {
		value, err := json.Marshal(map[string]any{"id": i, "text": fmt.Sprint("Message Hello ", i)})
		if err != nil {
			return err
		}
		record := milena.ProducerRecord{Key: []byte(strconv.Itoa(i)), Value: value, Token: uint64(i)}
		if _, err := producer.Send(ctx, topic, record); err != nil {
			return err
		}
	}
	return nil
}

// report prints what became of the messages, and counts those that failed.
func report(ctx context.Context, producer *milena.Producer) (failed int) {
	producer.Deliveries(ctx)(func(d milena.Delivery, err error) bool {
		if err != nil {
			log.Print(err)
			return false
		}
		if d.Err != nil {
			log.Print(d.Err)
			failed += len(d.Tokens)
			return true
		}
		for i, token := range d.Tokens {
			fmt.Printf("Delivered: %d, partition = %d, offset = %d\n", token, d.Partition, d.Offset(i))
		}
		return true
	})
	return failed
}
