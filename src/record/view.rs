//! Reading records: positions in one shared block, found in one pass over the record's varints.

use super::error::{Problem, RecordError};
use super::headers::HeaderIter;
use super::legacy::LegacyCursor;
use super::slow::{parse_record, RawRecord};
use super::varint::{unzigzag32, word_decode};
use super::TimestampType;
use bytes::Bytes;

/// A nullable range of bytes in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where it starts in the block; inside the block or at its end.
    pub start: u32,
    /// How long it is; -1 is null, which is not the same as empty.
    pub len: i32,
}

impl Span {
    pub const NULL: Span = Span { start: 0, len: -1 };

    #[inline]
    pub fn is_null(self) -> bool {
        self.len < 0
    }

    /// The bytes; `None` when null (or when `block` is not the block it came from).
    #[inline]
    pub fn get(self, block: &[u8]) -> Option<&[u8]> {
        let len = usize::try_from(self.len).ok()?;
        block.get(self.start as usize..)?.get(..len)
    }
}

/// One record, as positions in [`Records::block`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    pub offset: i64,
    /// Milliseconds since the Unix epoch; -1 when the format has none.
    pub timestamp_ms: i64,
    pub key: Span,
    pub value: Span,
    /// Number of headers.
    pub header_count: u32,
    /// The encoded headers, without the count.
    pub headers: Span,
}

impl Record {
    /// The headers, parsed as the iterator goes; the same block as for [`Span::get`].
    pub fn headers<'a>(&self, block: &'a [u8]) -> HeaderIter<'a> {
        HeaderIter::new(self.header_count, self.headers.get(block).unwrap_or(&[]))
    }
}

/// What the records of a v2 batch are relative to, and how many they must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub base_offset: i64,
    pub next_offset: i64,
    pub last_offset_delta: u32,
    /// The base timestamp; for LogAppendTime the batch's one timestamp.
    pub base_timestamp: i64,
    pub timestamp_type: TimestampType,
    pub count: u32,
}

/// The records of one batch, in order. Owns its block of bytes (by reference count) and nothing else, so it can be
/// kept while a part of its records was handed out.
///
/// After an error, and after the last record, it ends.
#[derive(Clone, Debug)]
pub struct Records {
    block: Bytes,
    position: usize,
    index: u32,
    start_offset: i64,
    /// -1, or 0 where all records have the base timestamp.
    delta_mask: i64,
    frame: Frame,
    legacy: Option<LegacyCursor>,
}

impl Records {
    pub(super) fn v2(block: Bytes, frame: Frame) -> Records {
        let delta_mask = if frame.timestamp_type == TimestampType::LogAppendTime { 0 } else { -1 };
        Records { block, position: 0, index: 0, start_offset: i64::MIN, delta_mask, frame, legacy: None }
    }

    pub(super) fn legacy(block: Bytes, frame: Frame, cursor: LegacyCursor) -> Records {
        Records { legacy: Some(cursor), ..Records::v2(block, frame) }
    }

    /// No records.
    pub fn empty() -> Records {
        let frame = Frame {
            base_offset: 0,
            next_offset: 0,
            last_offset_delta: 0,
            base_timestamp: -1,
            timestamp_type: TimestampType::None,
            count: 0,
        };
        Records::v2(Bytes::new(), frame)
    }

    /// The bytes that the spans of the records point into: a part of the fetched region, or the decompressed batch.
    #[inline]
    pub fn block(&self) -> &Bytes {
        &self.block
    }

    pub fn timestamp_type(&self) -> TimestampType {
        self.frame.timestamp_type
    }

    /// Skips records with a lower offset than this: a fetch answers with whole batches, and the batch may begin
    /// before the position that was asked for.
    pub fn start_at(mut self, offset: i64) -> Records {
        self.start_offset = offset;
        self
    }

    #[inline(always)]
    fn word(&self, at: usize) -> Option<u64> {
        Some(u64::from_le_bytes(*self.block.get(at..)?.first_chunk::<8>()?))
    }

    /// The common case: a sound v2 record without headers, whose numbers have few bytes and which is not the
    /// last few bytes of the block. Numbers are taken out of machine words of eight bytes. Nothing for any
    /// other case; then nothing has changed.
    #[inline(always)]
    fn next_small(&mut self) -> Option<Record> {
        if self.index >= self.frame.count {
            return None;
        }
        let front = self.word(self.position)?;
        let (length, length_bytes) = word_decode(front)?;
        if length & 1 != 0 || length_bytes > 3 {
            return None;
        }
        // Behind the length: one byte of attributes, which have no meaning yet, and the timestamp delta.
        let (timestamp, timestamp_bytes) =
            word_decode(front >> (length_bytes.wrapping_mul(8).wrapping_add(8) & 63))?;
        let begin = self.position.wrapping_add(length_bytes as usize);
        let end = begin.wrapping_add((length >> 1) as usize);
        let mut at = begin.wrapping_add(1).wrapping_add(timestamp_bytes as usize);
        let middle = self.word(at)?;
        let (offset, offset_bytes) = word_decode(middle)?;
        let offset_delta = offset >> 1;
        if offset & 1 != 0 || offset_delta > self.frame.last_offset_delta {
            return None;
        }
        let middle = middle >> (offset_bytes.wrapping_mul(8) & 63);
        at = at.wrapping_add(offset_bytes as usize);
        let (key, value_word);
        if middle & 0xff == 1 {
            key = Span::NULL;
            at = at.wrapping_add(1);
            value_word = middle >> 8;
        } else {
            let (key_len, key_bytes) = word_decode(middle)?;
            if key_len & 1 != 0 || offset_bytes.wrapping_add(key_bytes) > 8 {
                return None;
            }
            at = at.wrapping_add(key_bytes as usize);
            key = Span { start: at as u32, len: (key_len >> 1) as i32 };
            at = at.wrapping_add((key_len >> 1) as usize);
            value_word = self.word(at)?;
        }
        let (value_len, value_bytes) = word_decode(value_word)?;
        if value_len & 1 != 0 || value_bytes > 3 {
            return None;
        }
        at = at.wrapping_add(value_bytes as usize);
        let value = Span { start: at as u32, len: (value_len >> 1) as i32 };
        at = at.wrapping_add((value_len >> 1) as usize);
        // Zero headers, and the record ends here: so its length was right, and inside the block.
        if *self.block.get(at)? != 0 || at.wrapping_add(1) != end {
            return None;
        }
        self.position = end;
        self.index = self.index.wrapping_add(1);
        Some(Record {
            offset: self.frame.base_offset.wrapping_add(i64::from(offset_delta)),
            timestamp_ms: self.timestamp(i64::from(unzigzag32(timestamp))),
            key,
            value,
            header_count: 0,
            headers: Span::NULL,
        })
    }

    #[inline(always)]
    fn timestamp(&self, delta: i64) -> i64 {
        self.frame.base_timestamp.wrapping_add(delta & self.delta_mask)
    }

    /// Every case: the end, errors, headers, large numbers, older formats.
    #[cold]
    #[inline(never)]
    fn next_any(&mut self) -> Option<Result<Record, RecordError>> {
        let result = match &mut self.legacy {
            Some(cursor) => cursor.next(&self.block, &self.frame),
            None => self.next_v2(),
        };
        if let Some(Err(_)) = result {
            self.finish();
        }
        result
    }

    fn next_v2(&mut self) -> Option<Result<Record, RecordError>> {
        let rest = self.block.get(self.position..).unwrap_or(&[]);
        if self.index >= self.frame.count {
            return match rest.len() {
                0 => None,
                n => Some(Err(self.error(Problem::Trailing(n)))),
            };
        }
        let raw = match parse_record(rest, self.position, self.frame.last_offset_delta) {
            Ok(raw) => raw,
            Err(why) => {
                return Some(Err(self.error(Problem::Record {
                    index: self.index,
                    position: self.position as u32,
                    why,
                })))
            }
        };
        let RawRecord { size, timestamp_delta, offset_delta, key, value, header_count, headers } = raw;
        self.position = self.position.wrapping_add(size);
        self.index = self.index.wrapping_add(1);
        Some(Ok(Record {
            offset: self.frame.base_offset.wrapping_add(i64::from(offset_delta)),
            timestamp_ms: self.timestamp(timestamp_delta),
            key,
            value,
            header_count,
            headers,
        }))
    }

    fn error(&self, problem: Problem) -> RecordError {
        RecordError { base_offset: self.frame.base_offset, next_offset: self.frame.next_offset, problem }
    }

    fn finish(&mut self) {
        self.legacy = None;
        self.position = self.block.len();
        self.index = self.frame.count;
    }
}

impl Iterator for Records {
    type Item = Result<Record, RecordError>;

    #[inline]
    fn next(&mut self) -> Option<Result<Record, RecordError>> {
        loop {
            let record = match self.next_small() {
                Some(record) => record,
                None => match self.next_any()? {
                    Ok(record) => record,
                    Err(error) => return Some(Err(error)),
                },
            };
            if record.offset >= self.start_offset {
                return Some(Ok(record));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Compressor, Header, Headers, MemoryRecordsBuilder, RecordRef};
    use proptest::prelude::*;

    fn frame(count: u32, last_offset_delta: u32) -> Frame {
        Frame {
            base_offset: 100,
            next_offset: 200,
            last_offset_delta,
            base_timestamp: 1_000_000,
            timestamp_type: TimestampType::CreateTime,
            count,
        }
    }

    /// Both paths over the same bytes: they must agree on every record, every error and the end.
    fn both_paths(block: &[u8], frame: Frame) -> Vec<Result<Record, RecordError>> {
        let records = Records::v2(Bytes::copy_from_slice(block), frame);
        let mut slow = records.clone();
        let expected: Vec<_> = std::iter::from_fn(|| slow.next_any()).collect();
        let got: Vec<_> = records.collect();
        assert_eq!(got, expected);
        got
    }

    fn payload(count: usize, key: Option<&[u8]>, value: &[u8], step: i64) -> Vec<u8> {
        let headers = [Header { name: b"n", value: None }];
        let mut builder = MemoryRecordsBuilder::new(Vec::new());
        for i in 0..count {
            let record = RecordRef {
                timestamp_ms: 1_000_000 + i as i64 * step,
                key,
                value: Some(value),
                headers: if i % 7 == 6 { Headers::Slice(&headers) } else { Headers::NONE },
            };
            builder.append_with_offset(&record, usize::MAX).unwrap();
        }
        builder.close(crate::record::Compression::None, 0, &mut Compressor::new()).payload.as_ref().to_vec()
    }

    #[test]
    fn each_byte_with_each_value() {
        for key in [None, Some(&b"a key"[..])] {
            let good = payload(3, key, b"a value", 300);
            assert_eq!(both_paths(&good, frame(3, 2)).len(), 3);
            for at in 0..good.len() {
                for value in 0..=255 {
                    let mut bad = good.clone();
                    bad[at] = value;
                    both_paths(&bad, frame(3, 2));
                }
            }
        }
    }

    #[test]
    fn the_common_case_takes_the_fast_path() {
        for (key, value, step) in
            [(None, 100, 0), (None, 1000, 5), (Some(&[1; 20][..]), 100, 700), (None, 20_000, 1)]
        {
            let block = payload(6, key, &vec![7; value], step);
            let mut records = Records::v2(Bytes::from(block), frame(6, 5));
            for i in 0..5 {
                assert!(records.next_small().is_some(), "{i} of key {key:?}, value {value}, step {step}");
            }
        }
    }

    proptest! {
        #[test]
        fn paths_agree(
            key in prop::option::of(prop::collection::vec(any::<u8>(), 0..200)),
            value in prop::collection::vec(any::<u8>(), 0..200),
            step in -1000i64..1000, count in 1usize..20, last in 0u32..20,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let mut block = payload(count, key.as_deref(), &value, step);
            for (at, byte) in changes {
                let at = at.index(block.len());
                block[at] = byte;
            }
            both_paths(&block, frame(count as u32, last));
        }
    }
}
