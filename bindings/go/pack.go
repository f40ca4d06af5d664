package milena

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"
)

// blockBytes is how much is sent in one crossing: much more than a crossing costs, and still in the processor's cache.
const blockBytes = 256 << 10

// headBytes is what stands in front of each record in a block; see milena_producer_send_packed.
const headBytes = 32

var (
	blocks = sync.Pool{New: func() any { return new([]byte) }}
	blank  [headBytes]byte
)

// pack appends records to a block until it is full. It returns how many it took; an error is about the next one.
func pack(block []byte, records []ProducerRecord) ([]byte, int, error) {
	for i := range records {
		if len(block) >= blockBytes {
			return block, i, nil
		}
		var err error
		if block, err = packRecord(block, &records[i]); err != nil {
			return block, i, err
		}
	}
	return block, len(records), nil
}

func packRecord(block []byte, r *ProducerRecord) ([]byte, error) {
	timestamp := int64(-1)
	if !r.Timestamp.IsZero() {
		if timestamp = r.Timestamp.UnixMilli(); timestamp < 0 {
			return block, failed(ErrInvalidArgument, fmt.Sprintf("the timestamp %v is before 1970", r.Timestamp), "")
		}
	}
	if tooLong(r.Key) || tooLong(r.Value) || len(r.Headers) > math.MaxInt32 {
		return block, tooLarge()
	}
	at := len(block)
	block = append(block, blank[:]...)
	head := block[at : at+headBytes]
	binary.LittleEndian.PutUint64(head, r.Token)
	binary.LittleEndian.PutUint64(head[8:], uint64(timestamp))
	binary.LittleEndian.PutUint32(head[16:], uint32(r.Partition.Or(-1)))
	binary.LittleEndian.PutUint32(head[20:], length(r.Key))
	binary.LittleEndian.PutUint32(head[24:], length(r.Value))
	binary.LittleEndian.PutUint32(head[28:], uint32(len(r.Headers)))
	block = append(block, r.Key...)
	block = append(block, r.Value...)
	for i := range r.Headers {
		h := &r.Headers[i]
		if len(h.Name) > math.MaxInt32 || tooLong(h.Value) {
			return block[:at], tooLarge()
		}
		block = binary.LittleEndian.AppendUint32(block, uint32(len(h.Name)))
		block = binary.LittleEndian.AppendUint32(block, length(h.Value))
		block = append(block, h.Name...)
		block = append(block, h.Value...)
	}
	return block, nil
}

// behind is where the record behind the first n begins in a block.
func behind(block []byte, n int) int {
	at := 0
	for ; n > 0; n-- {
		head := block[at : at+headBytes]
		at += headBytes + stored(head[20:]) + stored(head[24:])
		for headers := binary.LittleEndian.Uint32(head[28:]); headers > 0; headers-- {
			at += 8 + stored(block[at:]) + stored(block[at+4:])
		}
	}
	return at
}

// length is that of bytes in a block: -1 for null.
func length(b []byte) uint32 {
	if b == nil {
		return math.MaxUint32
	}
	return uint32(len(b))
}

// stored is how many bytes a length in a block stands for.
func stored(b []byte) int {
	if n := int32(binary.LittleEndian.Uint32(b)); n > 0 {
		return int(n)
	}
	return 0
}

func tooLong(b []byte) bool { return len(b) > math.MaxInt32 }

func tooLarge() error {
	return failed(ErrMessageTooLarge, "a key, value or header of 2 GiB or more", "")
}
