//! Offsets
//!
//! Rows about partitions: what to seek, commit or look up, and what comes back.

use super::deliveries::rows;
use super::guard::guard_value;
use super::types::milena_bytes;
use crate::consumer::{OffsetAndMetadata, OffsetAndTimestamp};
use crate::serialization::TopicPartition;
use std::sync::Arc;

/// An offset of a partition. Start from MILENA_OFFSET_INIT. Which members count, each call says.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_offset {
    pub topic: milena_bytes,
    pub partition: i32,
    /// The leader epoch of the record before it, which lets the client notice lost records (KIP-320); -1: not known.
    pub leader_epoch: i32,
    /// The offset of the next record to read; -1: none.
    pub offset: i64,
    /// Milliseconds since 1970-01-01 UTC; -1: none.
    pub timestamp_ms: i64,
    /// Text that is kept with a committed offset; null: none.
    pub metadata: milena_bytes,
}

/// Offsets as a call gave them; the caller's to free.
pub struct milena_offsets {
    rows: Vec<milena_offset>,
    /// What the rows point into.
    _source: Vec<OffsetRow>,
}

/// The rows, in the order of the question: `*n` of them, `*stride` bytes apart. NULL, with `*n` 0, when there are
/// none or `offsets` is NULL. The rows borrow from `offsets`.
#[no_mangle]
pub unsafe extern "C" fn milena_offsets_rows(
    offsets: *const milena_offsets,
    n: *mut usize,
    stride: *mut usize,
) -> *const milena_offset {
    // SAFETY: NULL or offsets of this library, and places for numbers, by contract.
    unsafe { rows(offsets.as_ref().map(|o| o.rows.as_slice()), n, stride) }
}

/// Frees offsets; NULL is fine.
#[no_mangle]
pub unsafe extern "C" fn milena_offsets_free(offsets: *mut milena_offsets) {
    if !offsets.is_null() {
        // SAFETY: by contract it came from this library and is freed once.
        guard_value((), || drop(unsafe { Box::from_raw(offsets) }));
    }
}

/// A row with what it points to.
pub(super) struct OffsetRow {
    pub partition: TopicPartition,
    pub offset: i64,
    pub leader_epoch: i32,
    pub timestamp_ms: i64,
    pub metadata: Option<Arc<str>>,
}

impl OffsetRow {
    pub fn new(partition: TopicPartition) -> OffsetRow {
        OffsetRow { partition, offset: -1, leader_epoch: -1, timestamp_ms: -1, metadata: None }
    }

    pub fn committed(partition: TopicPartition, at: Option<OffsetAndMetadata>) -> OffsetRow {
        match at {
            None => OffsetRow::new(partition),
            Some(OffsetAndMetadata { offset, leader_epoch, metadata }) => {
                OffsetRow { offset, leader_epoch, metadata, ..OffsetRow::new(partition) }
            }
        }
    }

    pub fn found(partition: TopicPartition, at: Option<OffsetAndTimestamp>) -> OffsetRow {
        match at {
            None => OffsetRow::new(partition),
            Some(OffsetAndTimestamp { offset, timestamp_ms, leader_epoch }) => {
                OffsetRow { offset, timestamp_ms, leader_epoch, ..OffsetRow::new(partition) }
            }
        }
    }

    /// The row as C sees it; points into this one.
    pub fn row(&self) -> milena_offset {
        milena_offset {
            topic: self.partition.topic.as_bytes().into(),
            partition: self.partition.partition,
            leader_epoch: self.leader_epoch,
            offset: self.offset,
            timestamp_ms: self.timestamp_ms,
            metadata: self.metadata.as_deref().map(str::as_bytes).into(),
        }
    }
}

impl milena_offsets {
    pub(super) fn new(source: Vec<OffsetRow>) -> *mut milena_offsets {
        let rows = source.iter().map(OffsetRow::row).collect();
        Box::into_raw(Box::new(milena_offsets { rows, _source: source }))
    }
}
