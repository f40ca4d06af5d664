package milena

// #include "bridge.h"
import "C"

import (
	"math"
	"runtime"
	"sync"
	"time"
)

// EmbeddedCluster is a Kafka for tests: brokers inside this process, in memory, on loopback, that any Kafka client can
// connect to. Their ids are 1, 2, 3 … What is to go wrong can be said by script.
//
//	cluster, err := milena.NewEmbeddedCluster(3)
//	…
//	defer cluster.Close()
//	producer, err := milena.NewProducer(milena.Config{"bootstrap.servers": cluster.BootstrapServers()})
//
// All methods may be called by any goroutines at once; they block for a moment at most.
type EmbeddedCluster struct {
	handle    C.uintptr_t
	bootstrap string
	once      sync.Once
}

// BasePort is an option of [NewEmbeddedCluster]: broker i listens at port base + i - 1, instead of one that is free.
func BasePort(base int) Option { return basePort(base) }

type basePort int

func (b basePort) apply(s *settings) error {
	s.basePort = int(b)
	return nil
}

// NewEmbeddedCluster starts brokers, 1 to 1000 of them, which listen on 127.0.0.1.
//
// Options are [BasePort] and a [Config] with: auto.create.topics.enable (true), num.partitions (1),
// default.replication.factor (1), message.max.bytes, log.retention.bytes, group.initial.rebalance.delay.ms (0),
// cluster.id, broker.version (1.1, 2.8, 3.9 or 4.4: which version of Kafka to pretend to be), seed (what ids are drawn
// from).
//
// Errors: ErrInvalidArgument; ErrInvalidConfiguration; ErrTransport when a port is taken or the system has no more
// threads or descriptors.
func NewEmbeddedCluster(brokers int, options ...Option) (*EmbeddedCluster, error) {
	s, err := gather(options)
	if err != nil {
		return nil, err
	}
	defer s.free()
	var handle C.uintptr_t
	var cErr *C.milena_error
	status := C.go_embedded_new(clamp(brokers), clamp(s.basePort), s.config, &handle, &cErr)
	if status != C.MILENA_OK {
		return nil, taken(status, cErr)
	}
	e := &EmbeddedCluster{handle: handle, bootstrap: C.GoString(C.go_embedded_bootstrap_servers(handle))}
	runtime.SetFinalizer(e, (*EmbeddedCluster).Close)
	return e, nil
}

// BootstrapServers is what clients need as bootstrap.servers: "127.0.0.1:port,…".
func (e *EmbeddedCluster) BootstrapServers() string { return e.bootstrap }

// CreateTopic creates a topic; 0 takes the default for the number of partitions or replicas. [Admin.CreateTopics] can
// say more.
//
// Errors: ErrTopicAlreadyExists, ErrInvalidTopicException, ErrInvalidPartitions, ErrInvalidReplicationFactor.
func (e *EmbeddedCluster) CreateTopic(name string, partitions, replicationFactor int) error {
	return e.call(func(a *arena, err **C.milena_error) C.milena_status {
		return C.go_embedded_create_topic(e.handle, a.text(name), clamp(orMinus(partitions)),
			clamp(orMinus(replicationFactor)), err)
	})
}

// FaultKind says what is to go wrong.
type FaultKind int32

const (
	// FaultError: the request is answered with Fault.Code and not carried out. (Produce with ErrRequestTimedOut or
	// ErrNotEnoughReplicasAfterAppend appends all the same, as Kafka does.)
	FaultError FaultKind = C.MILENA_FAULT_ERROR
	// FaultDelay: the answer, whatever it is, comes Fault.Delay later; so do later ones on the same connection.
	FaultDelay FaultKind = C.MILENA_FAULT_DELAY
	// FaultDisconnectBefore: the connection is closed and the request not carried out.
	FaultDisconnectBefore FaultKind = C.MILENA_FAULT_DISCONNECT_BEFORE
	// FaultDisconnectAfter: the request is carried out, and the connection closed instead of an answer.
	FaultDisconnectAfter FaultKind = C.MILENA_FAULT_DISCONNECT_AFTER
	// FaultDropAnswer: the request is carried out and never answered, nor is any later one on the same connection.
	FaultDropAnswer FaultKind = C.MILENA_FAULT_DROP_ANSWER
	// FaultGarbage: random bytes come instead of the answer.
	FaultGarbage FaultKind = C.MILENA_FAULT_GARBAGE
	// FaultHugeLength: instead of the answer comes the start of a frame that says to be 2 GiB long.
	FaultHugeLength FaultKind = C.MILENA_FAULT_HUGE_LENGTH
	// FaultCutOff: the first half of the answer comes, then the connection is closed.
	FaultCutOff FaultKind = C.MILENA_FAULT_CUT_OFF
	// FaultTruncated: the answer comes in a sound frame, but ends in the middle.
	FaultTruncated FaultKind = C.MILENA_FAULT_TRUNCATED
	// FaultWrongCorrelation: the answer has another request's correlation id.
	FaultWrongCorrelation FaultKind = C.MILENA_FAULT_WRONG_CORRELATION
)

// API is the number of a request in Kafka's protocol, for faults and for counting; others than those named here can be
// given by number.
type API int32

// Requests that clients send.
const (
	AnyAPI             API = -1
	APIProduce         API = 0
	APIFetch           API = 1
	APIListOffsets     API = 2
	APIMetadata        API = 3
	APIOffsetCommit    API = 8
	APIOffsetFetch     API = 9
	APIFindCoordinator API = 10
	APIJoinGroup       API = 11
	APIHeartbeat       API = 12
	APILeaveGroup      API = 13
	APISyncGroup       API = 14
	APIVersions        API = 18
	APICreateTopics    API = 19
	APIDeleteTopics    API = 20
	APIInitProducerID  API = 22
)

// Always is for Fault.Times: until the faults are cleared.
const Always = math.MaxUint32

// Fault is something that is to go wrong. Start from [NewFault].
type Fault struct {
	Kind FaultKind
	// Code of FaultError: one of Kafka's.
	Code Code
	// API: only these requests; AnyAPI: all.
	API API
	// Broker: only requests to this one; 0: all.
	Broker int32
	// Topic of FaultError: only this topic (or group) fails; "": all.
	Topic string
	// Partition of FaultError: only this one fails.
	Partition Optional
	// Skip is how many requests that fit pass unharmed first.
	Skip uint32
	// Times is how many requests it happens to; Always: all.
	Times uint32
	// Delay of FaultDelay.
	Delay time.Duration
}

// NewFault is a fault that happens to the next request of an API, at any broker, once.
func NewFault(kind FaultKind, api API) Fault { return Fault{Kind: kind, API: api, Times: 1} }

// PushFault adds a fault to the script. Each request takes the first error that fits it and the first other fault that
// fits, in the order in which they were added.
//
// Errors: ErrInvalidArgument for a kind, code or API that does not exist.
func (e *EmbeddedCluster) PushFault(fault Fault) error {
	return e.call(func(a *arena, err **C.milena_error) C.milena_status {
		first, all := rows[C.milena_fault](a, 1)
		all[0] = C.milena_fault{
			kind:      C.int32_t(fault.Kind),
			code:      C.milena_status(fault.Code),
			api_key:   C.int32_t(fault.API),
			broker:    C.int32_t(fault.Broker),
			partition: C.int32_t(fault.Partition.Or(-1)),
			skip:      C.uint32_t(fault.Skip),
			times:     C.uint32_t(fault.Times),
			delay_ms:  C.uint32_t(ceilMs(fault.Delay)),
		}
		if fault.Broker == 0 {
			all[0].broker = -1
		}
		if fault.Topic != "" {
			all[0].topic = a.text(fault.Topic)
		}
		return C.go_embedded_push_fault(e.handle, first, err)
	})
}

// PushError is the short form: the next requests of an API, so many times, are answered with this code of Kafka's.
func (e *EmbeddedCluster) PushError(api API, code Code, times uint32) error {
	return e.call(func(_ *arena, err **C.milena_error) C.milena_status {
		return C.go_embedded_push_error(e.handle, C.int32_t(api), C.milena_status(code), C.uint32_t(times), err)
	})
}

// ClearFaults takes all faults back. Brokers that are down or paused stay so.
func (e *EmbeddedCluster) ClearFaults() error {
	return e.call(func(_ *arena, err **C.milena_error) C.milena_status {
		return C.go_embedded_clear_faults(e.handle, err)
	})
}

// BrokerDown ends a broker as kill -9 would: its connections are closed, its port refuses, its partitions get other
// leaders. Its records are kept. No error when it is down already.
//
// Errors, of this and the next methods: ErrInvalidArgument when there is no such broker.
func (e *EmbeddedCluster) BrokerDown(broker int32) error {
	return e.call(func(_ *arena, err **C.milena_error) C.milena_status {
		return C.go_embedded_broker_down(e.handle, C.int32_t(broker), err)
	})
}

// BrokerUp starts a broker again, on the same port.
func (e *EmbeddedCluster) BrokerUp(broker int32) error {
	return e.call(func(_ *arena, err **C.milena_error) C.milena_status {
		return C.go_embedded_broker_up(e.handle, C.int32_t(broker), err)
	})
}

// PauseBroker stops a broker from answering and reading, as SIGSTOP would: connections stay open. What came is handled
// after ResumeBroker.
func (e *EmbeddedCluster) PauseBroker(broker int32) error {
	return e.call(func(_ *arena, err **C.milena_error) C.milena_status {
		return C.go_embedded_broker_pause(e.handle, C.int32_t(broker), err)
	})
}

// ResumeBroker ends PauseBroker.
func (e *EmbeddedCluster) ResumeBroker(broker int32) error {
	return e.call(func(_ *arena, err **C.milena_error) C.milena_status {
		return C.go_embedded_broker_resume(e.handle, C.int32_t(broker), err)
	})
}

// MoveLeader makes a broker the leader of a partition (it becomes a replica if it is none). Clients are not told.
//
// Errors: ErrUnknownTopicOrPartition; ErrInvalidArgument when there is no such broker.
func (e *EmbeddedCluster) MoveLeader(topic string, partition, broker int32) error {
	return e.call(func(a *arena, err **C.milena_error) C.milena_status {
		return C.go_embedded_move_leader(e.handle, a.text(topic), C.int32_t(partition), C.int32_t(broker), err)
	})
}

// MoveCoordinator makes a broker the coordinator of a group. Clients are not told.
func (e *EmbeddedCluster) MoveCoordinator(group string, broker int32) error {
	return e.call(func(a *arena, err **C.milena_error) C.milena_status {
		return C.go_embedded_move_coordinator(e.handle, a.text(group), C.int32_t(broker), err)
	})
}

// CorruptBatch flips a bit in a stored batch of a partition, so that its checksum is wrong: 0 is the oldest batch.
//
// Errors: ErrUnknownTopicOrPartition; ErrInvalidArgument when there are not so many batches.
func (e *EmbeddedCluster) CorruptBatch(topic string, partition int32, batch int) error {
	if batch < 0 {
		return failed(ErrInvalidArgument, "the number of a batch is negative", "")
	}
	return e.call(func(a *arena, err **C.milena_error) C.milena_status {
		return C.go_embedded_corrupt_batch(e.handle, a.text(topic), C.int32_t(partition), C.size_t(batch), err)
	})
}

// RequestCount is how many requests of an API all brokers have received so far.
func (e *EmbeddedCluster) RequestCount(api API) (uint64, error) {
	var count C.uint64_t
	err := e.call(func(_ *arena, err **C.milena_error) C.milena_status {
		return C.go_embedded_request_count(e.handle, C.int32_t(api), &count, err)
	})
	return uint64(count), err
}

// Close ends the brokers and frees the cluster with all its records; later calls get ErrClosed. The error is always
// nil.
func (e *EmbeddedCluster) Close() error {
	e.once.Do(func() {
		runtime.SetFinalizer(e, nil)
		C.go_embedded_free(e.handle)
	})
	return nil
}

func (e *EmbeddedCluster) call(call func(*arena, **C.milena_error) C.milena_status) error {
	defer runtime.KeepAlive(e)
	var a arena
	defer a.free()
	var err *C.milena_error
	status := call(&a, &err)
	if status == C.MILENA_OK {
		return nil
	}
	failure := taken(status, err)
	if failure.Code == ErrStaleHandle {
		return errClosed("embedded cluster")
	}
	return failure
}

// orMinus is a number of which 0 stands for the default, -1 in the library.
func orMinus(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// clamp keeps a number that is out of all ranges out of them.
func clamp(n int) C.int32_t {
	return C.int32_t(min(max(n, math.MinInt32), math.MaxInt32))
}
