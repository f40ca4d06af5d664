package milena

// #include "bridge.h"
import "C"

import "context"

// Seek reads on at other offsets: Offset of each row, and LeaderEpoch if it is known. What was fetched there already is
// dropped. It does not wait.
//
// Errors: ErrInvalidState for a partition that is not assigned; ErrInvalidArgument for a negative offset. Then nothing
// was changed.
func (c *Consumer) Seek(offsets ...Offset) error {
	var a arena
	defer a.free()
	first, n := offsetRows(&a, offsets)
	return c.now(func(err **C.milena_error) C.milena_status {
		return C.go_consumer_seek(c.handle, first, n, err)
	})
}

// SeekToBeginning reads on at the beginning of partitions; without any, of all that are assigned. It does not wait: the
// offset is looked up when the next Poll needs it.
func (c *Consumer) SeekToBeginning(partitions ...TopicPartition) error {
	return c.nowWith(partitions, func(first *C.milena_topic_partition, n C.size_t, err **C.milena_error) C.milena_status {
		return C.go_consumer_seek_to_beginning(c.handle, first, n, err)
	})
}

// SeekToEnd reads on at the end of partitions, that is, only what comes from now on. As SeekToBeginning.
func (c *Consumer) SeekToEnd(partitions ...TopicPartition) error {
	return c.nowWith(partitions, func(first *C.milena_topic_partition, n C.size_t, err **C.milena_error) C.milena_status {
		return C.go_consumer_seek_to_end(c.handle, first, n, err)
	})
}

// Pause stops giving records of partitions, which stay assigned, until Resume. It does not wait.
//
// Errors: ErrInvalidState for a partition that is not assigned; then nothing was changed.
func (c *Consumer) Pause(partitions ...TopicPartition) error {
	return c.nowWith(partitions, func(first *C.milena_topic_partition, n C.size_t, err **C.milena_error) C.milena_status {
		return C.go_consumer_pause(c.handle, first, n, err)
	})
}

// Resume ends Pause.
func (c *Consumer) Resume(partitions ...TopicPartition) error {
	return c.nowWith(partitions, func(first *C.milena_topic_partition, n C.size_t, err **C.milena_error) C.milena_status {
		return C.go_consumer_resume(c.handle, first, n, err)
	})
}

// Commit commits offsets for the group, and waits for the end of it: those given (Offset is that of the next record to
// read; LeaderEpoch if it is known; Metadata is any text), or without any the positions of all assigned partitions,
// that is, all that polls have handed out. [Batch.Offsets] gives those of a batch.
//
// Errors: ErrInvalidState without a group.id; ErrRebalanceInProgress, ErrIllegalGeneration, ErrUnknownMemberID when the
// group has moved on; ErrTimedOut and the context's error, after which it is not known whether they were committed.
func (c *Consumer) Commit(ctx context.Context, offsets ...Offset) error {
	var a arena
	defer a.free()
	first, n := offsetRows(&a, offsets)
	return c.wait(ctx, func(timeoutMs C.int64_t, err **C.milena_error) C.milena_status {
		return C.go_consumer_commit(c.handle, first, n, timeoutMs, err)
	})
}

// CommitAsync is Commit without waiting: a later Poll gives an EventCommitted.
func (c *Consumer) CommitAsync(offsets ...Offset) error {
	var a arena
	defer a.free()
	first, n := offsetRows(&a, offsets)
	return c.now(func(err **C.milena_error) C.milena_status {
		return C.go_consumer_commit_async(c.handle, first, n, err)
	})
}

// Position is the offsets of the next records that Poll will give. It waits for those that are not known yet.
//
// Errors: ErrInvalidState for a partition that is not assigned; ErrTimedOut; ErrNoOffset; the context's.
func (c *Consumer) Position(ctx context.Context, partitions ...TopicPartition) ([]Offset, error) {
	return c.ask(ctx, partitions, func(first *C.milena_topic_partition, n C.size_t, timeoutMs C.int64_t,
		out **C.milena_offsets, err **C.milena_error) C.milena_status {
		return C.go_consumer_position(c.handle, first, n, timeoutMs, out, err)
	})
}

// Committed is the offsets that the group has committed; -1 where there is none. It asks the broker.
//
// Errors: ErrInvalidState without a group.id; ErrTimedOut; authorization errors; the context's.
func (c *Consumer) Committed(ctx context.Context, partitions ...TopicPartition) ([]Offset, error) {
	return c.ask(ctx, partitions, func(first *C.milena_topic_partition, n C.size_t, timeoutMs C.int64_t,
		out **C.milena_offsets, err **C.milena_error) C.milena_status {
		return C.go_consumer_committed(c.handle, first, n, timeoutMs, out, err)
	})
}

// BeginningOffsets is the offsets of the first records of partitions, assigned or not. It asks the brokers.
//
// Errors: ErrTimedOut, with the last failure as the cause; authorization errors; the context's.
func (c *Consumer) BeginningOffsets(ctx context.Context, partitions ...TopicPartition) ([]Offset, error) {
	return c.ask(ctx, partitions, func(first *C.milena_topic_partition, n C.size_t, timeoutMs C.int64_t,
		out **C.milena_offsets, err **C.milena_error) C.milena_status {
		return C.go_consumer_beginning_offsets(c.handle, first, n, timeoutMs, out, err)
	})
}

// EndOffsets is the offsets behind the last records of partitions, assigned or not. As BeginningOffsets.
func (c *Consumer) EndOffsets(ctx context.Context, partitions ...TopicPartition) ([]Offset, error) {
	return c.ask(ctx, partitions, func(first *C.milena_topic_partition, n C.size_t, timeoutMs C.int64_t,
		out **C.milena_offsets, err **C.milena_error) C.milena_status {
		return C.go_consumer_end_offsets(c.handle, first, n, timeoutMs, out, err)
	})
}

// OffsetsForTimes finds for each row the first record whose timestamp is Timestamp or later: its Offset and Timestamp,
// -1 and the zero time where there is none. As BeginningOffsets.
func (c *Consumer) OffsetsForTimes(ctx context.Context, times ...Offset) ([]Offset, error) {
	var a arena
	defer a.free()
	first, n := offsetRows(&a, times)
	return c.offsets(ctx, func(timeoutMs C.int64_t, out **C.milena_offsets, err **C.milena_error) C.milena_status {
		return C.go_consumer_offsets_for_times(c.handle, first, n, timeoutMs, out, err)
	})
}

// ask runs a question about partitions.
func (c *Consumer) ask(ctx context.Context, partitions []TopicPartition,
	call func(*C.milena_topic_partition, C.size_t, C.int64_t, **C.milena_offsets, **C.milena_error) C.milena_status,
) ([]Offset, error) {
	var a arena
	defer a.free()
	first, n := partitionRows(&a, partitions)
	return c.offsets(ctx, func(timeoutMs C.int64_t, out **C.milena_offsets, err **C.milena_error) C.milena_status {
		return call(first, n, timeoutMs, out, err)
	})
}

// offsets runs a question whose answer is offsets.
func (c *Consumer) offsets(ctx context.Context,
	call func(C.int64_t, **C.milena_offsets, **C.milena_error) C.milena_status) ([]Offset, error) {
	var result *C.milena_offsets
	err := c.wait(ctx, func(timeoutMs C.int64_t, err **C.milena_error) C.milena_status {
		return call(timeoutMs, &result, err)
	})
	if err != nil {
		return nil, err
	}
	return takeOffsets(result), nil
}
