package milena_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"milena"
)

func TestFaults(t *testing.T) {
	c := cluster(t, 3)
	must(t, c.CreateTopic("letters", 1, 3))
	p := producer(t, c, milena.Config{"request.timeout.ms": "1000", "log.level": "off"})
	k := consumer(t, c, milena.Config{"request.timeout.ms": "1000", "log.level": "off"})
	must(t, k.Assign(partitions("letters", 1)...))
	next := 0
	for _, fault := range []milena.Fault{
		{Kind: milena.FaultError, API: milena.APIProduce, Code: milena.ErrNotLeaderOrFollower, Times: 2},
		{Kind: milena.FaultError, API: milena.APIFetch, Code: milena.ErrUnknownServerError, Topic: "letters", Partition: milena.Some(0), Times: 1},
		{Kind: milena.FaultDelay, API: milena.APIFetch, Delay: 20 * time.Millisecond, Times: 1},
		milena.NewFault(milena.FaultDisconnectBefore, milena.APIProduce),
		milena.NewFault(milena.FaultDisconnectAfter, milena.APIProduce),
		milena.NewFault(milena.FaultDropAnswer, milena.APIProduce),
		milena.NewFault(milena.FaultGarbage, milena.APIProduce),
		milena.NewFault(milena.FaultHugeLength, milena.APIFetch),
		milena.NewFault(milena.FaultCutOff, milena.APIFetch),
		milena.NewFault(milena.FaultTruncated, milena.APIMetadata),
		milena.NewFault(milena.FaultWrongCorrelation, milena.APIProduce),
	} {
		must(t, c.PushFault(fault))
		send(t, p, "letters", numbered(next, 5)...)
		for _, r := range read(t, k, 5, nil) {
			equal(t, fmt.Sprint("value after fault ", fault.Kind), string(r.Value), fmt.Sprint(next))
			next++
		}
	}
}

func TestBrokersComeAndGo(t *testing.T) {
	c := cluster(t, 3)
	must(t, c.CreateTopic("letters", 1, 3))
	p := producer(t, c, milena.Config{"log.level": "off"})
	k := consumer(t, c, milena.Config{"log.level": "off"})
	must(t, k.Assign(partitions("letters", 1)...))
	a := admin(t, c)
	next := 0
	for round := 0; round < 3; round++ {
		topics, err := a.DescribeTopics(within(t, limit), "letters")
		must(t, err)
		leader, ok := topics[0].Partitions[0].Leader.Get()
		equal(t, "leader known", ok, true)
		must(t, c.BrokerDown(leader))
		send(t, p, "letters", numbered(next, 5)...)
		must(t, c.BrokerUp(leader))
		must(t, c.MoveLeader("letters", 0, leader))
		send(t, p, "letters", numbered(next+5, 5)...)
		for _, r := range read(t, k, 10, nil) {
			equal(t, "value", string(r.Value), fmt.Sprint(next))
			next++
		}
	}
}

func TestCorruptBatch(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	p := producer(t, c)
	for i := 0; i < 3; i++ {
		send(t, p, "letters", numbered(10*i, 5)...)
	}
	must(t, c.CorruptBatch("letters", 0, 1))
	k := consumer(t, c)
	must(t, k.Assign(partitions("letters", 1)...))
	for i, r := range read(t, k, 5, nil) {
		equal(t, "value", string(r.Value), fmt.Sprint(i))
	}
	// It says so until someone seeks.
	for i := 0; i < 2; i++ {
		_, err := k.Poll(within(t, limit))
		e := isError(t, err, milena.ErrCorruptMessage)
		equal(t, "topic", e.Topic, "letters")
		equal(t, "partition", e.Partition, 0)
		equal(t, "offset", e.Offset, 5)
		equal(t, "next offset", e.NextOffset, 10)
		equal(t, "fatal", e.Fatal(), false)
		if i == 1 {
			must(t, k.Seek(milena.Offset{Topic: e.Topic, Partition: e.Partition, Offset: e.NextOffset}))
		}
	}
	for i, r := range read(t, k, 5, nil) {
		equal(t, "value", string(r.Value), fmt.Sprint(20+i))
		equal(t, "offset", r.Offset, int64(10+i))
	}
}

// Codes come through as brokers give them: those that pass are retried, the others are errors.
func TestErrorCodes(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	p := producer(t, c)
	for _, code := range []milena.Code{milena.ErrNotEnoughReplicas, milena.ErrKafkaStorageError, milena.ErrLeaderNotAvailable} {
		before, err := c.RequestCount(milena.APIProduce)
		must(t, err)
		must(t, c.PushError(milena.APIProduce, code, 2))
		send(t, p, "letters", numbered(0, 1)...)
		after, err := c.RequestCount(milena.APIProduce)
		must(t, err)
		equal(t, fmt.Sprint("requests with ", code), after-before, 3)
	}
	for _, code := range []milena.Code{milena.ErrTopicAuthorizationFailed, milena.ErrInvalidTimestamp, milena.ErrPolicyViolation} {
		must(t, c.PushError(milena.APIProduce, code, 1))
		_, err := p.Send(within(t, limit), "letters", milena.ProducerRecord{})
		must(t, err)
		isError(t, reported(t, p, 1)[0].Err, code)
	}
	k := consumer(t, c, milena.Config{"group.id": "readers"})
	must(t, k.Assign(partitions("letters", 1)...))
	must(t, c.PushError(milena.APIOffsetCommit, milena.ErrGroupAuthorizationFailed, 1))
	e := isError(t, k.Commit(within(t, limit), milena.Offset{Topic: "letters"}), milena.ErrGroupAuthorizationFailed)
	equal(t, "broker", e.Broker, 1)
	must(t, c.PushError(milena.APIOffsetCommit, milena.ErrCoordinatorLoadInProgress, 2))
	must(t, k.Commit(within(t, limit), milena.Offset{Topic: "letters"}))
	must(t, c.PushError(milena.APIProduce, milena.ErrTopicAuthorizationFailed, milena.Always))
	must(t, c.ClearFaults())
	send(t, p, "letters", numbered(0, 1)...)
}

func TestBrokerDown(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	quiet := milena.Config{"log.level": "off"}
	p := producer(t, c, quiet)
	send(t, p, "letters", numbered(0, 1)...)
	must(t, c.BrokerDown(1))
	a := admin(t, c, quiet)
	_, err := a.DescribeCluster(within(t, 500*time.Millisecond))
	var e *milena.Error
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &e) || e.Cause == "" {
		t.Fatalf("the error has no cause: %v", err)
	}
	_, err = p.Send(within(t, limit), "letters", numbered(1, 1)...)
	must(t, err)
	must(t, c.BrokerUp(1))
	delivered(t, p, 1)
	k := consumer(t, c)
	must(t, k.Assign(partitions("letters", 1)...))
	read(t, k, 2, nil)
}

// A question about a topic that is not read is answered as soon as one about a topic that is.
func TestOffsetsOfATopicThatIsNotRead(t *testing.T) {
	c := cluster(t, 1)
	must(t, c.CreateTopic("letters", 1, 1))
	k := consumer(t, c)
	for i := 0; i < 3; i++ {
		began := time.Now()
		_, err := k.EndOffsets(within(t, limit), partitions("letters", 1)...)
		must(t, err)
		if took := time.Since(began); took > 20*time.Second {
			t.Fatalf("it took %v", took)
		}
	}
}

func TestMoves(t *testing.T) {
	c := cluster(t, 3)
	must(t, c.CreateTopic("letters", 1, 3))
	p := producer(t, c)
	k := consumer(t, c, milena.Config{"group.id": "readers", "log.level": "off"})
	must(t, k.Assign(partitions("letters", 1)...))
	for broker := int32(1); broker <= 3; broker++ {
		must(t, c.MoveLeader("letters", 0, broker))
		must(t, c.MoveCoordinator("readers", broker))
		send(t, p, "letters", numbered(int(broker), 1)...)
		equal(t, "value", string(read(t, k, 1, nil)[0].Value), fmt.Sprint(broker))
		must(t, k.Commit(within(t, limit)))
	}
}
