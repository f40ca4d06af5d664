//! What a broker checks of the records that it is asked to append.

use super::errors::*;
use super::log::DECOMPRESS_LIMIT;
use crate::record::{Batch, BatchReader, Compression, Decompressor, Problem};
use bytes::Bytes;

/// An error code, and what is wrong if the code does not say it.
pub(super) type Invalid = (i16, Option<&'static str>);

/// The one batch that a produce request has for a partition: format v2, with a right checksum, not larger than
/// the topic allows, and with records that are what the header says.
pub(super) fn one_batch(records: &Bytes, version: i16, max_bytes: usize) -> Result<Batch, Invalid> {
    let mut reader = BatchReader::new(records.clone(), true);
    let batch = match reader.next() {
        Some(Ok(batch)) => batch,
        Some(Err(error)) => {
            return Err(match error.problem {
                Problem::Magic(_) => (UNSUPPORTED_FOR_MESSAGE_FORMAT, None),
                _ => (CORRUPT_MESSAGE, None),
            });
        }
        None if reader.truncated().is_some() => {
            return Err((CORRUPT_MESSAGE, Some("The record batch is cut off")))
        }
        None => {
            return Err((
                INVALID_RECORD,
                Some("Produce requests must have exactly one record batch per partition"),
            ))
        }
    };
    if reader.next().is_some() || reader.truncated().is_some() {
        return Err((
            INVALID_RECORD,
            Some("Produce requests must have exactly one record batch per partition"),
        ));
    }
    if batch.magic != 2 {
        return Err((INVALID_RECORD, Some("Only record batches of magic 2 are taken")));
    }
    if batch.control {
        return Err((INVALID_RECORD, Some("Clients may not write control records")));
    }
    if batch.transactional {
        return Err((INVALID_TXN_STATE, Some("This cluster has no transactions")));
    }
    if batch.compression == Compression::Zstd && version < 7 {
        return Err((UNSUPPORTED_COMPRESSION_TYPE, None));
    }
    if batch.size > max_bytes {
        return Err((MESSAGE_TOO_LARGE, None));
    }
    check_records(&batch)?;
    Ok(batch)
}

/// The records parse, are as many as the header says, and their offsets have no gaps.
fn check_records(batch: &Batch) -> Result<(), Invalid> {
    let expected = batch.last_offset.saturating_sub(batch.base_offset).saturating_add(1);
    if batch.count.map(i64::from) != Some(expected) {
        return Err((INVALID_RECORD, Some("The number of records does not fit the last offset")));
    }
    let records = batch.records(&mut Decompressor::new(), DECOMPRESS_LIMIT);
    let records = records.map_err(|_| (CORRUPT_MESSAGE, Some("The records can't be decompressed")))?;
    let mut offset = batch.base_offset;
    for record in records {
        let Ok(record) = record else { return Err((INVALID_RECORD, Some("A record does not parse"))) };
        if record.offset != offset {
            return Err((INVALID_RECORD, Some("The offsets of the records are not consecutive")));
        }
        offset = offset.saturating_add(1);
    }
    match offset.saturating_sub(batch.base_offset) == expected {
        true => Ok(()),
        false => Err((INVALID_RECORD, Some("The batch has fewer records than its header says"))),
    }
}
