package milena

// #include "bridge.h"
import "C"

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Producer sends records. [Producer.Send] copies them into batches and returns; a thread of the library sends the
// batches; what became of each record comes out of [Producer.Poll] or [Producer.Deliveries]. Every accepted record is
// reported exactly once, delivered or failed. Poll, even if only to learn of failures: deliveries that nobody takes
// fill buffer.memory, and then sends wait.
//
// All methods may be called by any goroutines at once.
type Producer struct {
	handle   C.uintptr_t
	watch    *watcher
	sink     *logSink
	maxBlock time.Duration
	// waiting is held by the one goroutine that waits in the library for room; the others wait here, so that any
	// number of them costs one thread.
	waiting chan struct{}
	closing sync.Mutex  // held while closing
	inBulk  atomic.Bool // the last poll took many records

	mu      sync.Mutex
	pending []Delivery // taken from the library, and not by Poll yet
	freed   bool       // nothing more comes from the library
}

// Delivery is the outcome of the records of one batch: records of one partition that were delivered, or failed,
// together.
type Delivery struct {
	Topic     string
	Partition int32
	// Tokens are those of the records, in the order of their offsets.
	Tokens []uint64
	// BaseOffset is the offset of the first record; those of the others follow it, one by one. -1 when it is not
	// known: on failure, and with acks=0.
	BaseOffset int64
	// AppendTime is the time that the broker gave the records, where the topic uses LogAppendTime; the zero time:
	// they keep their own.
	AppendTime time.Time
	// Err is nil for records that were delivered. Otherwise none of these was, as far as the client knows.
	Err error
}

// Offset is that of the i-th record; -1 when it is not known.
func (d Delivery) Offset(i int) int64 {
	if d.BaseOffset < 0 {
		return -1
	}
	return d.BaseOffset + int64(i)
}

// maxBlockMs is the default of max.block.ms.
const maxBlockMs = 60_000

// NewProducer makes a producer. It does not wait for the brokers: that none can be reached shows in the deliveries and
// the log. Close it when it is no longer used.
//
// Errors: ErrInvalidConfiguration with all that is wrong; ErrNotImplemented for a property that is known, but has no
// effect yet; ErrTransport when the system has no more threads or descriptors.
func NewProducer(options ...Option) (*Producer, error) {
	s, err := gather(options)
	if err != nil {
		return nil, err
	}
	defer s.free()
	var handle C.uintptr_t
	var cErr *C.milena_error
	if status := C.go_producer_new(s.config, &handle, &cErr); status != C.MILENA_OK {
		return nil, taken(status, cErr)
	}
	sink := newLogSink(s.logger, handle, 'p')
	p := &Producer{
		handle:   handle,
		sink:     sink,
		maxBlock: time.Duration(s.millis("max.block.ms", maxBlockMs)) * time.Millisecond,
		waiting:  make(chan struct{}, 1),
	}
	p.watch = newWatcher(sink, func(fd *C.milena_fd, err **C.milena_error) C.milena_status {
		return C.go_producer_fd(handle, fd, err)
	})
	runtime.SetFinalizer(p, (*Producer).free)
	return p, p.watch.forLog()
}

// Send hands records for one topic over; they are copied. It takes them in their order until one is refused: n says
// how many were taken, and err is about the first that was not. Each that was taken is reported by Poll once, whatever
// happens to the rest.
//
// Send waits only for room in buffer.memory, as long as ctx allows, and at most max.block.ms without progress; a
// cancelled context ends the wait within a tenth of a second. A topic that is not known yet does not block: its records
// wait for its partitions within buffer.memory.
//
// Errors: ErrBufferExhausted when there was no room in time, together with the context's error if that ended it;
// ErrMessageTooLarge; ErrInvalidArgument for a malformed record; ErrUnknownTopicOrPartition for a partition that is
// not there; ErrInvalidTopicException; ErrClosed.
func (p *Producer) Send(ctx context.Context, topic string, records ...ProducerRecord) (n int, err error) {
	defer runtime.KeepAlive(p)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	block := blocks.Get().(*[]byte)
	defer blocks.Put(block)
	for n < len(records) {
		packed, count, malformed := pack((*block)[:0], records[n:])
		*block = packed[:0]
		accepted, err := p.sendBlock(ctx, topic, packed, count)
		n += accepted
		if err != nil {
			return n, err
		}
		if malformed != nil {
			return n, malformed
		}
	}
	return n, nil
}

// sendBlock sends what is packed, without waiting if that is possible.
func (p *Producer) sendBlock(ctx context.Context, topic string, block []byte, n int) (int, error) {
	accepted, err := p.offer(topic, block, n, 0)
	if err == nil || !errors.Is(err, ErrBufferExhausted) || p.maxBlock == 0 {
		return accepted, err
	}
	select {
	case p.waiting <- struct{}{}:
		defer func() { <-p.waiting }()
	case <-ctx.Done():
		return accepted, because(ctx, err)
	}
	more, err := p.sendWaiting(ctx, topic, block[behind(block, accepted):], n-accepted)
	return accepted + more, err
}

// slice is how long a wait in the library may be without a look at the context.
const slice = 100 * time.Millisecond

// sendWaiting sends what is packed, waiting in the library for room.
func (p *Producer) sendWaiting(ctx context.Context, topic string, block []byte, n int) (int, error) {
	total := 0
	until := time.Now().Add(p.maxBlock)
	for {
		wait := time.Until(until)
		if ctx.Done() != nil && wait > slice {
			wait = slice
		}
		accepted, err := p.offer(topic, block, n-total, ceilMs(wait))
		total += accepted
		if err == nil || !errors.Is(err, ErrBufferExhausted) {
			return total, err
		}
		if ctx.Err() != nil {
			return total, because(ctx, err)
		}
		if accepted > 0 {
			block = block[behind(block, accepted):]
			until = time.Now().Add(p.maxBlock)
		} else if time.Until(until) <= 0 {
			return total, err
		}
	}
}

// offer is one call of the library.
func (p *Producer) offer(topic string, block []byte, n int, blockMs int64) (int, error) {
	if n == 0 {
		return 0, nil
	}
	v := C.go_producer_send(p.handle, (*C.char)(unsafe.Pointer(unsafe.StringData(topic))), C.size_t(len(topic)),
		(*C.uint8_t)(unsafe.SliceData(block)), C.size_t(len(block)), C.size_t(n), C.int64_t(blockMs))
	if v.status == C.MILENA_OK {
		return int(v.accepted), nil
	}
	return int(v.accepted), p.failure(v.status, v.err)
}

// failure makes an error; a handle that is gone is a producer that was closed.
func (p *Producer) failure(status C.milena_status, err *C.milena_error) error {
	e := taken(status, err)
	if e.Code == ErrStaleHandle {
		return errClosed("producer")
	}
	return e
}

// Poll takes what became of records: one Delivery for each batch that ended. It waits for the first until ctx ends.
// After Close it gives what is left, and then ErrClosed.
//
// Errors: the context's; ErrClosed.
func (p *Producer) Poll(ctx context.Context) ([]Delivery, error) {
	defer runtime.KeepAlive(p)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ready, err := p.watch.next()
		deliveries, closed := p.takePending()
		if len(deliveries) > 0 {
			return deliveries, nil
		}
		if closed {
			return nil, errClosed("producer")
		}
		if err != nil {
			return nil, err
		}
		if deliveries, err = p.pollNow(); len(deliveries) > 0 || err != nil {
			return deliveries, err
		}
		if p.sink.drain() {
			continue
		}
		select {
		case <-ready:
			p.gather(ctx)
		case <-ctx.Done():
		}
	}
}

// bulk is how many records a poll took when there are so many that the next can wait for more; gathering is for how
// long it does. Waking a goroutine by a descriptor costs the runtime more than all else that a batch costs.
const (
	bulk      = 100
	gathering = 3 * time.Millisecond
)

// gather waits for more deliveries, if they come in bulk.
func (p *Producer) gather(ctx context.Context) {
	if !p.inBulk.Load() {
		return
	}
	timer := time.NewTimer(gathering)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Deliveries is Poll as an iterator, one Delivery after the other, until the producer is closed and all is told:
//
//	for delivery, err := range producer.Deliveries(ctx) { … }
//
// (With Go 1.23; before, call it with a function.) When ctx ends first, or polling fails, it ends with that error. What
// is not taken when the loop is left early, later ones get.
func (p *Producer) Deliveries(ctx context.Context) func(yield func(Delivery, error) bool) {
	return func(yield func(Delivery, error) bool) {
		for {
			deliveries, err := p.Poll(ctx)
			if errors.Is(err, ErrClosed) {
				return
			}
			if err != nil {
				yield(Delivery{}, err)
				return
			}
			for i := range deliveries {
				if !yield(deliveries[i], nil) {
					p.putBack(deliveries[i+1:])
					return
				}
			}
		}
	}
}

func (p *Producer) takePending() (deliveries []Delivery, closed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	deliveries, p.pending = p.pending, nil
	return deliveries, p.freed
}

func (p *Producer) putBack(deliveries []Delivery) {
	if len(deliveries) == 0 {
		return
	}
	p.mu.Lock()
	p.pending = append(deliveries[:len(deliveries):len(deliveries)], p.pending...)
	p.mu.Unlock()
	p.watch.wake()
}

// pollNow takes what there is in the library.
func (p *Producer) pollNow() ([]Delivery, error) {
	v := C.go_producer_poll(p.handle)
	if v.status != C.MILENA_OK {
		e := taken(v.status, v.err)
		if e.Code == ErrStaleHandle {
			// Freed since: the next look finds what Close has kept.
			return nil, nil
		}
		return nil, e
	}
	if v.all == nil {
		return nil, nil
	}
	defer C.milena_deliveries_free(v.all)
	deliveries, records := readDeliveries(v.chunks, int(v.n), v.stride)
	p.inBulk.Store(records >= bulk)
	return deliveries, nil
}

// readDeliveries copies rows of the library, and counts their records; all tokens are in one block.
func readDeliveries(first *C.milena_delivery, n int, stride C.size_t) ([]Delivery, int) {
	records := 0
	for i := 0; i < n; i++ {
		records += int(row(first, i, stride).tokens_len)
	}
	tokens := make([]uint64, 0, records)
	deliveries := make([]Delivery, n)
	topic := ""
	for i := range deliveries {
		chunk := row(first, i, stride)
		topic = goTextAgain(topic, chunk.topic)
		begin := len(tokens)
		tokens = append(tokens, unsafe.Slice((*uint64)(chunk.tokens), int(chunk.tokens_len))...)
		deliveries[i].Topic, deliveries[i].Tokens = topic, tokens[begin:len(tokens):len(tokens)]
		readDelivery(&deliveries[i], chunk)
	}
	return deliveries, records
}

func readDelivery(d *Delivery, chunk *C.milena_delivery) {
	d.Partition = int32(chunk.partition)
	d.BaseOffset = int64(chunk.base_offset)
	d.AppendTime = goTime(int64(chunk.append_time_ms))
	if chunk.status != C.MILENA_OK {
		if chunk.error != nil {
			d.Err = borrowed(chunk.error)
		} else {
			d.Err = taken(chunk.status, nil)
		}
	}
}

// Flush sends what lingers, and waits until everything that was accepted before is reported (not: polled). It needs
// nobody to poll. A record that fails is no error of Flush: its delivery says so.
//
// Errors: the context's, with ErrTimedOut when a deadline was over, and ErrClosed. What is left goes on being sent.
func (p *Producer) Flush(ctx context.Context) error {
	defer runtime.KeepAlive(p)
	_, err := await(ctx, func(timeoutMs int64) (struct{}, error) {
		var err *C.milena_error
		if status := C.go_producer_flush(p.handle, C.int64_t(timeoutMs), &err); status != C.MILENA_OK {
			return struct{}{}, p.failure(status, err)
		}
		return struct{}{}, nil
	})
	p.sink.drain()
	return err
}

// Close ends the producer: no more records are accepted, sends that wait end with ErrClosed, and what was accepted is
// delivered until ctx ends; what is left then is reported as ErrPurged. Deliveries can be polled afterwards. Closing
// again does nothing.
//
// Errors: ErrTimedOut when something was given up, with the context's error.
func (p *Producer) Close(ctx context.Context) error {
	p.closing.Lock()
	defer p.closing.Unlock()
	defer runtime.KeepAlive(p)
	if p.freed {
		return nil
	}
	err := p.end(ctx)
	if err != nil {
		// What was given up is reported by the library's thread, which may need a moment.
		var ignored *C.milena_error
		C.go_producer_flush(p.handle, C.int64_t(5*time.Second/time.Millisecond), &ignored)
		C.milena_error_free(ignored)
	}
	for {
		deliveries, err := p.pollNow()
		if len(deliveries) == 0 || err != nil {
			break
		}
		p.mu.Lock()
		p.pending = append(p.pending, deliveries...)
		p.mu.Unlock()
	}
	p.free()
	return err
}

// end closes the library's producer: until ctx ends, at its deadline or when it is cancelled.
func (p *Producer) end(ctx context.Context) error {
	limit := timeout(ctx)
	if ctx.Err() != nil {
		limit = 0
	}
	cancelled := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		var err error
		if ctx.Err() == context.Canceled {
			err = p.closeWithin(0)
		}
		cancelled <- err
	})
	err := p.closeWithin(limit)
	if !stop() {
		if given := <-cancelled; err == nil {
			err = given
		}
	}
	if err == nil {
		return nil
	}
	return because(ctx, err)
}

func (p *Producer) closeWithin(timeoutMs int64) error {
	var err *C.milena_error
	return check(C.go_producer_close(p.handle, C.int64_t(timeoutMs), &err), err)
}

// free gives the library's producer back; as a finalizer too, which gives up what is not delivered.
func (p *Producer) free() {
	runtime.SetFinalizer(p, nil)
	p.sink.drain()
	C.go_producer_free(p.handle)
	p.mu.Lock()
	p.freed = true
	p.mu.Unlock()
	p.watch.close()
}

func errClosed(what string) error {
	return failed(ErrClosed, "the "+what+" is closed", "")
}
