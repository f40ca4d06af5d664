//! Decoding record batches
//!
//! Reads the bytes that brokers store and send: for tools, without any client.

use super::batch::{
    milena_batch, milena_chunk, milena_record_view, MILENA_RECORD_APPEND_TIME, MILENA_RECORD_CONTROL,
    MILENA_RECORD_NO_TIMESTAMP,
};
use super::error::milena_error;
use super::guard::{array, guard, Out};
use super::types::{milena_bytes, milena_header, milena_status};
use crate::error::{Error, Place};
use crate::record::{Batch, BatchReader, Decompressor, Record, RecordError, Span, TimestampType};
use bytes::Bytes;
use std::mem::size_of;
use std::ptr;

/// Decodes `len` bytes of record batches, of any format (v0, v1, v2) and codec, such as a segment file of a broker.
/// `*out` has a chunk for each batch, without a topic and with partition -1; control records are given and have the
/// flag MILENA_RECORD_CONTROL. A batch that is cut off at the end is no error: what is in front of it is given. `*out`
/// is NULL when there is no batch. Checksums are checked. A batch may decompress to `max_batch_bytes` (0: 1 GiB).
///
/// The bytes are copied. Any thread.
///
/// Errors: CORRUPT_MESSAGE, with the offset and what is wrong; `*out` is written then as well, with the batches in
/// front of the corrupt one.
#[no_mangle]
pub unsafe extern "C" fn milena_decode_batches(
    data: *const u8,
    len: usize,
    max_batch_bytes: usize,
    out: *mut *mut milena_batch,
    err: *mut *mut milena_error,
) -> milena_status {
    guard(err, || {
        // SAFETY: `len` bytes and a place for a pointer, by contract.
        let (data, out) = unsafe { (array(data, len, "data")?, Out::new(out, "out")?) };
        let limit = if max_batch_bytes == 0 { 1 << 30 } else { max_batch_bytes };
        let mut chunks = Vec::new();
        let result = decode(Bytes::copy_from_slice(data), limit, &mut chunks);
        out.set(milena_batch::from_decoded(chunks));
        result.map_err(|e| corrupt(&e))
    })
}

/// A decoded batch: as C sees it, and then what that points to.
#[repr(C)]
pub(super) struct DecodedChunk {
    _row: milena_chunk,
    _records: Vec<milena_record_view>,
    /// What `headers` of the records point into.
    _headers: Vec<milena_header>,
    /// What all views point into.
    _block: Bytes,
}

fn decode(data: Bytes, limit: usize, chunks: &mut Vec<DecodedChunk>) -> std::result::Result<(), RecordError> {
    let mut decompressor = Decompressor::new();
    for batch in BatchReader::new(data, true) {
        chunks.push(DecodedChunk::new(&batch?, &mut decompressor, limit)?);
    }
    Ok(())
}

fn corrupt(error: &RecordError) -> Error {
    let place =
        Place { topic: "".into(), partition: -1, offset: error.base_offset, next_offset: error.next_offset };
    Error::new(error.code(), error.to_string()).at(place).retriable(false).hint(match error.is_too_large() {
        true => "raise max_batch_bytes",
        false => "the bytes were changed after they were written, or are not record batches",
    })
}

impl DecodedChunk {
    fn new(
        batch: &Batch,
        decompressor: &mut Decompressor,
        limit: usize,
    ) -> std::result::Result<DecodedChunk, RecordError> {
        let records = batch.records(decompressor, limit)?;
        let block = records.block().clone();
        let flags = match records.timestamp_type() {
            TimestampType::None => MILENA_RECORD_NO_TIMESTAMP,
            TimestampType::CreateTime => 0,
            TimestampType::LogAppendTime => MILENA_RECORD_APPEND_TIME,
        } | if batch.control { MILENA_RECORD_CONTROL } else { 0 };
        let mut views: Vec<milena_record_view> = Vec::new();
        let mut headers: Vec<milena_header> = Vec::new();
        for record in records {
            views.push(view(&record?, flags, &block, &mut headers));
        }
        // Now that the headers stay where they are.
        let mut at = headers.as_ptr();
        for view in views.iter_mut().filter(|v| v.headers_len > 0) {
            view.headers = at;
            at = at.wrapping_add(view.headers_len as usize);
        }
        let row = milena_chunk {
            topic: milena_bytes::NULL,
            partition: -1,
            leader_epoch: batch.leader_epoch,
            next_offset: batch.next_offset(),
            records: views.as_ptr(),
            records_len: views.len(),
            records_stride: size_of::<milena_record_view>(),
        };
        Ok(DecodedChunk { _row: row, _records: views, _headers: headers, _block: block })
    }
}

/// A record as C sees it, but for the place of its headers, which are appended to `headers`.
fn view(record: &Record, flags: u32, block: &Bytes, headers: &mut Vec<milena_header>) -> milena_record_view {
    let bytes = |span: Span| milena_bytes::from(span.get(block));
    let before = headers.len();
    for header in record.headers(block) {
        headers.push(milena_header { name: header.name.into(), value: header.value.into() });
    }
    milena_record_view {
        offset: record.offset,
        timestamp_ms: record.timestamp_ms,
        key: bytes(record.key),
        value: bytes(record.value),
        headers: ptr::null(),
        headers_len: headers.len().saturating_sub(before) as u32,
        flags,
    }
}
