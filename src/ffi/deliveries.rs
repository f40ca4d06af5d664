//! Deliveries
//!
//! What became of the records of a producer. A chunk is one batch: records of one partition that were delivered, or
//! failed, together. All that is read here borrows from the milena_deliveries.

use super::error::milena_error;
use super::guard::guard_value;
use super::types::{milena_bytes, milena_status};
use crate::producer::deliveries::DeliveryChunk;
use std::mem::size_of;
use std::ptr;

/// Chunks of deliveries; the caller's to free.
pub struct milena_deliveries {
    rows: Vec<milena_delivery>,
    records: usize,
    /// What the rows point into.
    _chunks: Vec<DeliveryChunk>,
    _errors: Vec<Option<Box<milena_error>>>,
}

/// The outcome of the records of one batch.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct milena_delivery {
    pub topic: milena_bytes,
    pub partition: i32,
    /// MILENA_OK: delivered. Otherwise none of these records was, as far as the client knows.
    pub status: milena_status,
    /// The offset of the first record; those of the others follow it, one by one. -1 when it is not known: on failure,
    /// and with acks=0.
    pub base_offset: i64,
    /// The time that the broker gave the records, where the topic uses LogAppendTime; -1: they keep their own.
    pub append_time_ms: i64,
    /// The records' tokens, in the order of their offsets.
    pub tokens: *const u64,
    pub tokens_len: usize,
    /// Why it failed; NULL when it did not. Not to be freed by itself.
    pub error: *const milena_error,
}

/// The chunks: `*n` of them, `*stride` bytes apart. NULL, with `*n` 0, when there are none or `deliveries` is NULL.
/// `stride` may be NULL for who is sure to have the library that this header came with.
#[no_mangle]
pub unsafe extern "C" fn milena_deliveries_chunks(
    deliveries: *const milena_deliveries,
    n: *mut usize,
    stride: *mut usize,
) -> *const milena_delivery {
    // SAFETY: NULL or deliveries of this library, and places for numbers, by contract.
    unsafe { rows(deliveries.as_ref().map(|d| d.rows.as_slice()), n, stride) }
}

/// The number of records in all chunks; 0 for NULL.
#[no_mangle]
pub unsafe extern "C" fn milena_deliveries_count(deliveries: *const milena_deliveries) -> usize {
    // SAFETY: NULL or deliveries of this library, by contract.
    unsafe { deliveries.as_ref() }.map_or(0, |d| d.records)
}

/// Frees deliveries; NULL is fine.
#[no_mangle]
pub unsafe extern "C" fn milena_deliveries_free(deliveries: *mut milena_deliveries) {
    if !deliveries.is_null() {
        // SAFETY: by contract it came from this library and is freed once.
        guard_value((), || drop(unsafe { Box::from_raw(deliveries) }));
    }
}

impl milena_deliveries {
    /// NULL when there are no chunks.
    pub(super) fn new(chunks: Vec<DeliveryChunk>) -> *mut milena_deliveries {
        if chunks.is_empty() {
            return ptr::null_mut();
        }
        let errors: Vec<Option<Box<milena_error>>> =
            chunks.iter().map(|chunk| chunk.error.clone().map(milena_error::boxed)).collect();
        let rows = chunks
            .iter()
            .zip(&errors)
            .map(|(chunk, error)| milena_delivery {
                topic: chunk.topic.as_bytes().into(),
                partition: chunk.partition,
                status: chunk.error.as_ref().map_or(0, |e| e.code().0),
                base_offset: chunk.base_offset,
                append_time_ms: chunk.append_time_ms,
                tokens: chunk.tokens.as_ptr(),
                tokens_len: chunk.tokens.len(),
                error: error.as_deref().map_or(ptr::null(), ptr::from_ref),
            })
            .collect();
        let records = chunks.iter().map(|chunk| chunk.tokens.len()).sum();
        Box::into_raw(Box::new(milena_deliveries { rows, records, _chunks: chunks, _errors: errors }))
    }
}

/// Gives an array of rows to C.
///
/// # Safety
/// `n` and `stride` are NULL or places for a number.
pub(super) unsafe fn rows<T>(rows: Option<&[T]>, n: *mut usize, stride: *mut usize) -> *const T {
    let rows = rows.unwrap_or_default();
    for (place, value) in [(n, rows.len()), (stride, size_of::<T>())] {
        if !place.is_null() {
            // SAFETY: not NULL, so by contract a place for a number.
            unsafe { place.write_unaligned(value) };
        }
    }
    if rows.is_empty() {
        ptr::null()
    } else {
        rows.as_ptr()
    }
}
