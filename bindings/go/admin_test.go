package milena_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"milena"
)

func TestAdminTopics(t *testing.T) {
	c := cluster(t, 3)
	a := admin(t, c)
	ctx := within(t, limit)
	made, err := a.CreateTopics(ctx,
		milena.NewTopic{Name: "letters", Partitions: 4, ReplicationFactor: 3,
			Configs: map[string]string{"cleanup.policy": "compact", "retention.ms": "1000"}},
		milena.NewTopic{Name: "defaults"})
	must(t, err)
	equal(t, "results", len(made), 2)
	equal(t, "first", made[0].Name, "letters")
	equal(t, "second", made[1].Name, "defaults")

	topics, err := a.DescribeTopics(ctx, "defaults", "letters")
	must(t, err)
	equal(t, "order", topics[0].Name, "defaults")
	equal(t, "partitions by default", len(topics[0].Partitions), 1)
	letters := topics[1]
	equal(t, "partitions", len(letters.Partitions), 4)
	equal(t, "internal", letters.Internal, false)
	if letters.ID == [16]byte{} {
		t.Fatal("the topic has no id")
	}
	for i, p := range letters.Partitions {
		must(t, p.Err)
		equal(t, "partition", p.Partition, int32(i))
		equal(t, "replicas", len(p.Replicas), 3)
		equal(t, "in sync", len(p.InSync), 3)
		if leader, known := p.Leader.Get(); !known || leader < 1 || leader > 3 {
			t.Fatalf("leader %v", p.Leader)
		}
		if _, known := p.LeaderEpoch.Get(); !known {
			t.Fatal("no leader epoch")
		}
	}

	all, err := a.ListTopics(ctx, false)
	must(t, err)
	equal(t, "topics", len(all), 2)
	equal(t, "sorted", all[0].Name+" "+all[1].Name, "defaults letters")

	gone, err := a.DeleteTopics(ctx, "letters")
	must(t, err)
	equal(t, "deleted", gone[0].Name, "letters")
	_, err = a.DescribeTopics(ctx, "letters")
	isError(t, err, milena.ErrUnknownTopicOrPartition)
}

func TestAdminErrors(t *testing.T) {
	c := cluster(t, 1)
	a := admin(t, c)
	ctx := within(t, limit)
	must(t, c.CreateTopic("letters", 1, 1))
	rows, err := a.CreateTopics(ctx,
		milena.NewTopic{Name: "new"}, milena.NewTopic{Name: "letters"}, milena.NewTopic{Name: "no spaces"},
		milena.NewTopic{Name: "many", ReplicationFactor: 5})
	isError(t, err, milena.ErrTopicAlreadyExists)
	equal(t, "results", len(rows), 4)
	must(t, rows[0].Err)
	isError(t, rows[1].Err, milena.ErrTopicAlreadyExists)
	isError(t, rows[2].Err, milena.ErrInvalidTopicException)
	isError(t, rows[3].Err, milena.ErrInvalidReplicationFactor)

	rows, err = a.ValidateTopics(ctx, milena.NewTopic{Name: "checked", Partitions: 2})
	must(t, err)
	must(t, rows[0].Err)
	_, err = a.DescribeTopics(ctx, "checked")
	isError(t, err, milena.ErrUnknownTopicOrPartition)
	_, err = a.DeleteTopics(ctx, "nowhere")
	isError(t, err, milena.ErrUnknownTopicOrPartition)
}

func TestAdminCluster(t *testing.T) {
	c := cluster(t, 3, milena.Config{"cluster.id": "a-cluster-of-letters-x"})
	d, err := admin(t, c).DescribeCluster(within(t, limit))
	must(t, err)
	equal(t, "id", d.ID, "a-cluster-of-letters-x")
	equal(t, "brokers", len(d.Brokers), 3)
	if controller, known := d.Controller.Get(); !known || controller < 1 || controller > 3 {
		t.Fatalf("controller %v", d.Controller)
	}
	addresses := strings.Split(c.BootstrapServers(), ",")
	equal(t, "addresses", len(addresses), 3)
	for _, b := range d.Brokers {
		equal(t, "host", b.Host, "127.0.0.1")
		if b.Port <= 0 {
			t.Fatalf("port %d", b.Port)
		}
	}
}

func TestAdminContexts(t *testing.T) {
	c := cluster(t, 1)
	a := admin(t, c, milena.Config{"log.level": "off"})
	_, err := a.DescribeCluster(within(t, limit))
	must(t, err)
	must(t, c.PauseBroker(1))
	if _, err := a.DescribeCluster(canceled()); err != context.Canceled {
		t.Fatal(err)
	}
	if _, err := a.DescribeCluster(within(t, shortly)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if _, err := a.CreateTopics(soonCanceled(), milena.NewTopic{Name: "letters"}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := a.DescribeTopics(context.Background(), "letters")
		ended <- err
	}()
	must(t, a.Close())
	isError(t, <-ended, milena.ErrClosed)
	must(t, a.Close())
	_, err = a.ListTopics(context.Background(), true)
	isError(t, err, milena.ErrClosed)
}
