//! What poll hands out: chunks of record views, laid out as C sees them, over the bytes that were fetched.

use super::budget::{Hold, Outstanding};
use bytes::Bytes;
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

/// Records of one partition, in the order of their offsets.
#[derive(Debug)]
pub struct Chunk {
    pub topic: Arc<str>,
    pub partition: i32,
    /// The epoch of the leader that stored these records; -1 when it is not known.
    pub leader_epoch: i32,
    /// The bytes that all views of this chunk point into.
    pub block: Bytes,
    pub records: Vec<RecordView>,
    /// What the records' `headers` point into; empty when no record has any.
    pub headers: Vec<HeaderView>,
    /// Where to read on behind this chunk.
    pub next_offset: i64,
    /// Counts the block: a fetch response, as long as a part of it is held, or a decompressed batch.
    pub(super) _block_memory: Arc<Hold>,
    /// Counts the views.
    pub(super) _view_memory: Hold,
}

impl Chunk {
    /// The bytes of a view of this chunk; `None` for null.
    pub fn bytes(&self, view: BytesView) -> Option<&[u8]> {
        if view.ptr.is_null() {
            return None;
        }
        let start = (view.ptr as usize).wrapping_sub(self.block.as_ptr() as usize);
        self.block.get(start..start.checked_add(view.len)?)
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
        let start = (record.headers as usize).wrapping_sub(self.headers.as_ptr() as usize)
            / std::mem::size_of::<HeaderView>();
        let end = start.saturating_add(record.headers_len as usize);
        self.headers.get(start..end).unwrap_or(&[])
    }
}

/// The records of one poll. Owns its memory, which counts in `fetch.buffer.memory` until it is dropped; it outlives
/// later polls and the consumer.
#[derive(Debug)]
pub struct FetchedBatch {
    pub chunks: Vec<Chunk>,
    pub(super) _outstanding: Outstanding,
}

impl FetchedBatch {
    /// The number of records.
    pub fn len(&self) -> usize {
        self.chunks.iter().map(|c| c.records.len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }
}
