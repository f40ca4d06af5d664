//! Producer
//!
//! Sends records. milena_producer_send copies them into batches and returns; a thread of the library sends the
//! batches; what became of each record comes out of milena_producer_poll, as chunks with the tokens that the records
//! were sent with. Every accepted record is reported exactly once, delivered or failed. Nothing depends on being
//! polled but memory: deliveries that nobody takes fill buffer.memory, and then sends wait.
//!
//! All calls but free may be made from any threads at once, on the same producer.

use super::config::{milena_config, settings};
use super::deliveries::milena_deliveries;
use super::error::milena_error;
use super::guard::{given, guard, guard_value, invalid, wait, Out};
use super::handles::{Kind, Table};
use super::log::{milena_log, warn, Taken};
use super::records::{is_plain_place, plain, ArraySource, PackedSource};
use super::types::{milena_bytes, milena_fd, milena_header, milena_status};
use crate::config::parse;
use crate::error::Result;
use crate::producer::accumulator::Sent;
use crate::producer::KafkaProducer;
use std::{ptr, slice};

/// A producer; a handle, not memory.
pub struct milena_producer {
    _private: (),
}

/// A record to send. Start from MILENA_RECORD_INIT: a partition of 0 is partition 0. The library copies what the
/// record points to and keeps no pointer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_record {
    /// -1: the partitioner chooses, by the key (as Java's client does), or if there is none, whatever fills batches.
    pub partition: i32,
    pub headers_len: u32,
    /// Milliseconds since 1970-01-01 UTC, 0 or more; -1: the moment of the call.
    pub timestamp_ms: i64,
    /// Null is allowed, and not the same as empty.
    pub key: milena_bytes,
    pub value: milena_bytes,
    /// `headers_len` headers; NULL when there are none.
    pub headers: *const milena_header,
    /// Comes back with the record's delivery; means nothing to the library.
    pub token: u64,
}

/// Names of topics are shorter.
const MAX_TOPIC: usize = 256;

pub(super) static PRODUCERS: Table<KafkaProducer> = Table::new(Kind::Producer);

/// Makes a producer. Does not wait for the brokers: that none can be reached shows in the deliveries and the log.
///
/// Errors: INVALID_CONFIGURATION with all that is wrong; NOT_IMPLEMENTED for a property that is known, but has no
/// effect yet; TRANSPORT when the system has no more threads or descriptors.
#[no_mangle]
pub unsafe extern "C" fn milena_producer_new(
    config: *const milena_config,
    out: *mut *mut milena_producer,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        // SAFETY: a configuration of this library and a place for a pointer, by contract.
        let (config, out) = unsafe { (settings(config)?, Out::new(out, "out")?) };
        let config = parse::producer(config)?;
        let producer = KafkaProducer::new(&config.value)?;
        warn(producer.logger(), &config.warnings);
        out.set(PRODUCERS.insert(producer)? as *mut milena_producer);
        Ok(())
    })
}

/// Hands `n` records for one topic over, `stride` bytes apart (sizeof(milena_record)). The records are copied.
///
/// Takes them in their order, until one is refused: `*accepted`, which is always written, says how many were taken
/// (accepted may be NULL), and the error is about the first that was not. Each accepted record is reported by
/// milena_producer_poll once, whatever happens to the rest.
///
/// Waits only for room in buffer.memory, at most `max_block_ms`: 0 never waits, -1 is max.block.ms. A topic that is
/// not known yet does not block; its records wait for its partitions within buffer.memory.
///
/// Errors: BUFFER_EXHAUSTED when there was no room in time (milena_producer_fd becomes readable when it is worth
/// trying again); MESSAGE_TOO_LARGE; INVALID_ARGUMENT for a malformed record;
/// UNKNOWN_TOPIC_OR_PARTITION for a partition that the topic does not have; INVALID_TOPIC_EXCEPTION; CLOSED.
#[no_mangle]
pub unsafe extern "C" fn milena_producer_send(
    producer: *const milena_producer,
    topic: milena_bytes,
    records: *const milena_record,
    stride: usize,
    n: usize,
    max_block_ms: i64,
    accepted: *mut usize,
    err: *mut *mut milena_error,
) -> milena_status {
    let mut taken = 0;
    let status = guard(err, || {
        let producer = PRODUCERS.enter(producer as usize)?;
        // SAFETY: text and record are there for the length of the call, by contract.
        if n == 1 && max_block_ms >= -1 && unsafe { send_plain(&producer, topic, records, stride) } {
            taken = 1;
            return Ok(());
        }
        // SAFETY: text and records are there for the length of the call, by contract.
        unsafe { send_array(&producer, topic, (records, stride, n), max_block_ms, &mut taken) }
    });
    give(accepted, taken);
    status
}

/// Sends one record the short way, if it and its arguments are as most are; whatever is odd is for [`send_array`].
///
/// # Safety
/// As for [`milena_producer_send`].
#[inline(always)]
unsafe fn send_plain(
    producer: &KafkaProducer,
    topic: milena_bytes,
    record: *const milena_record,
    stride: usize,
) -> bool {
    let odd = topic.data.is_null() || topic.len > MAX_TOPIC || !is_plain_place(record, stride);
    // SAFETY: not NULL and aligned, and by the caller's promise there.
    let send = if odd { None } else { unsafe { plain(&*record) } };
    match send {
        // SAFETY: not NULL, short, and by the caller's promise there.
        Some(send) => producer.send_plain(unsafe { slice::from_raw_parts(topic.data, topic.len) }, &send),
        None => false,
    }
}

/// # Safety
/// As for [`milena_producer_send`].
// Cold beside the short way of one record, which shall have the registers; a call that brings many does not notice.
#[cold]
#[inline(never)]
unsafe fn send_array(
    producer: &KafkaProducer,
    topic: milena_bytes,
    (records, stride, n): (*const milena_record, usize, usize),
    max_block_ms: i64,
    taken: &mut usize,
) -> Result<()> {
    // SAFETY: as the caller promises.
    let (topic, mut source) = unsafe { (given(topic, "topic")?, ArraySource::new(records, stride, n)?) };
    finish(producer.send(topic, &mut source, block(max_block_ms)?), taken)
}

/// As milena_producer_send, for records in one block of memory, as bindings of other languages make them.
///
/// The block has `n` records, one directly behind the other. Each is 32 bytes, then its key, its value, and its
/// headers. All numbers are little-endian and need no alignment; bytes behind the last record are ignored.
///
///     offset  type    meaning
///          0  uint64  token
///          8  int64   timestamp, milliseconds since 1970; -1: now
///         16  int32   partition; -1: the partitioner chooses
///         20  int32   length of the key; -1: null
///         24  int32   length of the value; -1: null
///         28  uint32  number of headers
///         32          key, value, and for each header:
///                     uint32 length of its name, int32 length of its value (-1: null), name, value
#[no_mangle]
pub unsafe extern "C" fn milena_producer_send_packed(
    producer: *const milena_producer,
    topic: milena_bytes,
    packed: milena_bytes,
    n: usize,
    max_block_ms: i64,
    accepted: *mut usize,
    err: *mut *mut milena_error,
) -> milena_status {
    let mut taken = 0;
    let status = guard(err, || {
        let producer = PRODUCERS.enter(producer as usize)?;
        // SAFETY: text and block are there for the length of the call, by contract.
        let (topic, mut source) = unsafe { (given(topic, "topic")?, PackedSource::from_c(packed, n)?) };
        finish(producer.send(topic, &mut source, block(max_block_ms)?), &mut taken)
    });
    give(accepted, taken);
    status
}

/// Takes what became of records: chunks, one for each batch that ended, until they have at least `max_records`
/// records (0: all there are). Waits for the first at most `timeout_ms` (0: not at all, -1: without end). `*out` is
/// NULL when nothing came; milena_deliveries_free frees it.
///
/// Deliveries can still be polled after milena_producer_close. When all are taken then, nothing more comes, and nobody
/// waits for it: `*out` is NULL at once.
///
/// Errors: what ended the I/O thread's work for this producer, when all that it left is taken.
#[no_mangle]
pub unsafe extern "C" fn milena_producer_poll(
    producer: *const milena_producer,
    timeout_ms: i64,
    max_records: usize,
    out: *mut *mut milena_deliveries,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let producer = PRODUCERS.enter(producer as usize)?;
        // SAFETY: a place for a pointer, by contract.
        let out = unsafe { Out::new(out, "out") }?;
        let max = if max_records == 0 { usize::MAX } else { max_records };
        let chunks = producer.poll(wait(timeout_ms, "timeout_ms")?, max);
        // Who waits for what can't come any more is told why.
        if let Some(fatal) = producer.fatal().filter(|_| chunks.is_empty() && timeout_ms != 0) {
            return Err(fatal);
        }
        out.set(milena_deliveries::new(chunks));
        Ok(())
    })
}

/// Sends what lingers, and waits until everything that was accepted before the call is reported (not: polled), at
/// most `timeout_ms` (-1: without end). Needs nobody to poll.
///
/// Errors: TIMED_OUT when something is left; it goes on being sent. A record that fails is no error of this call: its
/// delivery says so.
#[no_mangle]
pub unsafe extern "C" fn milena_producer_flush(
    producer: *const milena_producer,
    timeout_ms: i64,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || PRODUCERS.enter(producer as usize)?.flush(wait(timeout_ms, "timeout_ms")?))
}

/// Ends the producer: no more records are accepted, sends that wait end with CLOSED, and what was accepted is
/// delivered until `timeout_ms` is over (-1: without end; 0: gives everything up). What is left then is reported as
/// PURGED. Deliveries can be polled afterwards; milena_producer_free comes last. Closing again is fine.
///
/// Errors: TIMED_OUT when something was given up.
#[no_mangle]
pub unsafe extern "C" fn milena_producer_close(
    producer: *const milena_producer,
    timeout_ms: i64,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || PRODUCERS.enter(producer as usize)?.close(wait(timeout_ms, "timeout_ms")?))
}

/// A descriptor that is readable as long as milena_producer_poll has something, and when a send that was refused for
/// lack of room may be tried again. Only wait for it: don't read, write or close it. Valid until the producer is
/// freed.
#[no_mangle]
pub unsafe extern "C" fn milena_producer_fd(
    producer: *const milena_producer,
    out: *mut milena_fd,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let producer = PRODUCERS.enter(producer as usize)?;
        // SAFETY: a place for a descriptor, by contract.
        let out = unsafe { Out::new(out, "out") }?;
        out.set(producer.signal().fd()? as milena_fd);
        Ok(())
    })
}

/// Takes the log lines that were kept for the program (log.sink=poll); see "Log". `*out` is NULL when there is none.
#[no_mangle]
pub unsafe extern "C" fn milena_producer_log(
    producer: *const milena_producer,
    out: *mut *mut milena_log,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        let producer = PRODUCERS.enter(producer as usize)?;
        // SAFETY: a place for a pointer, by contract.
        let out = unsafe { Out::new(out, "out") }?;
        out.set(milena_log::new(Taken::from(producer.logger())));
        Ok(())
    })
}

/// Frees a producer; NULL, and one that is freed already, are fine. What is not delivered yet is given up, so close
/// it first. Safe while other threads are inside its calls: those that wait are let go.
#[no_mangle]
pub unsafe extern "C" fn milena_producer_free(producer: *mut milena_producer) {
    guard_value((), || PRODUCERS.free(producer as usize, KafkaProducer::abort));
}

/// How long a send may wait; `None` is max.block.ms.
#[inline(always)]
fn block(max_block_ms: i64) -> Result<Option<u64>> {
    match u64::try_from(max_block_ms) {
        Ok(ms) => Ok(Some(ms)),
        Err(_) if max_block_ms == -1 => Ok(None),
        Err(_) => Err(invalid(format!("max_block_ms is {max_block_ms}; it must be 0 or more, or -1"))),
    }
}

#[inline(always)]
fn finish(sent: Sent, taken: &mut usize) -> Result<()> {
    *taken = sent.accepted;
    sent.refused.map_or(Ok(()), Err)
}

#[inline(always)]
fn give(accepted: *mut usize, taken: usize) {
    if !accepted.is_null() {
        // SAFETY: not NULL, and by contract a place for a number.
        unsafe { ptr::write_unaligned(accepted, taken) };
    }
}
