//! Consumer
//!
//! Reads records: as a member of a group (milena_consumer_subscribe) or of partitions chosen by the program
//! (milena_consumer_assign). A thread of the library fetches ahead, at most fetch.buffer.memory bytes, keeps up the
//! membership and commits; milena_consumer_poll hands out what is there.
//!
//! A consumer is for one thread at a time: a second one gets BUSY. Only milena_consumer_wakeup and milena_consumer_fd,
//! whose consumer is const, may be called at any time. (milena_consumer_free may, too; it ends a call that waits.)
//!
//! As a member of a group, poll at least every max.poll.interval.ms, or the group gives the partitions to others. When
//! poll gives an event MILENA_EVENT_REVOKED, the next poll says that the program is done with those partitions; commit
//! their offsets before it.
//!
//! Where a call takes `timeout_ms` and is not a poll, -1 is default.api.timeout.ms.

use super::batch::{milena_batch, pack_polled};
use super::config::{milena_config, settings};
use super::convert::{offsets_from_c, partitions_from_c, times_from_c};
use super::error::milena_error;
use super::guard::{array, check_array, guard, guard_value, invalid, text, timeout, wait, Out};
use super::handles::{Inside, Kind, Table};
use super::log::{milena_log, warn, Taken};
use super::offsets::{milena_offset, milena_offsets, OffsetRow};
use super::types::{milena_bytes, milena_fd, milena_status, milena_topic_partition};
use crate::config::parse;
use crate::consumer::{ConsumerWaker, KafkaConsumer, OffsetAndTimestamp, Offsets};
use crate::error::{Code, Error, Result};
use crate::log::Logger;
use crate::serialization::TopicPartition;
use parking_lot::{Mutex, MutexGuard};
use std::collections::HashSet;
use std::ptr;
use std::time::{Duration, Instant};

/// A consumer; a handle, not memory.
pub struct milena_consumer {
    _private: (),
}

/// What a handle stands for.
struct Consumer {
    /// Whoever is inside a call that is for one thread at a time.
    client: Mutex<KafkaConsumer>,
    waker: ConsumerWaker,
    logger: Logger,
    api_timeout: Duration,
}

static CONSUMERS: Table<Consumer> = Table::new(Kind::Consumer);

/// Makes a consumer. Does not wait for the brokers.
///
/// Errors: INVALID_CONFIGURATION with all that is wrong; NOT_IMPLEMENTED for a property that is known, but has no
/// effect yet; TRANSPORT when the system has no more threads or descriptors.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_new(
    config: *const milena_config,
    out: *mut *mut milena_consumer,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        // SAFETY: a configuration of this library and a place for a pointer, by contract.
        let (config, out) = unsafe { (settings(config)?, Out::new(out, "out")?) };
        let config = parse::consumer(config)?;
        let client = KafkaConsumer::new(&config.value)?;
        warn(client.logger(), &config.warnings);
        let consumer = Consumer {
            waker: client.waker(),
            logger: client.logger().clone(),
            api_timeout: Duration::from_millis(config.value.client.default_api_timeout_ms),
            client: Mutex::new(client),
        };
        out.set(CONSUMERS.insert(consumer)? as *mut milena_consumer);
        Ok(())
    })
}

/// Joins the group to read these topics, in place of any before; their partitions are shared out among the group's
/// members. Takes effect with the next polls, which give the events. No topics: as milena_consumer_unsubscribe.
///
/// Errors: INVALID_STATE without a group.id, and while partitions are assigned by hand.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_subscribe(
    consumer: *mut milena_consumer,
    topics: *const milena_bytes,
    n: usize,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let consumer = enter(consumer)?;
        // SAFETY: `n` texts are there for the length of the call, by contract.
        let topics = unsafe { array(topics, n, "topics") }?;
        // SAFETY: as above.
        let topics: Result<Vec<&str>> = topics.iter().map(|t| unsafe { text(*t, "a topic") }).collect();
        let topics = topics?;
        let mut client = consumer.lock()?;
        client.subscribe(&topics)
    })
}

/// Gives up the subscription, leaving the group (with enable.auto.commit after a last commit), or the partitions
/// assigned by hand. Never blocks; no events follow.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_unsubscribe(
    consumer: *mut milena_consumer,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || enter(consumer)?.lock()?.unsubscribe())
}

/// Reads these partitions, in place of those before, without the group's sharing them out. Begins at the group's
/// committed offsets if there is a group.id, else as auto.offset.reset says, unless milena_consumer_seek says more.
///
/// Errors: INVALID_STATE while subscribed.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_assign(
    consumer: *mut milena_consumer,
    partitions: *const milena_topic_partition,
    stride: usize,
    n: usize,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || tell(consumer, partitions, stride, n, |client, partitions| client.assign(partitions)))
}

/// The partitions that are read now: topic and partition of each row; offset is its position, or -1.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_assignment(
    consumer: *mut milena_consumer,
    out: *mut *mut milena_offsets,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let consumer = enter(consumer)?;
        // SAFETY: a place for a pointer, by contract.
        let out = unsafe { Out::new(out, "out") }?;
        let mut client = consumer.lock()?;
        let rows = client.assignment().into_iter().map(|partition| {
            let position = client.try_position(&partition).ok().flatten();
            OffsetRow { offset: position.unwrap_or(-1), ..OffsetRow::new(partition) }
        });
        out.set(milena_offsets::new(rows.collect()));
        Ok(())
    })
}

/// Takes records, or an event; never both in one call. Waits for the first at most `timeout_ms` (0: not at all, -1:
/// without end), and gives at most `max_records` records (0: max.poll.records). `*out` is NULL when nothing came;
/// milena_batch_free frees it. See "Batches" for what is in it.
///
/// Errors: an error that names a partition (milena_error_topic) is about that one only, such as CORRUPT_MESSAGE: seek
/// to milena_error_next_offset to read on behind it. NO_OFFSET, OFFSET_OUT_OF_RANGE when auto.offset.reset is none.
/// BATCHES_HELD when batches that were not freed fill fetch.buffer.memory. WAKEUP after milena_consumer_wakeup.
/// INVALID_STATE without subscription or assignment. Authorization errors. After each of them the consumer can be
/// polled again, unless milena_error_is_fatal.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_poll(
    consumer: *mut milena_consumer,
    timeout_ms: i64,
    max_records: usize,
    out: *mut *mut milena_batch,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let consumer = enter(consumer)?;
        // SAFETY: a place for a pointer, by contract.
        let out = unsafe { Out::new(out, "out") }?;
        let timeout = wait(timeout_ms, "timeout_ms")?;
        let polled = consumer.lock()?.poll(timeout, max_records)?;
        out.set(milena_batch::from_poll(polled));
        Ok(())
    })
}

/// As milena_consumer_poll, for bindings of other languages: records are copied into a block of the caller's at once, as
/// milena_batch_pack lays them out, so that one call does all. `*packed` is the size in bytes of what was written, 0
/// for nothing. What was not packed is in `*out`, which else is NULL: an event, or records that need more than
/// `capacity` bytes; they are not lost, milena_batch_pack takes them. `block` may be NULL if `capacity` is 0.
///
/// Errors: as milena_consumer_poll.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_poll_packed(
    consumer: *mut milena_consumer,
    timeout_ms: i64,
    max_records: usize,
    block: *mut u8,
    capacity: usize,
    packed: *mut usize,
    out: *mut *mut milena_batch,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let consumer = enter(consumer)?;
        // SAFETY: places for a number and a pointer, by contract.
        let (packed, out) = unsafe { (Out::new(packed, "packed")?, Out::new(out, "out")?) };
        if capacity > 0 {
            check_array(block, capacity, 1, "block")?;
        }
        let timeout = wait(timeout_ms, "timeout_ms")?;
        let mut client = consumer.lock()?;
        let polled = client.poll(timeout, max_records)?;
        // SAFETY: `capacity` bytes are there to be written, by contract.
        let written = unsafe { pack_polled(&polled, block, capacity) };
        packed.set(written);
        out.set(if written > 0 { ptr::null_mut() } else { milena_batch::from_poll(polled) });
        Ok(())
    })
}

/// Reads on at other offsets: `offset` of each row (and `leader_epoch`, or -1). What was fetched there already is
/// dropped. Never blocks.
///
/// Errors: INVALID_STATE for a partition that is not assigned; INVALID_ARGUMENT for a negative offset. Then nothing
/// was changed.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_seek(
    consumer: *mut milena_consumer,
    offsets: *const milena_offset,
    stride: usize,
    n: usize,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let consumer = enter(consumer)?;
        // SAFETY: `n` offsets are there for the length of the call, by contract.
        let offsets = unsafe { offsets_from_c(offsets, stride, n) }?;
        let mut client = consumer.lock()?;
        check_seek(&client, &offsets)?;
        offsets.iter().try_for_each(|(partition, to)| client.seek(partition, to))
    })
}

/// Reads on at the beginning of partitions (`n` 0: of all that are assigned). Never blocks: the offset is looked up
/// when the next poll needs it.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_seek_to_beginning(
    consumer: *mut milena_consumer,
    partitions: *const milena_topic_partition,
    stride: usize,
    n: usize,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        tell(consumer, partitions, stride, n, |client, partitions| client.seek_to_beginning(partitions))
    })
}

/// Reads on at the end of partitions, that is, only what comes from now on. As milena_consumer_seek_to_beginning.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_seek_to_end(
    consumer: *mut milena_consumer,
    partitions: *const milena_topic_partition,
    stride: usize,
    n: usize,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || tell(consumer, partitions, stride, n, |client, partitions| client.seek_to_end(partitions)))
}

/// The offsets of the next records that poll will give. Waits for those that are not known yet.
///
/// Errors: INVALID_STATE for a partition that is not assigned; TIMED_OUT; NO_OFFSET.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_position(
    consumer: *mut milena_consumer,
    partitions: *const milena_topic_partition,
    stride: usize,
    n: usize,
    timeout_ms: i64,
    out: *mut *mut milena_offsets,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        ask(consumer, partitions, stride, n, timeout_ms, out, |client, partitions, timeout| {
            let until = Instant::now().checked_add(timeout);
            let left = || until.map_or(Duration::MAX, |u| u.saturating_duration_since(Instant::now()));
            let row = |partition: TopicPartition, offset| OffsetRow { offset, ..OffsetRow::new(partition) };
            partitions.into_iter().map(|p| client.position(&p, left()).map(|o| row(p, o))).collect()
        })
    })
}

/// The offsets that the group has committed; -1 where there is none. Asks the broker.
///
/// Errors: INVALID_STATE without a group.id; TIMED_OUT; authorization errors.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_committed(
    consumer: *mut milena_consumer,
    partitions: *const milena_topic_partition,
    stride: usize,
    n: usize,
    timeout_ms: i64,
    out: *mut *mut milena_offsets,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        ask(consumer, partitions, stride, n, timeout_ms, out, |client, partitions, timeout| {
            let committed = client.committed(&partitions, timeout)?;
            Ok(committed.into_iter().map(|(p, at)| OffsetRow::committed(p, at)).collect())
        })
    })
}

/// The offsets of the first records of partitions, assigned or not. Asks the brokers.
///
/// Errors: TIMED_OUT, with the last failure as the cause; authorization errors.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_beginning_offsets(
    consumer: *mut milena_consumer,
    partitions: *const milena_topic_partition,
    stride: usize,
    n: usize,
    timeout_ms: i64,
    out: *mut *mut milena_offsets,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        ask(consumer, partitions, stride, n, timeout_ms, out, |client, partitions, timeout| {
            Ok(found(client.beginning_offsets(&partitions, timeout)?))
        })
    })
}

/// The offsets behind the last records of partitions, assigned or not. As milena_consumer_beginning_offsets.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_end_offsets(
    consumer: *mut milena_consumer,
    partitions: *const milena_topic_partition,
    stride: usize,
    n: usize,
    timeout_ms: i64,
    out: *mut *mut milena_offsets,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        ask(consumer, partitions, stride, n, timeout_ms, out, |client, partitions, timeout| {
            Ok(found(client.end_offsets(&partitions, timeout)?))
        })
    })
}

/// For each row the first record whose timestamp is `timestamp_ms` or later: its offset and timestamp, both -1 where
/// there is none. As milena_consumer_beginning_offsets.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_offsets_for_times(
    consumer: *mut milena_consumer,
    times: *const milena_offset,
    stride: usize,
    n: usize,
    timeout_ms: i64,
    out: *mut *mut milena_offsets,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let consumer = enter(consumer)?;
        // SAFETY: a place for a pointer and `n` rows are there for the length of the call, by contract.
        let (out, times) = unsafe { (Out::new(out, "out")?, times_from_c(times, stride, n)?) };
        let timeout = consumer.timeout(timeout_ms)?;
        let rows = found(consumer.lock()?.offsets_for_times(&times, timeout)?);
        out.set(milena_offsets::new(rows));
        Ok(())
    })
}

/// Stops giving records of partitions, which stay assigned, until milena_consumer_resume. Never blocks.
///
/// Errors: INVALID_STATE for a partition that is not assigned; then nothing was changed.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_pause(
    consumer: *mut milena_consumer,
    partitions: *const milena_topic_partition,
    stride: usize,
    n: usize,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || tell(consumer, partitions, stride, n, |client, partitions| client.pause(partitions)))
}

/// Ends milena_consumer_pause. Never blocks.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_resume(
    consumer: *mut milena_consumer,
    partitions: *const milena_topic_partition,
    stride: usize,
    n: usize,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || tell(consumer, partitions, stride, n, |client, partitions| client.resume(partitions)))
}

/// Commits offsets for the group, and waits for the end of it: those given (`offset` is that of the next record to
/// read; `leader_epoch`, or -1; `metadata` is any text), or with `n` 0 the positions of all assigned partitions, that
/// is, all that polls have handed out.
///
/// Errors: INVALID_STATE without a group.id; REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID when the
/// group has moved on; TIMED_OUT.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_commit(
    consumer: *mut milena_consumer,
    offsets: *const milena_offset,
    stride: usize,
    n: usize,
    timeout_ms: i64,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let consumer = enter(consumer)?;
        // SAFETY: `n` offsets are there for the length of the call, by contract.
        let offsets = unsafe { offsets_from_c(offsets, stride, n) }?;
        let timeout = consumer.timeout(timeout_ms)?;
        let mut client = consumer.lock()?;
        client.commit_sync(Some(&offsets).filter(|o| !o.is_empty()), timeout)
    })
}

/// As milena_consumer_commit, without waiting: a later poll gives an event MILENA_EVENT_COMMITTED.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_commit_async(
    consumer: *mut milena_consumer,
    offsets: *const milena_offset,
    stride: usize,
    n: usize,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let consumer = enter(consumer)?;
        // SAFETY: `n` offsets are there for the length of the call, by contract.
        let offsets = unsafe { offsets_from_c(offsets, stride, n) }?;
        let mut client = consumer.lock()?;
        client.commit_async(Some(&offsets).filter(|o| !o.is_empty()))
    })
}

/// Ends the call that waits inside the consumer, or the next one that would, with WAKEUP. Any thread, at any time.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_wakeup(
    consumer: *const milena_consumer,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        enter(consumer)?.waker.wakeup();
        Ok(())
    })
}

/// A descriptor that is readable as long as milena_consumer_poll has something or wants to be called. Only wait for
/// it: don't read, write or close it. Valid until the consumer is freed. Any thread, at any time.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_fd(
    consumer: *const milena_consumer,
    out: *mut milena_fd,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let consumer = enter(consumer)?;
        // SAFETY: a place for a descriptor, by contract.
        let out = unsafe { Out::new(out, "out") }?;
        out.set(consumer.waker.fd()? as milena_fd);
        Ok(())
    })
}

/// Takes the log lines that were kept for the program (log.sink=poll); see "Log". `*out` is NULL when there is none.
/// Any thread, at any time.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_log(
    consumer: *const milena_consumer,
    out: *mut *mut milena_log,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let consumer = enter(consumer)?;
        // SAFETY: a place for a pointer, by contract.
        let out = unsafe { Out::new(out, "out") }?;
        out.set(milena_log::new(Taken::from(&consumer.logger)));
        Ok(())
    })
}

/// Ends the consumer: commits what polls have handed out (with enable.auto.commit), leaves the group, closes the
/// connections. Returns by `timeout_ms`. Later calls get CLOSED, closing again is fine, and milena_consumer_free comes
/// last.
///
/// Errors: TIMED_OUT, or the failure of the last commit; the consumer is closed all the same.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_close(
    consumer: *mut milena_consumer,
    timeout_ms: i64,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let consumer = enter(consumer)?;
        let timeout = consumer.timeout(timeout_ms)?;
        let mut client = consumer.lock()?;
        client.close(timeout)
    })
}

/// Frees a consumer; NULL, and one that is freed already, are fine. Without milena_consumer_close nothing is committed
/// and the group finds out by itself, after session.timeout.ms. Batches stay valid. Safe while another thread is
/// inside one of its calls, which ends then.
#[no_mangle]
pub unsafe extern "C" fn milena_consumer_free(consumer: *mut milena_consumer) {
    guard_value((), || CONSUMERS.free(consumer as usize, |c| c.waker.abandon()));
}

#[inline(always)]
fn enter(consumer: *const milena_consumer) -> Result<Inside<'static, Consumer>> {
    CONSUMERS.enter(consumer as usize)
}

impl Consumer {
    /// The consumer itself, for this thread alone.
    #[inline(always)]
    fn lock(&self) -> Result<MutexGuard<'_, KafkaConsumer>> {
        self.client.try_lock().ok_or_else(busy)
    }

    fn timeout(&self, ms: i64) -> Result<Duration> {
        Ok(timeout(ms, "timeout_ms")?.unwrap_or(self.api_timeout))
    }
}

#[cold]
fn busy() -> Error {
    Error::new(Code::BUSY, "another thread is inside a call of this consumer")
        .hint("use it from one thread at a time; milena_consumer_wakeup ends a call that waits")
}

/// A call that changes something about partitions, and never blocks.
fn tell(
    consumer: *mut milena_consumer,
    partitions: *const milena_topic_partition,
    stride: usize,
    n: usize,
    change: impl FnOnce(&mut KafkaConsumer, &[TopicPartition]) -> Result<()>,
) -> Result<()> {
    let consumer = enter(consumer)?;
    // SAFETY: `n` partitions are there for the length of the call, by contract.
    let partitions = unsafe { partitions_from_c(partitions, stride, n) }?;
    let mut client = consumer.lock()?;
    change(&mut client, &partitions)
}

/// A call that asks something about partitions and gives rows.
fn ask(
    consumer: *mut milena_consumer,
    partitions: *const milena_topic_partition,
    stride: usize,
    n: usize,
    timeout_ms: i64,
    out: *mut *mut milena_offsets,
    question: impl FnOnce(&mut KafkaConsumer, Vec<TopicPartition>, Duration) -> Result<Vec<OffsetRow>>,
) -> Result<()> {
    let consumer = enter(consumer)?;
    // SAFETY: a place for a pointer and `n` partitions are there for the length of the call, by contract.
    let (out, partitions) = unsafe { (Out::new(out, "out")?, partitions_from_c(partitions, stride, n)?) };
    let timeout = consumer.timeout(timeout_ms)?;
    let mut client = consumer.lock()?;
    out.set(milena_offsets::new(question(&mut client, partitions, timeout)?));
    Ok(())
}

fn found(offsets: Vec<(TopicPartition, Option<OffsetAndTimestamp>)>) -> Vec<OffsetRow> {
    offsets.into_iter().map(|(partition, at)| OffsetRow::found(partition, at)).collect()
}

/// That all of these can be sought, so that either all are or none is.
fn check_seek(client: &KafkaConsumer, offsets: &Offsets) -> Result<()> {
    if offsets.len() < 2 {
        return Ok(());
    }
    let assigned: HashSet<TopicPartition> = client.assignment().into_iter().collect();
    for (partition, to) in offsets {
        if to.offset < 0 {
            return Err(invalid(format!("{} is not an offset of {partition}", to.offset)));
        }
        if !assigned.contains(partition) {
            let text = format!("cannot seek in {partition}: it is not assigned");
            return Err(Error::new(Code::INVALID_STATE, text));
        }
    }
    Ok(())
}
