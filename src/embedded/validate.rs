//! What a broker checks of the records that it is asked to append.

use super::errors::*;
use super::log::DECOMPRESS_LIMIT;
use crate::record::{Batch, BatchReader, Compression, Decompressor, Problem};
use bytes::Bytes;

/// Why a batch is not appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Invalid {
    pub code: i16,
    /// What is wrong, where the code does not say it.
    pub why: Option<&'static str>,
    /// Told with errors that are found at the log, else -1.
    pub log_start_offset: i64,
}

impl From<i16> for Invalid {
    fn from(code: i16) -> Invalid {
        Invalid { code, why: None, log_start_offset: -1 }
    }
}

impl From<(i16, &'static str)> for Invalid {
    fn from((code, why): (i16, &'static str)) -> Invalid {
        Invalid { code, why: Some(why), log_start_offset: -1 }
    }
}

const NOT_ONE: (i16, &str) =
    (INVALID_RECORD, "Produce requests must have exactly one record batch per partition");

/// The one batch that a produce request has for a partition: format v2, with a right checksum, not larger than
/// the topic allows, and with records that are what the header says. Behind it there may be a part of another.
pub(super) fn one_batch(
    records: &Bytes,
    version: i16,
    max_bytes: usize,
    log_start_offset: i64,
) -> Result<Batch, Invalid> {
    let mut reader = BatchReader::new(records.clone(), true);
    let at_the_log = |(code, why)| Invalid { code, why: Some(why), log_start_offset };
    let batch = match reader.next() {
        Some(Ok(batch)) => batch,
        Some(Err(error)) => {
            return Err(match error.problem {
                Problem::Count { .. } | Problem::LastOffsetDelta(_) => {
                    at_the_log((INVALID_RECORD, "The number of records is impossible"))
                }
                Problem::Codec(_) => at_the_log((UNKNOWN_SERVER_ERROR, "The compression codec is unknown")),
                _ => CORRUPT_MESSAGE.into(),
            });
        }
        None => return Err(NOT_ONE.into()),
    };
    if reader.next().is_some() {
        return Err(NOT_ONE.into());
    }
    if batch.magic != 2 {
        return Err((INVALID_RECORD, "Only record batches of magic 2 are taken").into());
    }
    if batch.transactional {
        return Err((INVALID_TXN_STATE, "This cluster has no transactions").into());
    }
    if batch.compression == Compression::Zstd && version < 7 {
        return Err(UNSUPPORTED_COMPRESSION_TYPE.into());
    }
    if batch.size > max_bytes {
        return Err(MESSAGE_TOO_LARGE.into());
    }
    check_records(&batch).map_err(at_the_log)?;
    Ok(batch)
}

/// The records parse, are as many as the header says, are for clients to write, and their offsets count from 0.
fn check_records(batch: &Batch) -> Result<(), (i16, &'static str)> {
    if batch.control {
        return Err((INVALID_RECORD, "Clients may not write control records"));
    }
    if batch.base_offset != 0 {
        return Err((INVALID_RECORD, "The base offset of the record batch should be 0"));
    }
    let expected = batch.last_offset.saturating_add(1);
    if batch.count.map(i64::from) != Some(expected) {
        return Err((INVALID_RECORD, "The number of records does not fit the last offset"));
    }
    // Kafka has no code of its own for records that it can't decompress.
    let records = batch.records(&mut Decompressor::new(), DECOMPRESS_LIMIT);
    let records = records.map_err(|_| (UNKNOWN_SERVER_ERROR, "The records can't be decompressed"))?;
    let mut offset = 0;
    for record in records {
        let Ok(record) = record else { return Err((INVALID_RECORD, "A record does not parse")) };
        if record.offset != offset {
            return Err((INVALID_RECORD, "The offsets of the records are not consecutive"));
        }
        offset = offset.saturating_add(1);
    }
    match offset == expected {
        true => Ok(()),
        false => Err((INVALID_RECORD, "The batch has fewer records than its header says")),
    }
}
