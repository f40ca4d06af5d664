// Consumer_demo is the ConsumerDemo of the document that Milena implements (kafka-clients 1.1.0, explained), with the
// same properties. It expects JSON values; what is not JSON it says so of. The properties of a file win over those below.
// It reads until SIGINT or SIGTERM, or until it has N records.
//
//	consumer_demo [-bootstrap-servers HOST:PORT] [-topic NAME] [-count N] [FILE.properties]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os/signal"
	"syscall"
	"time"

	"milena"
)

var properties = milena.Config{
	"bootstrap.servers":       "localhost:9092",
	"group.id":                "nginx-consu-group",
	"enable.auto.commit":      "true",
	"auto.commit.interval.ms": "1000",
	"auto.offset.reset":       "earliest",
	"session.timeout.ms":      "30000",
	"key.deserializer":        "org.apache.kafka.common.serialization.StringDeserializer",
}

func main() {
	servers := flag.String("bootstrap-servers", "", "where the brokers are")
	topic := flag.String("topic", "HelloWorld", "what to read")
	count := flag.Int("count", 0, "end after so many records; 0: never")
	flag.Parse()
	options := []milena.Option{properties}
	if flag.NArg() > 0 {
		options = append(options, milena.File(flag.Arg(0)))
	}
	if *servers != "" {
		options = append(options, milena.Config{"bootstrap.servers": *servers})
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := consume(ctx, *topic, *count, options); err != nil {
		log.Fatal(err)
	}
}

func consume(ctx context.Context, topic string, count int, options []milena.Option) error {
	consumer, err := milena.NewConsumer(options...)
	if err != nil {
		return err
	}
	err = consumer.Subscribe(topic)
	if err == nil {
		err = read(ctx, consumer, count)
	}
	// Commits what was read, and leaves the group.
	ending, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if closing := consumer.Close(ending); err == nil {
		err = closing
	}
	return err
}

// read prints records until ctx ends, there were count of them, or an error comes that does not pass by itself.
func read(ctx context.Context, consumer *milena.Consumer, count int) error {
	for n := 0; count == 0 || n < count; {
		batch, err := consumer.Poll(ctx)
		if ctx.Err() != nil {
			return nil
		}
		var e *milena.Error
		if errors.As(err, &e) && e.Retriable() {
			log.Print(err)
			continue
		}
		if err != nil {
			return err
		}
		if event := batch.Event; event != nil && event.Kind == milena.EventAssigned {
			log.Printf("%d partitions assigned", len(event.Partitions))
		} else if event != nil && event.Err != nil {
			log.Print(event.Err)
		}
		for i := 0; i < batch.Len(); i++ {
			record := batch.At(i)
			note := ""
			if !json.Valid(record.Value) {
				note = " (not JSON)"
			}
			fmt.Printf("offset = %d, value = %s%s\n", record.Offset, record.Value, note)
		}
		n += batch.Len()
	}
	return nil
}
