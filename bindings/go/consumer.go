package milena

// #include "bridge.h"
import "C"

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// Consumer reads records: as a member of a group ([Consumer.Subscribe]) or of partitions chosen by the program
// ([Consumer.Assign]). A thread of the library fetches ahead, at most fetch.buffer.memory bytes, keeps up the
// membership and commits; [Consumer.Poll] hands out what is there.
//
// A consumer is for one goroutine at a time: a call while another one is under way gets ErrBusy, and nothing happens.
// Only Close may be called at any time; it ends a call that waits.
//
// As a member of a group, poll at least every max.poll.interval.ms, or the group gives the partitions to others; a Poll
// that waits counts. When Poll gives an EventRevoked, the next Poll says that the program is done with those
// partitions: commit their offsets before it.
//
// Where a method takes a context and is not Poll, one without a deadline means default.api.timeout.ms.
type Consumer struct {
	handle C.uintptr_t
	watch  *watcher
	sink   *logSink
	// alive is how long a Poll may wait without asking the library, so that the group sees that it is polled.
	alive time.Duration
	// small takes the records of a poll that gives few; others are copied in a second call.
	small []byte
	// busy is held by the call that is under way.
	busy    chan struct{}
	closing chan struct{} // closed when Close begins
	once    sync.Once     // closes closing
}

// smallBatch is the size of batches that are cheaper to copy twice than to call for again.
const smallBatch = 4096

// maxPollIntervalMs is the default of max.poll.interval.ms.
const maxPollIntervalMs = 300_000

// NewConsumer makes a consumer. It does not wait for the brokers. Close it when it is no longer used.
//
// Errors: ErrInvalidConfiguration with all that is wrong; ErrNotImplemented for a property that is known, but has no
// effect yet; ErrTransport when the system has no more threads or descriptors.
func NewConsumer(options ...Option) (*Consumer, error) {
	s, err := gather(options)
	if err != nil {
		return nil, err
	}
	defer s.free()
	var handle C.uintptr_t
	var cErr *C.milena_error
	if status := C.go_consumer_new(s.config, &handle, &cErr); status != C.MILENA_OK {
		return nil, taken(status, cErr)
	}
	sink := newLogSink(s.logger, handle, 'c')
	c := &Consumer{
		handle:  handle,
		sink:    sink,
		alive:   time.Duration(s.millis("max.poll.interval.ms", maxPollIntervalMs)) * time.Millisecond / 3,
		small:   make([]byte, smallBatch),
		busy:    make(chan struct{}, 1),
		closing: make(chan struct{}),
	}
	c.watch = newWatcher(sink, func(fd *C.milena_fd, err **C.milena_error) C.milena_status {
		return C.go_consumer_fd(handle, fd, err)
	})
	runtime.SetFinalizer(c, (*Consumer).free)
	return c, c.watch.forLog()
}

// enter begins a call; leave ends it.
func (c *Consumer) enter() error {
	if c.isClosing() {
		return errClosed("consumer")
	}
	select {
	case c.busy <- struct{}{}:
		return nil
	default:
		if c.isClosing() {
			return errClosed("consumer")
		}
		return failed(ErrBusy, "another goroutine is inside a call of this consumer",
			"use a consumer from one goroutine at a time")
	}
}

func (c *Consumer) leave() {
	c.sink.drain()
	<-c.busy
}

func (c *Consumer) isClosing() bool {
	select {
	case <-c.closing:
		return true
	default:
		return false
	}
}

// now runs a call that does not wait.
func (c *Consumer) now(call func(err **C.milena_error) C.milena_status) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	var err *C.milena_error
	return c.check(call(&err), err)
}

// check is how a call ended; a handle that is gone is a consumer that was closed meanwhile.
func (c *Consumer) check(status C.milena_status, err *C.milena_error) error {
	if status == C.MILENA_OK {
		return nil
	}
	e := taken(status, err)
	if e.Code == ErrStaleHandle {
		return errClosed("consumer")
	}
	return e
}

// wait runs a call that may wait in the library, until ctx ends.
func (c *Consumer) wait(ctx context.Context, call func(timeoutMs C.int64_t, err **C.milena_error) C.milena_status) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	for {
		err := c.waitOnce(ctx, call)
		if !errors.Is(err, ErrWakeup) {
			return because(ctx, err)
		}
		if c.isClosing() {
			return errClosed("consumer")
		}
		if ctx.Err() != nil {
			return because(ctx, err)
		}
		// Meant for an earlier call, whose context was cancelled just as it ended.
	}
}

func (c *Consumer) waitOnce(ctx context.Context, call func(C.int64_t, **C.milena_error) C.milena_status) error {
	handle := c.handle
	stop := context.AfterFunc(ctx, func() { C.go_consumer_wakeup(handle) })
	defer stop()
	var err *C.milena_error
	return c.check(call(C.int64_t(timeout(ctx)), &err), err)
}

// Subscribe joins the group to read these topics, in place of any before; their partitions are shared out among the
// group's members. It does not wait: it takes effect with the next polls, which give the events. No topics: as
// Unsubscribe.
//
// Errors: ErrInvalidState without a group.id, and while partitions are assigned by hand.
func (c *Consumer) Subscribe(topics ...string) error {
	var a arena
	defer a.free()
	first, n := texts(&a, topics)
	return c.now(func(err **C.milena_error) C.milena_status {
		return C.go_consumer_subscribe(c.handle, first, n, err)
	})
}

// Unsubscribe gives up the subscription, leaving the group (with enable.auto.commit after a last commit), or the
// partitions assigned by hand. It does not wait; no events follow.
func (c *Consumer) Unsubscribe() error {
	return c.now(func(err **C.milena_error) C.milena_status {
		return C.go_consumer_unsubscribe(c.handle, err)
	})
}

// Assign reads these partitions, in place of those before, without the group's sharing them out. It begins at the
// group's committed offsets if there is a group.id, else as auto.offset.reset says, unless Seek says more. It does not
// wait.
//
// Errors: ErrInvalidState while subscribed.
func (c *Consumer) Assign(partitions ...TopicPartition) error {
	return c.nowWith(partitions, func(first *C.milena_topic_partition, n C.size_t, err **C.milena_error) C.milena_status {
		return C.go_consumer_assign(c.handle, first, n, err)
	})
}

// Assignment is the partitions that are read now: Topic and Partition of each; Offset is its position, or -1. It does
// not wait.
func (c *Consumer) Assignment() ([]Offset, error) {
	var result *C.milena_offsets
	err := c.now(func(err **C.milena_error) C.milena_status {
		return C.go_consumer_assignment(c.handle, &result, err)
	})
	if err != nil {
		return nil, err
	}
	return takeOffsets(result), nil
}

// Poll takes records, at most max.poll.records, or an event; see [Batch]. It waits for the first until ctx ends.
//
// Errors: the context's; an error that names a partition (Error.Topic) is about that one only, such as
// ErrCorruptMessage: seek to Error.NextOffset to read on behind it. ErrNoOffset, ErrOffsetOutOfRange when
// auto.offset.reset is none; ErrInvalidState without subscription or assignment; authorization errors; ErrClosed. After
// each of them the consumer can be polled again, unless Error.Fatal.
func (c *Consumer) Poll(ctx context.Context) (*Batch, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if c.isClosing() {
			return nil, errClosed("consumer")
		}
		ready, err := c.watch.next()
		if err != nil {
			return nil, err
		}
		batch, err := c.pollNow()
		if batch != nil || err != nil {
			return batch, err
		}
		c.rest(ctx, ready)
	}
}

// rest waits until there may be something to poll, or the group should hear that the program is alive.
func (c *Consumer) rest(ctx context.Context, ready <-chan struct{}) {
	timer := time.NewTimer(c.alive)
	defer timer.Stop()
	select {
	case <-ready:
	case <-timer.C:
	case <-c.closing:
	case <-ctx.Done():
	}
}

// pollNow takes what there is in the library; nil for nothing.
func (c *Consumer) pollNow() (*Batch, error) {
	v := C.go_consumer_poll(c.handle, (*C.uint8_t)(unsafe.SliceData(c.small)), C.size_t(len(c.small)))
	if v.status != C.MILENA_OK {
		err := c.check(v.status, v.err)
		if errors.Is(err, ErrWakeup) {
			// Meant for an earlier call, or for closing: the caller's loop sees to it.
			return c.pollNow()
		}
		return nil, err
	}
	if v.packed > 0 {
		return readBatch(append([]byte(nil), c.small[:v.packed]...))
	}
	if v.batch == nil {
		return nil, nil
	}
	if v.event != nil {
		return takeEvent(v.batch, v.event), nil
	}
	return takeBatch(v.batch, v.size)
}

// Close ends the consumer: it ends a call that waits, commits what polls have handed out (with enable.auto.commit),
// leaves the group, and closes the connections. It returns when ctx ends at the latest, and the consumer is closed all
// the same. Later calls get ErrClosed; closing again does nothing. Any goroutine may call it, at any time.
//
// Errors: ErrTimedOut, or the context's error, or the failure of the last commit.
func (c *Consumer) Close(ctx context.Context) error {
	first := false
	c.once.Do(func() {
		first = true
		close(c.closing)
	})
	if !first {
		return nil
	}
	C.go_consumer_wakeup(c.handle)
	select {
	case c.busy <- struct{}{}:
	default:
		select {
		case c.busy <- struct{}{}:
		case <-ctx.Done():
			c.free()
			return ctx.Err()
		}
	}
	limit := timeout(ctx)
	if ctx.Err() != nil {
		limit = 0
	}
	err := c.end(ctx, limit)
	c.free()
	return because(ctx, err)
}

// end closes the library's consumer. A cancelled context frees it, which ends the wait.
func (c *Consumer) end(ctx context.Context, timeoutMs int64) error {
	handle := c.handle
	cancelled := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cancelled)
		if ctx.Err() == context.Canceled && timeoutMs != 0 {
			C.go_consumer_free(handle)
		}
	})
	var cErr *C.milena_error
	err := check(C.go_consumer_close(handle, C.int64_t(timeoutMs), &cErr), cErr)
	if !stop() {
		<-cancelled
		if err != nil && ctx.Err() == context.Canceled {
			return ctx.Err()
		}
	}
	return err
}

// free gives the library's consumer back; as a finalizer too, which commits nothing and leaves the group to find out.
func (c *Consumer) free() {
	runtime.SetFinalizer(c, nil)
	c.sink.drain()
	C.go_consumer_free(c.handle)
	c.watch.close()
}

// nowWith runs a call about partitions that does not wait.
func (c *Consumer) nowWith(partitions []TopicPartition,
	call func(*C.milena_topic_partition, C.size_t, **C.milena_error) C.milena_status) error {
	var a arena
	defer a.free()
	first, n := partitionRows(&a, partitions)
	return c.now(func(err **C.milena_error) C.milena_status { return call(first, n, err) })
}
