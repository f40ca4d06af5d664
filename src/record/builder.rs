//! `MemoryRecordsBuilder`: the writer of v2 batches.
//!
//! Records go straight into one pre-allocated buffer, one copy from the caller's memory, no allocation. The buffer
//! holds the records only; the batch's 61-byte header is a segment of its own, made when the batch is sent, so
//! that a retry may change producer id and sequence while an older request still holds the records.

use super::appender::{reach, Appender, Counters, PlainRecord};
use super::buffer::ByteBufferOutputStream;
use super::compression::{Compression, Compressor};
use super::header::{BatchFacts, ProducerState, BATCH_OVERHEAD};
use super::headers::{nullable_size, Headers};
use super::varint::{varint_size, varlong_size};
use bytes::BytesMut;
use std::fmt;

/// A record to be written; everything is borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecordRef<'a> {
    /// Milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// `None` is null, which is not the same as empty.
    pub key: Option<&'a [u8]>,
    /// `None` is null: a tombstone.
    pub value: Option<&'a [u8]>,
    pub headers: Headers<'a>,
}

/// Why a record was not appended. The batch is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// The batch has records and this one does not fit its limit: close it and begin another.
    Full,
    /// No batch can hold it: the format's lengths have 31 bits.
    TooLarge,
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AppendError::Full => "the batch is full",
            AppendError::TooLarge => "the record is larger than the record format can express (2 GiB)",
        })
    }
}

impl std::error::Error for AppendError {}

/// An open batch. Sizes count uncompressed bytes and include the header's 61.
#[derive(Debug)]
pub struct MemoryRecordsBuilder {
    out: ByteBufferOutputStream,
    records: u32,
    base_timestamp: i64,
    max_timestamp: i64,
}

/// The most that a batch of the one record takes, for sizing its buffer; cheap, and at most 21 bytes too much.
pub fn record_size_upper_bound(record: &RecordRef<'_>) -> usize {
    // Length 5, attributes 1, timestamp delta 10, offset delta 5, number of headers 5.
    (BATCH_OVERHEAD.wrapping_add(26))
        .saturating_add(nullable_size(record.key))
        .saturating_add(nullable_size(record.value))
        .saturating_add(record.headers.encoded_size())
}

impl MemoryRecordsBuilder {
    /// An empty batch in `memory`, usually a pooled buffer of `batch.size` bytes; see
    /// [`ByteBufferOutputStream::new`]. It grows only for a record that it can't hold otherwise.
    pub fn new(memory: BytesMut) -> MemoryRecordsBuilder {
        MemoryRecordsBuilder {
            out: ByteBufferOutputStream::new(memory),
            records: 0,
            base_timestamp: -1,
            max_timestamp: -1,
        }
    }

    /// Records appended.
    #[inline]
    pub fn records(&self) -> u32 {
        self.records
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Bytes of the batch, its header included, before compression.
    #[inline]
    pub fn size(&self) -> usize {
        self.out.len().saturating_add(BATCH_OVERHEAD)
    }

    /// Bytes of memory that the batch holds.
    pub fn capacity(&self) -> usize {
        self.out.capacity()
    }

    /// Timestamp of the first record; -1 when there is none.
    pub fn base_timestamp(&self) -> i64 {
        self.base_timestamp
    }

    /// The latest timestamp; -1 when there is no record.
    pub fn max_timestamp(&self) -> i64 {
        self.max_timestamp
    }

    /// Bytes that this record would add.
    pub fn record_size(&self, record: &RecordRef<'_>) -> usize {
        let body = self.body_size(record);
        varint_size(i32::try_from(body).unwrap_or(i32::MAX)).saturating_add(body)
    }

    /// Whether `record` fits a batch of `limit` bytes. An empty batch takes any record.
    pub fn has_room_for(&self, record: &RecordRef<'_>, limit: usize) -> bool {
        self.records == 0 || self.size().saturating_add(self.record_size(record)) <= limit
    }

    /// Appends a record if it fits a batch of `limit` bytes (`batch.size`), and gives its offset relative to the
    /// batch. An empty batch takes a record of any size, and grows for it.
    pub fn append_with_offset(&mut self, record: &RecordRef<'_>, limit: usize) -> Result<u32, AppendError> {
        let end = self.reach(limit);
        if let (Some(plain), Some(mut appender)) = (PlainRecord::of(record), self.appender(end)) {
            if appender.append(&plain) {
                return Ok(appender.records().wrapping_sub(1));
            }
        }
        self.append_any(record, limit)
    }

    /// What an [`Appender`] may fill of the present memory, for a batch of `limit` bytes.
    pub fn reach(&self, limit: usize) -> usize {
        reach(self.out.capacity(), limit)
    }

    /// For many records in a row that are as most are; none while the batch is empty. `end` is what
    /// [`MemoryRecordsBuilder::reach`] gave last.
    #[inline(always)]
    pub fn appender(&mut self, end: usize) -> Option<Appender<'_>> {
        if self.records == 0 {
            return None;
        }
        let (memory, written) = self.out.parts();
        let counters = Counters {
            written,
            records: &mut self.records,
            base_timestamp: self.base_timestamp,
            max_timestamp: &mut self.max_timestamp,
        };
        Some(Appender::new(memory, counters, end))
    }

    fn appended(&mut self, timestamp_ms: i64) -> u32 {
        let offset = self.records;
        self.records = offset.wrapping_add(1);
        self.max_timestamp = self.max_timestamp.max(timestamp_ms);
        offset
    }

    fn body_size(&self, record: &RecordRef<'_>) -> usize {
        let base = if self.records == 0 { record.timestamp_ms } else { self.base_timestamp };
        let numbers = 1usize
            .wrapping_add(varlong_size(record.timestamp_ms.wrapping_sub(base)))
            .wrapping_add(varint_size(self.records as i32))
            .wrapping_add(varint_size(i32::try_from(record.headers.count()).unwrap_or(i32::MAX)));
        numbers
            .saturating_add(nullable_size(record.key))
            .saturating_add(nullable_size(record.value))
            .saturating_add(record.headers.encoded_size())
    }

    /// Every case.
    #[inline(never)]
    fn append_any(&mut self, record: &RecordRef<'_>, limit: usize) -> Result<u32, AppendError> {
        let body = self.body_size(record);
        let Ok(length) = i32::try_from(body) else { return Err(AppendError::TooLarge) };
        let total = varint_size(length).saturating_add(body);
        let size = self.size().saturating_add(total);
        if self.records > 0 && size > limit {
            return Err(AppendError::Full);
        }
        if size > i32::MAX as usize {
            return Err(AppendError::TooLarge);
        }
        if self.records == 0 {
            self.base_timestamp = record.timestamp_ms;
            self.max_timestamp = record.timestamp_ms;
        }
        self.out.reserve(total);
        self.out.put_varlong(i64::from(length));
        self.out.put(&[0]);
        self.out.put_varlong(record.timestamp_ms.wrapping_sub(self.base_timestamp));
        self.out.put_varlong(i64::from(self.records));
        self.out.put_nullable(record.key);
        self.out.put_nullable(record.value);
        self.out.put_varlong(record.headers.count() as i64);
        match record.headers {
            Headers::Encoded { bytes, .. } => self.out.put(bytes),
            Headers::Slice(headers) => {
                for header in headers {
                    self.out.put_nullable(Some(header.name));
                    self.out.put_nullable(header.value);
                }
            }
        }
        Ok(self.appended(record.timestamp_ms))
    }

    /// Ends the batch and compresses it. `level` is the codec's (see [`Compression::levels`]). The compressed
    /// form takes the place of the plain one in the same memory. Where it would not be smaller, the batch stays
    /// uncompressed, and its attributes say so.
    pub fn close(mut self, codec: Compression, level: i32, compressor: &mut Compressor) -> ClosedBatch {
        let uncompressed_len = self.out.len();
        let mut compression = Compression::None;
        if codec != Compression::None {
            if let Ok(compressed) = compressor.compress(codec, level, self.out.as_ref()) {
                if compressed.len() < uncompressed_len {
                    self.out.replace(compressed);
                    compression = codec;
                }
            }
        }
        ClosedBatch {
            facts: BatchFacts {
                records: self.records,
                base_timestamp: self.base_timestamp,
                max_timestamp: self.max_timestamp,
                compression,
                uncompressed_len: uncompressed_len as u32,
            },
            payload: self.out,
        }
    }

    /// Gives the memory back unread, for a batch that is given up.
    pub fn into_inner(self) -> BytesMut {
        self.out.into_inner()
    }
}

/// A batch that is ready to be sent: its records in one piece, and what its header says.
#[derive(Debug)]
pub struct ClosedBatch {
    pub facts: BatchFacts,
    /// The records, compressed or not: what follows the header.
    pub payload: ByteBufferOutputStream,
}

impl ClosedBatch {
    /// Bytes on the wire, header included.
    pub fn size(&self) -> usize {
        self.payload.len().saturating_add(BATCH_OVERHEAD)
    }

    /// The header for it; see [`BatchFacts::header`].
    pub fn header(&self, state: ProducerState) -> [u8; BATCH_OVERHEAD] {
        self.facts.header(self.payload.as_ref(), state)
    }

    /// Header and records as one piece, for where they are not sent by vectored write.
    pub fn to_vec(&self, state: ProducerState) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.size());
        all.extend_from_slice(&self.header(state));
        all.extend_from_slice(self.payload.as_ref());
        all
    }
}
