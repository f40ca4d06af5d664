//! What poll hands out: chunks of record views, laid out as C sees them, over the bytes that were fetched.

use super::budget::{Hold, Outstanding};
use bytes::Bytes;
use smallvec::SmallVec;
use std::mem::{offset_of, size_of};
use std::ptr;
use std::sync::Arc;

/// A nullable range of bytes, borrowed from its chunk. A null pointer is Kafka's null, which is not the same as
/// empty.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BytesView {
    pub ptr: *const u8,
    pub len: usize,
}

impl BytesView {
    pub const NULL: BytesView = BytesView { ptr: ptr::null(), len: 0 };
}

/// One header, borrowed from its chunk.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderView {
    /// Never null.
    pub name: BytesView,
    pub value: BytesView,
}

/// One record, borrowed from its chunk.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordView {
    pub offset: i64,
    /// Milliseconds since the Unix epoch; -1 when there is none.
    pub timestamp_ms: i64,
    pub key: BytesView,
    pub value: BytesView,
    /// `headers_len` headers; null when there are none.
    pub headers: *const HeaderView,
    pub headers_len: u32,
    /// See [`FLAG_APPEND_TIME`] and [`FLAG_NO_TIMESTAMP`].
    pub flags: u32,
}

/// The broker set the timestamp when it stored the record.
pub const FLAG_APPEND_TIME: u32 = 1;
/// The record's format has no timestamps.
pub const FLAG_NO_TIMESTAMP: u32 = 2;

/// What was parsed at once: one batch, or many uncompressed ones of one fetch. Chunks are parts of it.
#[derive(Debug)]
pub(super) struct Parsed {
    pub topic: Arc<str>,
    /// The bytes that all views point into.
    pub block: Bytes,
    pub records: Vec<RecordView>,
    /// What the records' `headers` point into; empty when no record has any.
    pub headers: Vec<HeaderView>,
    /// Counts the block: a fetch response, as long as a part of it is held, or a decompressed batch.
    pub _block_memory: Arc<Hold>,
    /// Counts the views.
    pub _view_memory: Hold,
}

/// Records of one partition, in the order of their offsets. Laid out as C sees it, but for what follows that.
#[repr(C)]
#[derive(Debug)]
pub struct Chunk {
    topic: BytesView,
    pub partition: i32,
    /// The epoch of the leader that stored these records; -1 when it is not known.
    pub leader_epoch: i32,
    /// Where to read on behind this chunk.
    pub next_offset: i64,
    /// Its part of what was parsed.
    records: *const RecordView,
    records_len: usize,
    records_stride: usize,
    parsed: Arc<Parsed>,
}

impl Chunk {
    /// Where the members are that C sees, in their order.
    pub const LAYOUT: [usize; 7] = [
        offset_of!(Chunk, topic),
        offset_of!(Chunk, partition),
        offset_of!(Chunk, leader_epoch),
        offset_of!(Chunk, next_offset),
        offset_of!(Chunk, records),
        offset_of!(Chunk, records_len),
        offset_of!(Chunk, records_stride),
    ];

    /// All that was parsed.
    pub(super) fn new(parsed: Parsed, partition: i32, leader_epoch: i32, next_offset: i64) -> Chunk {
        Chunk {
            topic: BytesView { ptr: parsed.topic.as_ptr(), len: parsed.topic.len() },
            partition,
            leader_epoch,
            next_offset,
            records: parsed.records.as_ptr(),
            records_len: parsed.records.len(),
            records_stride: size_of::<RecordView>(),
            parsed: Arc::new(parsed),
        }
    }

    /// The offset behind the first `n` records, if there are more than that.
    #[inline(always)]
    pub(super) fn offset_behind(&self, n: usize) -> Option<i64> {
        let last = self.records().get(..n).filter(|front| front.len() < self.records_len)?.last()?;
        Some(last.offset.saturating_add(1))
    }

    /// Takes the first `n` records off, which end in front of what [`Chunk::offset_behind`] gave.
    #[inline(always)]
    pub(super) fn split(&mut self, n: usize, next_offset: i64) -> Chunk {
        let front = Chunk { parsed: self.parsed.clone(), records_len: n, next_offset, ..*self };
        self.records = self.records.wrapping_add(n);
        self.records_len = self.records_len.saturating_sub(n);
        front
    }

    /// Leaves out all but the first `n` records.
    pub(super) fn cut(&mut self, n: usize, next_offset: i64) {
        self.records_len = self.records_len.min(n);
        self.next_offset = next_offset;
    }

    pub fn topic(&self) -> &Arc<str> {
        &self.parsed.topic
    }

    #[inline]
    pub fn records(&self) -> &[RecordView] {
        let all = &self.parsed.records;
        let first = (self.records as usize).wrapping_sub(all.as_ptr() as usize) / size_of::<RecordView>();
        all.get(first..).and_then(|r| r.get(..self.records_len)).unwrap_or(&[])
    }

    /// The bytes of a view of this chunk; `None` for null.
    pub fn bytes(&self, view: BytesView) -> Option<&[u8]> {
        if view.ptr.is_null() {
            return None;
        }
        let start = (view.ptr as usize).wrapping_sub(self.parsed.block.as_ptr() as usize);
        self.parsed.block.get(start..start.checked_add(view.len)?)
    }

    /// The key of one of this chunk's records.
    pub fn key(&self, record: &RecordView) -> Option<&[u8]> {
        self.bytes(record.key)
    }

    /// The value of one of this chunk's records.
    pub fn value(&self, record: &RecordView) -> Option<&[u8]> {
        self.bytes(record.value)
    }

    /// The headers of one of this chunk's records.
    pub fn headers(&self, record: &RecordView) -> &[HeaderView] {
        if record.headers.is_null() {
            return &[];
        }
        let start = (record.headers as usize).wrapping_sub(self.parsed.headers.as_ptr() as usize)
            / size_of::<HeaderView>();
        let end = start.saturating_add(record.headers_len as usize);
        self.parsed.headers.get(start..end).unwrap_or(&[])
    }
}

/// Mostly one, which then costs no allocation.
pub type Chunks = SmallVec<[Chunk; 1]>;

/// The records of one poll. Owns its memory, which counts in `fetch.buffer.memory` until it is dropped; it outlives
/// later polls and the consumer.
#[derive(Debug)]
pub struct FetchedBatch {
    pub chunks: Chunks,
    pub(super) _outstanding: Outstanding,
}

impl FetchedBatch {
    /// The number of records.
    pub fn len(&self) -> usize {
        match self.chunks.as_slice() {
            [one] => one.records_len,
            all => all.iter().map(|c| c.records_len).sum(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }
}
