//! Splitting a fetched region into batches, and checking each before its records are read.

use super::compression::{Compression, Decompressor};
use super::error::{DecompressError, Problem, RecordError};
use super::header::{
    be32, be64, BatchFacts, RawHeader, APPEND_TIME, BATCH_OVERHEAD, CODEC_MASK, CONTROL, DELETE_HORIZON,
    LOG_OVERHEAD, TRANSACTIONAL,
};
use super::legacy::{last_inner_offset, least_size, LegacyCursor, Message};
use super::slow::LEAST_RECORD;
use super::view::{Frame, Records};
use super::TimestampType;
use bytes::Bytes;

/// Where the magic stands in every format.
const MAGIC_AT: usize = 16;

/// Gives the batches of a region of bytes: the records of a partition in a fetch response, or a part of a log.
///
/// A region may end inside a batch: that is the end, not an error; see [`truncated`](Self::truncated). After an
/// error in one batch the iteration goes on with the next one, if the bad one's length could be believed.
#[derive(Clone, Debug)]
pub struct BatchReader {
    data: Bytes,
    position: usize,
    check_crcs: bool,
    truncated: Option<usize>,
}

impl BatchReader {
    /// `check_crcs` is the consumer's `check.crcs`: whether checksums are compared.
    pub fn new(data: Bytes, check_crcs: bool) -> BatchReader {
        BatchReader { data, position: 0, check_crcs, truncated: None }
    }

    /// When the region ended inside a batch: the size of that batch in bytes, or 12, the least that tells its
    /// size. If no batch came before it, the fetch size was too small for it.
    pub fn truncated(&self) -> Option<usize> {
        self.truncated
    }

    /// Bytes of the region that batches were taken from so far.
    pub fn position(&self) -> usize {
        self.position
    }

    fn read(&mut self) -> Option<Result<Batch, RecordError>> {
        let rest = self.data.get(self.position..).unwrap_or(&[]);
        if rest.is_empty() {
            return None;
        }
        if rest.len() < LOG_OVERHEAD {
            return self.end(Some(LOG_OVERHEAD));
        }
        let base_offset = be64(rest, 0);
        let length = be32(rest, 8);
        let magic = rest.get(MAGIC_AT).copied();
        let least = match magic {
            Some(2) => BATCH_OVERHEAD.saturating_sub(LOG_OVERHEAD) as i32,
            Some(magic @ 0..=1) => least_size(magic),
            Some(magic) => return self.fail(base_offset, Problem::Magic(magic)),
            None => least_size(0),
        };
        if length < least {
            return self.fail(base_offset, Problem::Length { length, least });
        }
        let size = (length as usize).saturating_add(LOG_OVERHEAD);
        if rest.len() < size {
            return self.end(Some(size));
        }
        let whole = self.data.slice(self.position..self.position.saturating_add(size));
        self.position = self.position.saturating_add(size);
        Some(match magic {
            Some(2) => Batch::read_v2(whole, self.check_crcs),
            _ => Batch::read_legacy(whole, self.check_crcs),
        })
    }

    fn end(&mut self, truncated: Option<usize>) -> Option<Result<Batch, RecordError>> {
        self.truncated = truncated;
        self.data = Bytes::new();
        None
    }

    /// An error behind which nothing can be found any more.
    fn fail(&mut self, base_offset: i64, problem: Problem) -> Option<Result<Batch, RecordError>> {
        self.data = Bytes::new();
        Some(Err(RecordError { base_offset, next_offset: base_offset.saturating_add(1), problem }))
    }
}

impl Iterator for BatchReader {
    type Item = Result<Batch, RecordError>;

    fn next(&mut self) -> Option<Result<Batch, RecordError>> {
        self.read()
    }
}

/// One batch with a sound header. Of the older formats: one message, or one compressed message set.
#[derive(Clone, Debug)]
pub struct Batch {
    /// 0, 1 or 2.
    pub magic: u8,
    /// Offset of the first record (of a batch that compaction did not touch). A compressed set of formats v0 and
    /// v1 has only its last offset in front; then this is the same.
    pub base_offset: i64,
    /// Offset of the last record, or of the last one that was there before compaction.
    pub last_offset: i64,
    /// Epoch of the leader that stored it; -1 when unknown.
    pub leader_epoch: i32,
    pub compression: Compression,
    pub timestamp_type: TimestampType,
    /// Timestamp that the records' are relative to; when `delete_horizon` is set, that horizon.
    pub base_timestamp: i64,
    /// The latest timestamp; for LogAppendTime that of every record.
    pub max_timestamp: i64,
    pub transactional: bool,
    /// Holds control records ([`super::control`]), which are not for the application.
    pub control: bool,
    /// The base timestamp is the time from which tombstones in this batch may be deleted (KIP-534).
    pub delete_horizon: bool,
    /// -1 when not idempotent.
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    /// Number of records; nothing for compressed sets of formats v0 and v1.
    pub count: Option<u32>,
    /// Bytes of the whole batch.
    pub size: usize,
    /// v2: what follows the header. Before: the message, or the compressed value of the wrapper.
    body: Bytes,
    check_crcs: bool,
}

impl Batch {
    /// Where the batch ends: the position of a consumer that has read it.
    pub fn next_offset(&self) -> i64 {
        self.last_offset.saturating_add(1)
    }

    /// Bytes of its records as they stand there, compressed or not.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    fn read_v2(whole: Bytes, check_crcs: bool) -> Result<Batch, RecordError> {
        let Some(bytes) = whole.first_chunk::<BATCH_OVERHEAD>() else {
            // The reader has checked the length.
            return Err(RecordError { base_offset: -1, next_offset: -1, problem: Problem::Magic(2) });
        };
        let h = RawHeader::read(bytes);
        let mut next_offset = h.base_offset.saturating_add(1);
        let fail =
            |next_offset, problem| Err(RecordError { base_offset: h.base_offset, next_offset, problem });
        let last_offset = match h.base_offset.checked_add(i64::from(h.last_offset_delta)) {
            Some(last) if h.last_offset_delta >= 0 && last < i64::MAX => last,
            _ => return fail(next_offset, Problem::LastOffsetDelta(h.last_offset_delta)),
        };
        next_offset = last_offset.saturating_add(1);
        if check_crcs {
            let computed = crc32c::crc32c(whole.get(21..).unwrap_or(&[]));
            if computed != h.crc {
                return fail(next_offset, Problem::Crc { stored: h.crc, computed });
            }
        }
        let codec = (h.attributes & CODEC_MASK) as u8;
        let Some(compression) = Compression::from_id(codec) else {
            return fail(next_offset, Problem::Codec(codec));
        };
        let body = whole.slice(BATCH_OVERHEAD..);
        let most = if compression == Compression::None { body.len() / LEAST_RECORD } else { usize::MAX };
        let count = match u32::try_from(h.records) {
            Ok(count) if count as usize <= most => count,
            _ => return fail(next_offset, Problem::Count { count: h.records, bytes: body.len() }),
        };
        let append_time = h.attributes & APPEND_TIME != 0;
        Ok(Batch {
            magic: 2,
            base_offset: h.base_offset,
            last_offset,
            leader_epoch: h.leader_epoch,
            compression,
            timestamp_type: if append_time {
                TimestampType::LogAppendTime
            } else {
                TimestampType::CreateTime
            },
            base_timestamp: h.base_timestamp,
            max_timestamp: h.max_timestamp,
            transactional: h.attributes & TRANSACTIONAL != 0,
            control: h.attributes & CONTROL != 0,
            delete_horizon: h.attributes & DELETE_HORIZON != 0,
            producer_id: h.producer_id,
            producer_epoch: h.producer_epoch,
            base_sequence: h.base_sequence,
            count: Some(count),
            size: whole.len(),
            body,
            check_crcs,
        })
    }

    fn read_legacy(whole: Bytes, check_crcs: bool) -> Result<Batch, RecordError> {
        let offset = be64(&whole, 0);
        let fail =
            |problem| RecordError { base_offset: offset, next_offset: offset.saturating_add(1), problem };
        // The checksum first: what else is wrong with bytes that fail it says nothing.
        let message = Message::parse(&whole, 0);
        if let (true, Ok(message)) = (check_crcs, &message) {
            message.check_crc(&whole, 0).map_err(fail)?;
        }
        let message = message.map_err(|why| fail(Problem::Record { index: 0, position: 0, why }))?;
        let compression = match Compression::from_id(message.codec()) {
            Some(codec) if codec != Compression::Zstd => codec,
            _ => return Err(fail(Problem::Codec(message.codec()))),
        };
        let (body, count) = if compression == Compression::None {
            (whole.clone(), Some(1))
        } else {
            let Ok(len) = usize::try_from(message.value.len) else {
                return Err(fail(Problem::Record {
                    index: 0,
                    position: 0,
                    why: "compressed message set is null",
                }));
            };
            let start = message.value.start as usize;
            (whole.slice(start..start.saturating_add(len)), None)
        };
        Ok(Batch {
            magic: message.magic,
            base_offset: offset,
            last_offset: offset,
            leader_epoch: -1,
            compression,
            timestamp_type: message.timestamp_type(),
            base_timestamp: message.timestamp_ms,
            max_timestamp: message.timestamp_ms,
            transactional: false,
            control: false,
            delete_horizon: false,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            count,
            size: whole.len(),
            body,
            check_crcs,
        })
    }

    /// The records, decompressed into one new block of at most `limit` bytes, or as a part of the region when the
    /// batch is not compressed.
    pub fn records(&self, decompressor: &mut Decompressor, limit: usize) -> Result<Records, RecordError> {
        let block = if self.compression == Compression::None {
            self.body.clone()
        } else {
            decompressor
                .decompress(self.compression, self.magic, &self.body, limit)
                .map_err(|why| self.error(Problem::Decompress { codec: self.compression, why }))?
        };
        let append_time = self.timestamp_type == TimestampType::LogAppendTime;
        let mut frame = Frame {
            base_offset: self.base_offset,
            next_offset: self.next_offset(),
            last_offset_delta: self.last_offset.wrapping_sub(self.base_offset) as u32,
            base_timestamp: if append_time { self.max_timestamp } else { self.base_timestamp },
            timestamp_type: self.timestamp_type,
            count: 0,
        };
        if self.magic == 2 {
            frame.count = self.count.unwrap_or(0);
            if frame.count as usize > block.len() / LEAST_RECORD {
                return Err(self.error(Problem::Count { count: frame.count as i32, bytes: block.len() }));
            }
            return Ok(Records::v2(block, frame));
        }
        let shift = if self.compression == Compression::None { 0 } else { self.inner_offset_shift(&block)? };
        // The checksum of an uncompressed message was compared with the batch's.
        let check_crcs = self.check_crcs && self.compression != Compression::None;
        Ok(Records::legacy(block, frame, LegacyCursor::new(shift, check_crcs)))
    }

    /// What to add to the offsets in a compressed message set. In v1 the wrapper's is the absolute offset of the
    /// last inner message; a wrapper offset of 0 comes from producers that did not set it, with inner offsets
    /// that are right as they are.
    fn inner_offset_shift(&self, block: &[u8]) -> Result<i64, RecordError> {
        let last = last_inner_offset(block).map_err(|problem| self.error(problem))?;
        if self.magic == 0 || self.last_offset == 0 {
            return Ok(0);
        }
        match self.last_offset.checked_sub(last) {
            Some(shift) if shift >= 0 => Ok(shift),
            _ => Err(self.error(Problem::Record {
                index: 0,
                position: 0,
                why: "offset of a compressed message set is before that of its last message",
            })),
        }
    }

    fn error(&self, problem: Problem) -> RecordError {
        RecordError { base_offset: self.base_offset, next_offset: self.next_offset(), problem }
    }
}

impl BatchFacts {
    /// Reads back the records of a closed batch that was not stored yet: offsets count from 0. For splitting a
    /// batch that the broker finds too large.
    pub fn records(
        &self,
        payload: Bytes,
        decompressor: &mut Decompressor,
    ) -> Result<Records, DecompressError> {
        let block = match self.compression {
            Compression::None => payload,
            codec => decompressor.decompress(codec, 2, &payload, self.uncompressed_len as usize)?,
        };
        let frame = Frame {
            base_offset: 0,
            next_offset: i64::from(self.records),
            last_offset_delta: self.records.saturating_sub(1),
            base_timestamp: self.base_timestamp,
            timestamp_type: TimestampType::CreateTime,
            count: self.records,
        };
        Ok(Records::v2(block, frame))
    }
}
