package milena

// #include "bridge.h"
import "C"

import (
	"context"
	"runtime"
	"sort"
	"sync"
	"unsafe"
)

// Admin creates, deletes and describes topics, and describes the cluster. All methods may be called by any goroutines
// at once. Each asks the brokers and waits until they have answered or ctx ends (without a deadline:
// default.api.timeout.ms); what passes by itself, such as a controller that moved, is tried again until then. What a
// call began may still happen after its context was cancelled.
type Admin struct {
	handle C.uintptr_t
	watch  *watcher
	sink   *logSink
	once   sync.Once
}

// NewTopic is a topic to create. The zero value of all but Name is the broker's default.
type NewTopic struct {
	Name string
	// Partitions and ReplicationFactor; 0: the broker's default, which brokers before 2.4 do not have.
	Partitions        int
	ReplicationFactor int
	// Configs are properties of the topic, such as cleanup.policy.
	Configs map[string]string
}

// TopicDescription is what is known of a topic, or what came of creating or deleting it.
type TopicDescription struct {
	Name string
	// ID of the topic; all 0 from brokers before 2.8.
	ID [16]byte
	// Internal says that it is a topic of Kafka's own.
	Internal bool
	// Err is why it failed; nil when it did not.
	Err error
	// Partitions in the order of their numbers; none after creating and deleting.
	Partitions []PartitionDescription
}

// PartitionDescription is a partition of a topic.
type PartitionDescription struct {
	Partition int32
	// Leader is the id of the broker that leads it; none when there is none at the moment.
	Leader      Optional
	LeaderEpoch Optional
	// Err is what is wrong with it, such as ErrLeaderNotAvailable; nil when nothing is.
	Err error
	// Replicas are the ids of the brokers that have it, InSync of those that have all of it.
	Replicas, InSync []int32
}

// ClusterDescription is what is known of a cluster.
type ClusterDescription struct {
	// ID of the cluster; empty when it has none.
	ID string
	// Controller is the id of the broker to send changes to.
	Controller Optional
	Brokers    []Broker
}

// Broker is a broker of a cluster.
type Broker struct {
	ID   int32
	Host string
	Port int
	// Rack is empty when it has none.
	Rack string
}

// NewAdmin makes an admin client. It does not wait for the brokers. Close it when it is no longer used.
//
// Errors: ErrInvalidConfiguration with all that is wrong; ErrNotImplemented for a property that is known, but has no
// effect yet; ErrTransport when the system has no more threads or descriptors.
func NewAdmin(options ...Option) (*Admin, error) {
	s, err := gather(options)
	if err != nil {
		return nil, err
	}
	defer s.free()
	var handle C.uintptr_t
	var cErr *C.milena_error
	if status := C.go_admin_new(s.config, &handle, &cErr); status != C.MILENA_OK {
		return nil, taken(status, cErr)
	}
	a := &Admin{handle: handle, sink: newLogSink(s.logger, handle, 'a')}
	a.watch = newWatcher(a.sink, func(fd *C.milena_fd, err **C.milena_error) C.milena_status {
		return C.go_admin_fd(handle, fd, err)
	})
	runtime.SetFinalizer(a, (*Admin).Close)
	return a, a.watch.forLog()
}

// CreateTopics creates topics. The result has a row for each, in the order of the question; err is that of the call, or
// of the first topic that failed.
//
// Errors: ErrTopicAlreadyExists, ErrInvalidTopicException, ErrInvalidPartitions, ErrInvalidReplicationFactor,
// ErrInvalidConfig, ErrPolicyViolation, authorization errors; ErrTimedOut; ErrClosed; the context's. A topic that was
// just created may not be known to all brokers for a moment.
func (a *Admin) CreateTopics(ctx context.Context, topics ...NewTopic) ([]TopicDescription, error) {
	return a.create(ctx, topics, 0)
}

// ValidateTopics checks whether topics could be created. As CreateTopics.
func (a *Admin) ValidateTopics(ctx context.Context, topics ...NewTopic) ([]TopicDescription, error) {
	return a.create(ctx, topics, 1)
}

func (a *Admin) create(ctx context.Context, topics []NewTopic, validateOnly C.int32_t) ([]TopicDescription, error) {
	return a.topics(ctx, func(m *arena, timeoutMs C.int64_t, out **C.milena_topics, err **C.milena_error) C.milena_status {
		first, all := rows[C.milena_new_topic](m, len(topics))
		for i := range topics {
			all[i] = newTopicRow(m, &topics[i])
		}
		return C.go_admin_create_topics(a.handle, first, C.size_t(len(topics)), validateOnly, timeoutMs, out, err)
	})
}

func newTopicRow(m *arena, t *NewTopic) C.milena_new_topic {
	names := make([]string, 0, len(t.Configs))
	for name := range t.Configs {
		names = append(names, name)
	}
	sort.Strings(names)
	configs, all := rows[C.milena_property](m, len(names))
	for i, name := range names {
		all[i] = C.milena_property{name: m.text(name), value: m.text(t.Configs[name])}
	}
	return C.milena_new_topic{
		name:               m.text(t.Name),
		partitions:         clamp(orMinus(t.Partitions)),
		replication_factor: clamp(orMinus(t.ReplicationFactor)),
		configs:            configs,
		configs_len:        C.size_t(len(names)),
	}
}

// DeleteTopics deletes topics, with all their records. Results as of CreateTopics.
//
// Errors: ErrUnknownTopicOrPartition, ErrTopicDeletionDisabled, authorization errors; ErrTimedOut; ErrClosed; the
// context's.
func (a *Admin) DeleteTopics(ctx context.Context, names ...string) ([]TopicDescription, error) {
	return a.topics(ctx, func(m *arena, timeoutMs C.int64_t, out **C.milena_topics, err **C.milena_error) C.milena_status {
		first, n := texts(m, names)
		return C.go_admin_delete_topics(a.handle, first, n, timeoutMs, out, err)
	})
}

// DescribeTopics describes topics: id, partitions, leaders, replicas. Results as of CreateTopics; does not create
// topics.
//
// Errors: ErrUnknownTopicOrPartition, authorization errors; ErrTimedOut; ErrClosed; the context's.
func (a *Admin) DescribeTopics(ctx context.Context, names ...string) ([]TopicDescription, error) {
	return a.topics(ctx, func(m *arena, timeoutMs C.int64_t, out **C.milena_topics, err **C.milena_error) C.milena_status {
		first, n := texts(m, names)
		return C.go_admin_describe_topics(a.handle, first, n, timeoutMs, out, err)
	})
}

// ListTopics describes all topics, in the order of their names; Kafka's own (such as __consumer_offsets) only with
// internal.
func (a *Admin) ListTopics(ctx context.Context, internal bool) ([]TopicDescription, error) {
	listInternal := C.int32_t(0)
	if internal {
		listInternal = 1
	}
	return a.topics(ctx, func(_ *arena, timeoutMs C.int64_t, out **C.milena_topics, err **C.milena_error) C.milena_status {
		return C.go_admin_list_topics(a.handle, listInternal, timeoutMs, out, err)
	})
}

// DescribeCluster describes the cluster: its id, its controller, its brokers.
func (a *Admin) DescribeCluster(ctx context.Context) (ClusterDescription, error) {
	defer runtime.KeepAlive(a)
	defer a.sink.drain()
	return await(ctx, func(timeoutMs int64) (ClusterDescription, error) {
		var cluster *C.milena_cluster
		var err *C.milena_error
		status := C.go_admin_describe_cluster(a.handle, C.int64_t(timeoutMs), &cluster, &err)
		if status != C.MILENA_OK {
			return ClusterDescription{}, a.failure(status, err)
		}
		return takeCluster(cluster), nil
	})
}

// Close ends the client: calls that wait end with ErrClosed, as do later ones. It does not block; closing again does
// nothing. The error is always nil.
func (a *Admin) Close() error {
	a.once.Do(func() {
		runtime.SetFinalizer(a, nil)
		a.sink.drain()
		C.go_admin_close(a.handle, nil)
		C.go_admin_free(a.handle)
		a.watch.close()
	})
	return nil
}

// topics runs a call whose answer is topics.
func (a *Admin) topics(ctx context.Context,
	call func(*arena, C.int64_t, **C.milena_topics, **C.milena_error) C.milena_status) ([]TopicDescription, error) {
	defer runtime.KeepAlive(a)
	defer a.sink.drain()
	return await(ctx, func(timeoutMs int64) ([]TopicDescription, error) {
		var m arena
		defer m.free()
		var result *C.milena_topics
		var err *C.milena_error
		status := call(&m, C.int64_t(timeoutMs), &result, &err)
		topics := takeTopics(result)
		if status != C.MILENA_OK {
			return topics, a.failure(status, err)
		}
		return topics, nil
	})
}

func (a *Admin) failure(status C.milena_status, err *C.milena_error) error {
	e := taken(status, err)
	if e.Code == ErrStaleHandle {
		return errClosed("admin client")
	}
	return e
}

// takeTopics copies the rows of a result, and frees it.
func takeTopics(result *C.milena_topics) []TopicDescription {
	defer C.milena_topics_free(result)
	var n, stride C.size_t
	first := C.milena_topics_rows(result, &n, &stride)
	topics := make([]TopicDescription, int(n))
	for i := range topics {
		readTopic(&topics[i], row(first, i, stride))
	}
	return topics
}

func readTopic(t *TopicDescription, r *C.milena_topic) {
	t.Name = goText(r.name)
	for i := range t.ID {
		t.ID[i] = byte(r.id[i])
	}
	t.Internal = r.is_internal != 0
	if r.error != nil {
		t.Err = borrowed(r.error)
	} else if r.status != C.MILENA_OK {
		t.Err = taken(r.status, nil)
	}
	t.Partitions = make([]PartitionDescription, int(r.partitions_len))
	for i := range t.Partitions {
		p := row(r.partitions, i, r.partitions_stride)
		t.Partitions[i] = PartitionDescription{
			Partition:   int32(p.partition),
			Leader:      optional(int32(p.leader)),
			LeaderEpoch: optional(int32(p.leader_epoch)),
			Replicas:    goInts(p.replicas, p.replicas_len),
			InSync:      goInts(p.in_sync, p.in_sync_len),
		}
		if p.status != C.MILENA_OK {
			t.Partitions[i].Err = taken(p.status, nil)
		}
	}
}

func takeCluster(cluster *C.milena_cluster) ClusterDescription {
	defer C.milena_cluster_free(cluster)
	var n, stride C.size_t
	first := C.milena_cluster_brokers(cluster, &n, &stride)
	d := ClusterDescription{
		ID:         C.GoString(C.milena_cluster_id(cluster)),
		Controller: optional(int32(C.milena_cluster_controller(cluster))),
		Brokers:    make([]Broker, int(n)),
	}
	for i := range d.Brokers {
		b := row(first, i, stride)
		d.Brokers[i] = Broker{ID: int32(b.id), Host: C.GoString(b.host), Port: int(b.port), Rack: C.GoString(b.rack)}
	}
	return d
}

func goInts(first *C.int32_t, n C.size_t) []int32 {
	return append([]int32(nil), unsafe.Slice((*int32)(first), int(n))...)
}
