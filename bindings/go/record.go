package milena

import "time"

// Header is a record's header. Names may come twice. A nil value is Kafka's null, an empty one is empty.
type Header struct {
	Name  string
	Value []byte
}

// ProducerRecord is a record to send. The zero value is one without key, value and headers, for the partition that
// the partitioner chooses.
type ProducerRecord struct {
	// Key and Value: nil is Kafka's null, which is not the same as empty.
	Key   []byte
	Value []byte
	// Headers in their order.
	Headers []Header
	// Partition to write to, as in milena.Some(3). None: the partitioner chooses, by the key as Java's client does,
	// or if there is none, whatever fills batches.
	Partition Optional
	// Timestamp of the record, in milliseconds' precision; the zero time is the moment of the call.
	Timestamp time.Time
	// Token comes back with the record's delivery; it means nothing to the library.
	Token uint64
}

// ConsumerRecord is a record that was read. Key, Value and Headers are parts of the batch's memory, which lives as long
// as any of them; copy what is to be kept of a large batch for long.
type ConsumerRecord struct {
	Topic     string
	Partition int32
	// LeaderEpoch is the epoch of the leader that stored the record.
	LeaderEpoch Optional
	Offset      int64
	// Timestamp is the zero time where TimestampType is NoTimestamp.
	Timestamp     time.Time
	TimestampType TimestampType
	// Key and Value: nil is Kafka's null, which is not the same as empty.
	Key     []byte
	Value   []byte
	Headers []Header
	// Control says that it is a marker of a transaction's end, not data. Only DecodeBatches gives these.
	Control bool
}

// TimestampType says what a record's timestamp is.
type TimestampType int8

const (
	// CreateTime: the producer's.
	CreateTime TimestampType = iota
	// LogAppendTime: the broker's, when it stored the record.
	LogAppendTime
	// NoTimestamp: there is none, in the oldest of the formats.
	NoTimestamp
)

// String is Kafka's name of the type.
func (t TimestampType) String() string {
	switch t {
	case CreateTime:
		return "CreateTime"
	case LogAppendTime:
		return "LogAppendTime"
	}
	return "NoTimestampType"
}
