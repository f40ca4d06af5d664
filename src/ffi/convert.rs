//! Between C's structs and Rust's: bytes, partitions, offsets.

use super::guard::{nullable, strided, text};
use super::offsets::milena_offset;
use super::types::{milena_bytes, milena_topic_partition};
use crate::consumer::{OffsetAndMetadata, Offsets};
use crate::error::Result;
use crate::serialization::TopicPartition;
use std::ptr;
use std::sync::Arc;

impl milena_bytes {
    pub(super) const NULL: milena_bytes = milena_bytes { data: ptr::null(), len: 0 };
}

/// An empty slice stays different from null: its pointer is not NULL.
impl From<&[u8]> for milena_bytes {
    fn from(bytes: &[u8]) -> milena_bytes {
        milena_bytes { data: bytes.as_ptr(), len: bytes.len() }
    }
}

impl From<Option<&[u8]>> for milena_bytes {
    fn from(bytes: Option<&[u8]>) -> milena_bytes {
        bytes.map_or(milena_bytes::NULL, milena_bytes::from)
    }
}

/// # Safety
/// `n` partitions, `stride` bytes apart, and their texts are there for the length of the call.
pub(super) unsafe fn partitions_from_c(
    partitions: *const milena_topic_partition,
    stride: usize,
    n: usize,
) -> Result<Vec<TopicPartition>> {
    // SAFETY: as the caller promises.
    unsafe { strided(partitions, stride, n, "partitions") }?
        .map(|p| {
            // SAFETY: as the caller promises.
            let topic = unsafe { text(p.topic, "a partition's topic") }?;
            Ok(TopicPartition::new(topic, p.partition))
        })
        .collect()
}

/// # Safety
/// `n` offsets, `stride` bytes apart, and their texts are there for the length of the call.
pub(super) unsafe fn offsets_from_c(
    offsets: *const milena_offset,
    stride: usize,
    n: usize,
) -> Result<Offsets> {
    // SAFETY: as the caller promises.
    unsafe { strided(offsets, stride, n, "offsets") }?
        .map(|o| {
            // SAFETY: as the caller promises.
            let (topic, metadata) = unsafe {
                (text(o.topic, "an offset's topic")?, nullable(o.metadata, "an offset's metadata")?)
            };
            let metadata = match metadata {
                // SAFETY: as the caller promises.
                Some(_) => Some(Arc::from(unsafe { text(o.metadata, "an offset's metadata") }?)),
                None => None,
            };
            let at = OffsetAndMetadata { offset: o.offset, leader_epoch: o.leader_epoch, metadata };
            Ok((TopicPartition::new(topic, o.partition), at))
        })
        .collect()
}

/// # Safety
/// As for [`offsets_from_c`].
pub(super) unsafe fn times_from_c(
    times: *const milena_offset,
    stride: usize,
    n: usize,
) -> Result<Vec<(TopicPartition, i64)>> {
    // SAFETY: as the caller promises.
    unsafe { strided(times, stride, n, "times") }?
        .map(|o| {
            // SAFETY: as the caller promises.
            let topic = unsafe { text(o.topic, "a row's topic") }?;
            Ok((TopicPartition::new(topic, o.partition), o.timestamp_ms))
        })
        .collect()
}
