package milena

// #include "bridge.h"
import "C"

import (
	"encoding/binary"
	"unsafe"
)

// Batch is what one poll of a consumer gave: records, or an [Event], never both. It is Go's own memory, one block for
// all keys and values, and stays valid whatever happens to the consumer.
//
// Records are read from it as they are asked for:
//
//	for record := range batch.All() { … }               // Go 1.23
//	for i := 0; i < batch.Len(); i++ { batch.At(i) … }  // any
//
// Any goroutines may read a batch at once.
type Batch struct {
	// Event is what happened to the group or to a commit; nil for a batch of records.
	Event *Event

	block   []byte // see milena_batch_pack
	records []byte // the record rows
	chunks  []Chunk
	headers []Header // of all records
}

// Chunk is a part of a batch: records of one partition, in the order of their offsets, which may have gaps.
type Chunk struct {
	Topic     string
	Partition int32
	// LeaderEpoch of the leader that stored the records.
	LeaderEpoch Optional
	// NextOffset is where to read on behind this chunk: what to commit when its records are done with.
	NextOffset int64

	batch       *Batch
	first, size int
}

// Rows of the packed layout; see milena_batch_pack.
const (
	packedHead   = 32
	chunkRow     = 40
	recordRow    = 48
	headerRow    = 16
	packedLayout = 1
)

// Len is the number of records; 0 for an event.
func (b *Batch) Len() int { return len(b.records) / recordRow }

// At is the i-th record, 0 to Len() - 1; it panics for others, as an index does.
func (b *Batch) At(i int) ConsumerRecord {
	row := b.records[i*recordRow : (i+1)*recordRow]
	chunk := &b.chunks[u32(row, 44)]
	r := ConsumerRecord{
		Topic:       chunk.Topic,
		Partition:   chunk.Partition,
		LeaderEpoch: chunk.LeaderEpoch,
		Offset:      i64(row, 0),
		Key:         b.bytes(u32(row, 16), u32(row, 20)),
		Value:       b.bytes(u32(row, 24), u32(row, 28)),
	}
	if n := u32(row, 36); n > 0 {
		first := u32(row, 32)
		r.Headers = b.headers[first : first+n : first+n]
	}
	r.Timestamp = goTime(i64(row, 8))
	if flags := u32(row, 40); flags != 0 {
		r.mark(flags)
	}
	return r
}

func (r *ConsumerRecord) mark(flags uint32) {
	if flags&C.MILENA_RECORD_APPEND_TIME != 0 {
		r.TimestampType = LogAppendTime
	}
	if flags&C.MILENA_RECORD_NO_TIMESTAMP != 0 {
		r.TimestampType = NoTimestamp
	}
	r.Control = flags&C.MILENA_RECORD_CONTROL != 0
}

// All is an iterator over the records.
func (b *Batch) All() func(yield func(ConsumerRecord) bool) {
	return b.between(0, b.Len())
}

func (b *Batch) between(first, end int) func(yield func(ConsumerRecord) bool) {
	return func(yield func(ConsumerRecord) bool) {
		for i := first; i < end; i++ {
			if !yield(b.At(i)) {
				return
			}
		}
	}
}

// Chunks are the parts of the batch, by partition; a partition may have several.
func (b *Batch) Chunks() []Chunk { return b.chunks }

// Offsets are where to read on in each partition of the batch: what to commit when all its records are done with.
func (b *Batch) Offsets() []Offset {
	var offsets []Offset
	at := make(map[TopicPartition]int, len(b.chunks))
	for _, c := range b.chunks {
		p := TopicPartition{c.Topic, c.Partition}
		i, known := at[p]
		if !known {
			i = len(offsets)
			at[p] = i
			offsets = append(offsets, Offset{Topic: c.Topic, Partition: c.Partition})
		}
		offsets[i].Offset, offsets[i].LeaderEpoch = c.NextOffset, c.LeaderEpoch
	}
	return offsets
}

// Len is the number of records.
func (c Chunk) Len() int { return c.size }

// At is the i-th record, 0 to Len() - 1.
func (c Chunk) At(i int) ConsumerRecord {
	if i < 0 || i >= c.size {
		panic("milena: Chunk.At: index out of range")
	}
	return c.batch.At(c.first + i)
}

// All is an iterator over the records.
func (c Chunk) All() func(yield func(ConsumerRecord) bool) {
	return c.batch.between(c.first, c.first+c.size)
}

// takeBatch copies records out of the library in one piece, and frees what it had.
func takeBatch(batch *C.milena_batch, size C.size_t) (*Batch, error) {
	if size == 0 {
		C.milena_batch_free(batch)
		return nil, failed(ErrMessageTooLarge, "the batch has 4 GiB of records or more", "lower max.poll.records")
	}
	block := make([]byte, int(size))
	var err *C.milena_error
	status := C.go_batch_take(batch, (*C.uint8_t)(unsafe.SliceData(block)), size, &err)
	if status != C.MILENA_OK {
		return nil, taken(status, err)
	}
	return readBatch(block)
}

func readBatch(block []byte) (*Batch, error) {
	if layout := u32(block, 0); layout != packedLayout {
		return nil, failed(ErrNotImplemented, "the library packs batches in a way that is newer than this package", "")
	}
	b := &Batch{block: block, chunks: make([]Chunk, u32(block, 4))}
	at := u32(block, 20)
	b.records = block[at : at+u32(block, 8)*recordRow]
	rows := block[u32(block, 16):]
	for i := range b.chunks {
		row := rows[i*chunkRow:]
		b.chunks[i] = Chunk{
			Topic:       string(b.bytes(u32(row, 0), u32(row, 4))),
			Partition:   int32(u32(row, 8)),
			LeaderEpoch: optional(int32(u32(row, 12))),
			NextOffset:  i64(row, 16),
			batch:       b,
			first:       int(u32(row, 24)),
			size:        int(u32(row, 28)),
		}
	}
	if n := u32(block, 12); n > 0 {
		b.readHeaders(block[u32(block, 24):], int(n))
	}
	return b, nil
}

func (b *Batch) readHeaders(rows []byte, n int) {
	b.headers = make([]Header, n)
	for i := range b.headers {
		row := rows[i*headerRow:]
		name := b.bytes(u32(row, 0), u32(row, 4))
		b.headers[i] = Header{
			// Nobody writes to this part of the block: no slice of it is given away.
			Name:  unsafe.String(unsafe.SliceData(name), len(name)),
			Value: b.bytes(u32(row, 8), u32(row, 12)),
		}
	}
}

// bytes is a part of the block that does not grow into the next; nil for null.
func (b *Batch) bytes(at, length uint32) []byte {
	if int32(length) < 0 {
		return nil
	}
	end := uint64(at) + uint64(length)
	return b.block[at:end:end]
}

func u32(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }

func i64(b []byte, at int) int64 { return int64(binary.LittleEndian.Uint64(b[at:])) }

// EventKind says what happened.
type EventKind int32

const (
	// EventAssigned: these partitions are this member's from now on: with an eager assignor all that it has, with
	// cooperative-sticky those that were added.
	EventAssigned EventKind = C.MILENA_EVENT_ASSIGNED
	// EventRevoked: these partitions are to be given up. Their offsets can be committed until the next Poll, which
	// says that the program is done with them.
	EventRevoked EventKind = C.MILENA_EVENT_REVOKED
	// EventLost: these partitions are gone already, others may be reading them; nothing can be committed for them.
	EventLost EventKind = C.MILENA_EVENT_LOST
	// EventCommitted: a commit that nobody waited for has ended: one of CommitAsync, or a failed one that the
	// consumer made by itself.
	EventCommitted EventKind = C.MILENA_EVENT_COMMITTED
)

// String is the kind in a word.
func (k EventKind) String() string {
	switch k {
	case EventAssigned:
		return "assigned"
	case EventRevoked:
		return "revoked"
	case EventLost:
		return "lost"
	case EventCommitted:
		return "committed"
	}
	return "unknown"
}

// Event is something that happened to the group or to a commit. Programs should ignore kinds that they do not know.
type Event struct {
	Kind EventKind
	// Partitions that it is about; of a commit with their offsets.
	Partitions []Offset
	// Err is why a commit failed, or why partitions are lost; nil when there is no such reason.
	Err error
}

// takeEvent copies an event, and frees what the library had.
func takeEvent(batch *C.milena_batch, event *C.milena_event) *Batch {
	defer C.milena_batch_free(batch)
	e := &Event{
		Kind:       EventKind(event.kind),
		Partitions: readOffsets(event.partitions, event.partitions_len, event.partitions_stride),
	}
	if event.error != nil {
		e.Err = borrowed(event.error)
	} else if event.status != C.MILENA_OK {
		e.Err = taken(event.status, nil)
	}
	return &Batch{Event: e}
}

// DecodeBatches decodes record batches, of any format (v0, v1, v2) and codec, as brokers store and send them: for
// tools, such as for a broker's segment files. The result has a chunk for each batch, without a topic and with
// partition -1; control records are given and marked. A batch that is cut off at the end is no error: what is in front
// of it is given. Checksums are checked. A batch may decompress to maxBatchBytes (0: 1 GiB).
//
// Errors: ErrCorruptMessage, with the offset and what is wrong, together with the batches in front of the corrupt one.
func DecodeBatches(data []byte, maxBatchBytes int) (*Batch, error) {
	if maxBatchBytes < 0 {
		return &Batch{}, failed(ErrInvalidArgument, "maxBatchBytes is negative", "")
	}
	if len(data) == 0 {
		return &Batch{}, nil
	}
	var batch *C.milena_batch
	var err *C.milena_error
	status := C.milena_decode_batches((*C.uint8_t)(unsafe.SliceData(data)), C.size_t(len(data)),
		C.size_t(maxBatchBytes), &batch, &err)
	failure := check(status, err)
	if batch == nil {
		return &Batch{}, failure
	}
	b, packErr := takeBatch(batch, C.milena_batch_packed_size(batch))
	if packErr != nil {
		return &Batch{}, packErr
	}
	return b, failure
}
