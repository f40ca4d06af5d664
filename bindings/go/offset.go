package milena

// #include "bridge.h"
import "C"

import "time"

// TopicPartition is a partition of a topic.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Offset is an offset of a partition. Which members count, each method says.
type Offset struct {
	Topic     string
	Partition int32
	// Offset of the next record to read; -1: none.
	Offset int64
	// LeaderEpoch of the record before it, which lets the client notice lost records (KIP-320).
	LeaderEpoch Optional
	// Timestamp in milliseconds' precision; the zero time: none.
	Timestamp time.Time
	// Metadata is text that is kept with a committed offset.
	Metadata string
}

// TopicPartition is the partition that the offset is one of.
func (o Offset) TopicPartition() TopicPartition { return TopicPartition{o.Topic, o.Partition} }

func partitionRows(a *arena, partitions []TopicPartition) (*C.milena_topic_partition, C.size_t) {
	first, all := rows[C.milena_topic_partition](a, len(partitions))
	for i, p := range partitions {
		all[i] = C.milena_topic_partition{topic: a.text(p.Topic), partition: C.int32_t(p.Partition)}
	}
	return first, C.size_t(len(partitions))
}

func offsetRows(a *arena, offsets []Offset) (*C.milena_offset, C.size_t) {
	first, all := rows[C.milena_offset](a, len(offsets))
	for i, o := range offsets {
		all[i] = C.milena_offset{
			topic:        a.text(o.Topic),
			partition:    C.int32_t(o.Partition),
			leader_epoch: C.int32_t(o.LeaderEpoch.Or(-1)),
			offset:       C.int64_t(o.Offset),
			timestamp_ms: C.int64_t(millis(o.Timestamp)),
		}
		if o.Metadata != "" {
			all[i].metadata = a.text(o.Metadata)
		}
	}
	return first, C.size_t(len(offsets))
}

// readOffsets copies rows of the library.
func readOffsets(first *C.milena_offset, n, stride C.size_t) []Offset {
	offsets := make([]Offset, int(n))
	for i := range offsets {
		r := row(first, i, stride)
		offsets[i] = Offset{
			Topic:       goText(r.topic),
			Partition:   int32(r.partition),
			Offset:      int64(r.offset),
			LeaderEpoch: optional(int32(r.leader_epoch)),
			Timestamp:   goTime(int64(r.timestamp_ms)),
			Metadata:    goText(r.metadata),
		}
	}
	return offsets
}

// takeOffsets copies the rows of a result, and frees it.
func takeOffsets(result *C.milena_offsets) []Offset {
	defer C.milena_offsets_free(result)
	var n, stride C.size_t
	first := C.milena_offsets_rows(result, &n, &stride)
	return readOffsets(first, n, stride)
}
