//! Batches
//!
//! What one poll of a consumer gave: either records, as chunks of one partition each, or an event. All that is read
//! here borrows from the milena_batch, which owns its memory: it stays valid through later polls, and when the
//! consumer is freed. The memory counts in fetch.buffer.memory until milena_batch_free, so don't keep batches long.
//! Reading a batch never blocks, and any threads may do it at once.

use super::decode::DecodedChunk;
use super::error::milena_error;
use super::guard::{guard, guard_value, null, object};
use super::offsets::{milena_offset, OffsetRow};
use super::pack::{Packing, RECORD_ROW};
use super::types::{milena_bytes, milena_header, milena_status};
use crate::consumer::record_view::{FLAG_APPEND_TIME, FLAG_NO_TIMESTAMP};
use crate::consumer::{BytesView, Chunk, Event, FetchedBatch, HeaderView, Polled, RecordView};
use crate::error::Error;
use crate::serialization::TopicPartition;
use crate::sys::fork_generation;
use std::marker::PhantomData;
use std::mem::{align_of, offset_of, size_of};
use std::ptr;

/// The broker set the timestamp when it stored the record (LogAppendTime).
pub const MILENA_RECORD_APPEND_TIME: u32 = 1;
/// The record's format, v0, has no timestamps; the timestamp is -1.
pub const MILENA_RECORD_NO_TIMESTAMP: u32 = 2;
/// A marker of a transaction's end. Only milena_decode_batches gives these.
pub const MILENA_RECORD_CONTROL: u32 = 4;

/// A record that was read.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_record_view {
    pub offset: i64,
    /// Milliseconds since 1970-01-01 UTC; -1 when there is none.
    pub timestamp_ms: i64,
    pub key: milena_bytes,
    pub value: milena_bytes,
    /// `headers_len` headers; NULL when there are none.
    pub headers: *const milena_header,
    pub headers_len: u32,
    /// MILENA_RECORD_APPEND_TIME and the like, or-ed.
    pub flags: u32,
}

/// Records of one partition, in the order of their offsets, which may have gaps.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_chunk {
    pub topic: milena_bytes,
    pub partition: i32,
    /// The epoch of the leader that stored the records; -1 when it is not known.
    pub leader_epoch: i32,
    /// Where to read on behind this chunk: what to commit when its records are done with.
    pub next_offset: i64,
    /// `records_len` records, `records_stride` bytes apart.
    pub records: *const milena_record_view,
    pub records_len: usize,
    pub records_stride: usize,
}

/// These partitions are this member's from now on: with an eager assignor all that it has, with cooperative-sticky
/// those that were added.
pub const MILENA_EVENT_ASSIGNED: i32 = 1;
/// These partitions are to be given up. Their offsets can be committed until the next poll, which says that the
/// program is done with them.
pub const MILENA_EVENT_REVOKED: i32 = 2;
/// These partitions are gone already, others may be reading them; nothing can be committed for them.
pub const MILENA_EVENT_LOST: i32 = 3;
/// A commit that nobody waited for has ended: one of milena_consumer_commit_async, or a failed one that the consumer
/// made by itself.
pub const MILENA_EVENT_COMMITTED: i32 = 4;

/// Something that happened to the group or to a commit. Of kinds that it does not know a program should ignore the
/// event.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_event {
    /// MILENA_EVENT_ASSIGNED and the like.
    pub kind: i32,
    /// Of a commit: how it ended. Of lost partitions: why they are.
    pub status: milena_status,
    /// The same as an error; NULL when there is none. Not to be freed by itself.
    pub error: *const milena_error,
    /// `partitions_len` rows, `partitions_stride` bytes apart; of a commit with their offsets.
    pub partitions: *const milena_offset,
    pub partitions_len: usize,
    pub partitions_stride: usize,
}

/// What a poll gave; the caller's to free.
pub struct milena_batch {
    source: Source,
    /// The process that it was made in.
    process: u64,
}

enum Source {
    Fetched(FetchedBatch),
    Decoded(Vec<DecodedChunk>),
    Event(Box<EventRows>),
}

/// An event with what it points to.
struct EventRows {
    event: milena_event,
    rows: Vec<milena_offset>,
    _source: Vec<OffsetRow>,
    error: Option<Box<milena_error>>,
}

/// The chunks: `*n` of them, `*stride` bytes apart, which is more than sizeof(milena_chunk). NULL, with `*n` 0, when
/// there are none, as in an event, or `batch` is NULL.
#[no_mangle]
pub unsafe extern "C" fn milena_batch_chunks(
    batch: *const milena_batch,
    n: *mut usize,
    stride: *mut usize,
) -> *const milena_chunk {
    // SAFETY: NULL or a batch of this library, by contract.
    let chunks = unsafe { batch.as_ref() }.map_or(ChunkRows::NONE, |b| b.chunks());
    // SAFETY: places for numbers, by contract.
    unsafe { chunks.give(n, stride) }
}

/// The number of records in all chunks; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn milena_batch_count(batch: *const milena_batch) -> usize {
    // SAFETY: NULL or a batch of this library, by contract.
    match unsafe { batch.as_ref() }.map(|b| &b.source) {
        Some(Source::Fetched(fetched)) => fetched.len(),
        Some(Source::Decoded(chunks)) => ChunkRows::of_decoded(chunks).iter().map(|c| c.records_len).sum(),
        Some(Source::Event(_)) | None => 0,
    }
}

/// The event, if it is one; else, and for NULL, NULL.
#[no_mangle]
pub unsafe extern "C" fn milena_batch_event(batch: *const milena_batch) -> *const milena_event {
    // SAFETY: NULL or a batch of this library, by contract.
    match unsafe { batch.as_ref() }.map(|b| &b.source) {
        Some(Source::Event(rows)) => &rows.event,
        _ => ptr::null(),
    }
}

/// The size in bytes of what milena_batch_pack writes; 0 for NULL, for an event, and when it would be 4 GiB or more.
#[no_mangle]
pub unsafe extern "C" fn milena_batch_packed_size(batch: *const milena_batch) -> usize {
    // SAFETY: NULL or a batch of this library, by contract.
    let chunks = unsafe { batch.as_ref() }.map(|b| b.chunks()).filter(|c| c.len() > 0);
    guard_value(0, || chunks.and_then(|c| Packing::of(c).ok()).map_or(0, |p| p.size()))
}

/// Copies all records into one block of memory, for bindings of other languages: one call, one copy. `capacity` is
/// at least milena_batch_packed_size(batch).
///
/// All numbers are little-endian; places are bytes from the beginning of the block; -1 as a length is null. The block
/// begins with this head, 32 bytes of uint32 each:
///
///     0  the layout's version, 1            16  place of the chunk rows
///     4  number of chunks                   20  place of the record rows
///     8  number of records                  24  place of the header rows
///    12  number of headers                  28  place of the data: keys, values, names
///
///     chunk row, 40 bytes          record row, 48 bytes          header row, 16 bytes
///      0  uint32 topic's place      0  int64  offset              0  uint32 name's place
///      4  uint32 topic's length     8  int64  timestamp           4  int32  name's length
///      8  int32  partition         16  uint32 key's place         8  uint32 value's place
///     12  int32  leader epoch      20  int32  key's length       12  int32  value's length
///     16  int64  next offset       24  uint32 value's place
///     24  uint32 first record      28  int32  value's length
///     28  uint32 records           32  uint32 first header
///     32  uint64 reserved          36  uint32 headers
///                                  40  uint32 flags
///                                  44  uint32 chunk
///
/// Errors: INVALID_ARGUMENT when `capacity` is too small or the batch too large.
#[no_mangle]
pub unsafe extern "C" fn milena_batch_pack(
    batch: *const milena_batch,
    block: *mut u8,
    capacity: usize,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        // SAFETY: a batch of this library, by contract.
        let batch = unsafe { object(batch, "batch") }?;
        if block.is_null() {
            return Err(null("block"));
        }
        // SAFETY: `capacity` bytes are there to be written, by contract.
        unsafe { Packing::of(batch.chunks())?.write(block, capacity) }
    })
}

/// Frees a batch; NULL is fine.
#[no_mangle]
pub unsafe extern "C" fn milena_batch_free(batch: *mut milena_batch) {
    if !batch.is_null() {
        guard_value((), || {
            // SAFETY: by contract it came from this library and is freed once.
            let batch = unsafe { Box::from_raw(batch) };
            if batch.process != fork_generation() {
                // In a forked child: the budget that its memory counts in is the parent's.
                std::mem::forget(batch);
            }
        });
    }
}

// The consumer lays views out as C sees them; here is where that is held.
const _: () = {
    assert!(size_of::<milena_record_view>() == size_of::<RecordView>());
    assert!(align_of::<milena_record_view>() == align_of::<RecordView>());
    assert!(offset_of!(milena_record_view, offset) == offset_of!(RecordView, offset));
    assert!(offset_of!(milena_record_view, timestamp_ms) == offset_of!(RecordView, timestamp_ms));
    assert!(offset_of!(milena_record_view, key) == offset_of!(RecordView, key));
    assert!(offset_of!(milena_record_view, value) == offset_of!(RecordView, value));
    assert!(offset_of!(milena_record_view, headers) == offset_of!(RecordView, headers));
    assert!(offset_of!(milena_record_view, headers_len) == offset_of!(RecordView, headers_len));
    assert!(offset_of!(milena_record_view, flags) == offset_of!(RecordView, flags));
    assert!(size_of::<milena_header>() == size_of::<HeaderView>());
    assert!(offset_of!(milena_header, value) == offset_of!(HeaderView, value));
    assert!(MILENA_RECORD_APPEND_TIME == FLAG_APPEND_TIME);
    assert!(MILENA_RECORD_NO_TIMESTAMP == FLAG_NO_TIMESTAMP);
};

const _: () = {
    assert!(align_of::<milena_chunk>() == align_of::<Chunk>());
    assert!(size_of::<milena_chunk>() <= size_of::<Chunk>());
    let [topic, partition, leader_epoch, next_offset, records, records_len, records_stride] = Chunk::LAYOUT;
    assert!(offset_of!(milena_chunk, topic) == topic);
    assert!(offset_of!(milena_chunk, partition) == partition);
    assert!(offset_of!(milena_chunk, leader_epoch) == leader_epoch);
    assert!(offset_of!(milena_chunk, next_offset) == next_offset);
    assert!(offset_of!(milena_chunk, records) == records);
    assert!(offset_of!(milena_chunk, records_len) == records_len);
    assert!(offset_of!(milena_chunk, records_stride) == records_stride);
};

// SAFETY: a view is an address and a length, and does nothing by itself. What is there is never written again, and kept
// by the chunk that the view came from; who reads it holds that.
unsafe impl Send for BytesView {}
// SAFETY: as above.
unsafe impl Sync for BytesView {}
// SAFETY: as above, for its headers.
unsafe impl Send for RecordView {}
// SAFETY: as above.
unsafe impl Sync for RecordView {}
// SAFETY: as above, for its records, which it keeps.
unsafe impl Send for Chunk {}
// SAFETY: as above.
unsafe impl Sync for Chunk {}

/// The chunks of a batch: rows that begin as C sees them.
#[derive(Clone, Copy)]
pub(super) struct ChunkRows<'a> {
    first: *const milena_chunk,
    len: usize,
    stride: usize,
    batch: PhantomData<&'a milena_chunk>,
}

impl<'a> ChunkRows<'a> {
    const NONE: ChunkRows<'static> =
        ChunkRows { first: ptr::null(), len: 0, stride: size_of::<milena_chunk>(), batch: PhantomData };

    fn of_fetched(batch: &'a FetchedBatch) -> ChunkRows<'a> {
        let chunks = batch.chunks.as_slice();
        ChunkRows {
            first: chunks.as_ptr().cast(),
            len: chunks.len(),
            stride: size_of::<Chunk>(),
            batch: PhantomData,
        }
    }

    fn of_decoded(chunks: &'a [DecodedChunk]) -> ChunkRows<'a> {
        let stride = size_of::<DecodedChunk>();
        ChunkRows { first: chunks.as_ptr().cast(), len: chunks.len(), stride, batch: PhantomData }
    }

    pub fn len(self) -> usize {
        self.len
    }

    pub fn iter(self) -> impl Iterator<Item = &'a milena_chunk> {
        // SAFETY: inside the slice that it was made from, each element of which begins with a milena_chunk.
        (0..self.len).map(move |i| unsafe { &*self.first.byte_add(i * self.stride) })
    }

    /// Gives them to C.
    ///
    /// # Safety
    /// `n` and `stride` are NULL or places for a number.
    unsafe fn give(self, n: *mut usize, stride: *mut usize) -> *const milena_chunk {
        for (place, value) in [(n, self.len), (stride, self.stride)] {
            if !place.is_null() {
                // SAFETY: not NULL, so by contract a place for a number.
                unsafe { place.write_unaligned(value) };
            }
        }
        if self.len == 0 {
            ptr::null()
        } else {
            self.first
        }
    }
}

impl milena_batch {
    /// What a poll gave; NULL for nothing.
    #[inline(always)]
    pub(super) fn from_poll(polled: Polled) -> *mut milena_batch {
        match polled {
            Polled::Nothing => ptr::null_mut(),
            Polled::Records(fetched) => milena_batch::boxed(Source::Fetched(fetched)),
            Polled::Event(event) => milena_batch::boxed(Source::Event(EventRows::new(event))),
        }
    }

    /// NULL when there are no chunks.
    pub(super) fn from_decoded(decoded: Vec<DecodedChunk>) -> *mut milena_batch {
        if decoded.is_empty() {
            return ptr::null_mut();
        }
        milena_batch::boxed(Source::Decoded(decoded))
    }

    #[inline(always)]
    fn boxed(source: Source) -> *mut milena_batch {
        Box::into_raw(Box::new(milena_batch { source, process: fork_generation() }))
    }

    fn chunks(&self) -> ChunkRows<'_> {
        match &self.source {
            Source::Fetched(batch) => ChunkRows::of_fetched(batch),
            Source::Decoded(chunks) => ChunkRows::of_decoded(chunks),
            Source::Event(_) => ChunkRows::NONE,
        }
    }
}

/// Packs the records of a poll; the number of bytes, 0 for an event and for records that do not fit.
///
/// # Safety
/// `capacity` bytes at `block` may be written.
pub(super) unsafe fn pack_polled(polled: &Polled, block: *mut u8, capacity: usize) -> usize {
    let Polled::Records(fetched) = polled else { return 0 };
    if fetched.len().saturating_mul(RECORD_ROW) > capacity {
        // It costs a look at each record to find out how much too large it is.
        return 0;
    }
    let rows = ChunkRows::of_fetched(fetched);
    let Some(packing) = Packing::of(rows).ok().filter(|p| p.size() <= capacity) else { return 0 };
    // SAFETY: as the caller promises.
    match unsafe { packing.write(block, capacity) } {
        Ok(()) => packing.size(),
        Err(_) => 0,
    }
}

impl EventRows {
    fn new(event: Event) -> Box<EventRows> {
        let rows = |partitions: Vec<TopicPartition>| partitions.into_iter().map(OffsetRow::new).collect();
        let (kind, source, error): (i32, Vec<OffsetRow>, Option<Error>) = match event {
            Event::Assigned(partitions) => (MILENA_EVENT_ASSIGNED, rows(partitions), None),
            Event::Revoked(partitions) => (MILENA_EVENT_REVOKED, rows(partitions), None),
            Event::Lost { partitions, reason } => (MILENA_EVENT_LOST, rows(partitions), Some(reason)),
            Event::Committed { offsets, error } => {
                let rows = offsets.into_iter().map(|(p, at)| OffsetRow::committed(p, Some(at)));
                (MILENA_EVENT_COMMITTED, rows.collect(), error)
            }
        };
        let status = error.as_ref().map_or(0, |e| e.code().0);
        let event = milena_event {
            kind,
            status,
            error: ptr::null(),
            partitions: ptr::null(),
            partitions_len: source.len(),
            partitions_stride: size_of::<milena_offset>(),
        };
        let rows = source.iter().map(OffsetRow::row).collect();
        let error = error.map(milena_error::boxed);
        let mut all = Box::new(EventRows { event, rows, _source: source, error });
        all.event.partitions = all.rows.as_ptr();
        all.event.error = all.error.as_deref().map_or(ptr::null(), ptr::from_ref);
        all
    }
}
