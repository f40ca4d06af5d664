//! Reading records: positions in one shared block, found in one pass over the record's varints.

use super::error::{Problem, RecordError};
use super::headers::HeaderIter;
use super::legacy::LegacyCursor;
use super::slow::{parse_record, RawRecord};
use super::varint::{unzigzag64, word_decode};
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
    /// The record as slices of the block that it came from.
    pub fn view<'a>(&self, block: &'a [u8]) -> RecordView<'a> {
        RecordView {
            offset: self.offset,
            timestamp_ms: self.timestamp_ms,
            key: self.key.get(block),
            value: self.value.get(block),
            header_count: self.header_count,
            headers: self.headers.get(block).unwrap_or(&[]),
        }
    }

    /// The headers, parsed as the iterator goes; the same block as for [`Span::get`].
    pub fn headers<'a>(&self, block: &'a [u8]) -> HeaderIter<'a> {
        HeaderIter::new(self.header_count, self.headers.get(block).unwrap_or(&[]))
    }
}

/// One record, as slices of its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordView<'a> {
    pub offset: i64,
    /// Milliseconds since the Unix epoch; -1 when the format has none.
    pub timestamp_ms: i64,
    /// `None` is null, which is not the same as empty.
    pub key: Option<&'a [u8]>,
    /// `None` is null: a tombstone.
    pub value: Option<&'a [u8]>,
    /// Number of headers.
    pub header_count: u32,
    /// The encoded headers, without the count.
    pub headers: &'a [u8],
}

impl<'a> RecordView<'a> {
    /// The headers, parsed as the iterator goes.
    pub fn headers(&self) -> HeaderIter<'a> {
        HeaderIter::new(self.header_count, self.headers)
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

    /// The range of offset deltas that are handed out, as (first, number behind it): from where reading starts to
    /// the batch's end. Deltas of the common case are far below the one that stands for none.
    #[inline]
    fn deltas(&self) -> (u32, u32) {
        let last = self.frame.last_offset_delta;
        let first = self.start_offset.saturating_sub(self.frame.base_offset).max(0);
        match u32::try_from(first) {
            Ok(first) if first <= last => (first, last.wrapping_sub(first)),
            _ => (u32::MAX, 0),
        }
    }

    /// The next record, if it is of the common case and records are left; otherwise nothing has changed.
    #[inline(always)]
    fn next_small(&mut self) -> Option<Record> {
        if self.index >= self.frame.count {
            return None;
        }
        let small = parse_small(&self.block, self.position, self.deltas())?;
        let base = self.block.as_ptr() as usize;
        let span = |bytes: &[u8]| Span {
            start: (bytes.as_ptr() as usize).wrapping_sub(base) as u32,
            len: bytes.len() as i32,
        };
        let (key, value, end) = (small.key.map_or(Span::NULL, span), span(small.value), small.end);
        let record = Record {
            offset: self.frame.base_offset.wrapping_add(i64::from(small.offset_delta)),
            timestamp_ms: self.timestamp(unzigzag64(u64::from(small.timestamp))),
            key,
            value,
            header_count: 0,
            headers: Span::NULL,
        };
        self.position = end;
        self.index = self.index.wrapping_add(1);
        Some(record)
    }

    /// The next record in every case: the end, errors, headers, large numbers, older formats.
    #[cold]
    #[inline(never)]
    fn next_any(&mut self) -> Option<Result<Record, RecordError>> {
        loop {
            let result = match &mut self.legacy {
                Some(cursor) => cursor.next(&self.block, &self.frame),
                None => self.next_v2(),
            };
            match &result {
                Some(Ok(record)) if record.offset < self.start_offset => continue,
                Some(Err(_)) => self.finish(),
                _ => {}
            }
            return result;
        }
    }

    /// Hands out up to `max` records, in order, and says how many there were: fewer than `max` at the end. The same
    /// records come from [`next`](Iterator::next), but this costs less, so it is what the consumer uses. After an
    /// error, what `sink` was given stands.
    #[inline]
    pub fn read(&mut self, max: usize, mut sink: impl FnMut(RecordView<'_>)) -> Result<usize, RecordError> {
        let block = self.block.clone();
        let mut given = 0usize;
        while given < max {
            // The state is in locals as long as records are of the common case.
            let left = self.frame.count.saturating_sub(self.index);
            let most = max.wrapping_sub(given).min(left as usize);
            let deltas = self.deltas();
            let mut position = self.position;
            let mut read = 0usize;
            while read < most {
                let Some(small) = parse_small(&block, position, deltas) else { break };
                position = small.end;
                read = read.wrapping_add(1);
                sink(RecordView {
                    offset: self.frame.base_offset.wrapping_add(i64::from(small.offset_delta)),
                    timestamp_ms: self.timestamp(unzigzag64(u64::from(small.timestamp))),
                    key: small.key,
                    value: Some(small.value),
                    header_count: 0,
                    headers: &[],
                });
            }
            self.position = position;
            self.index = self.index.wrapping_add(read as u32);
            given = given.wrapping_add(read);
            if given < max {
                let Some(record) = self.next_any() else { break };
                sink(record?.view(&block));
                given = given.wrapping_add(1);
            }
        }
        Ok(given)
    }

    #[inline(always)]
    fn timestamp(&self, delta: i64) -> i64 {
        self.frame.base_timestamp.wrapping_add(delta & self.delta_mask)
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
        match self.next_small() {
            Some(record) => Some(Ok(record)),
            None => self.next_any(),
        }
    }
}

/// A record of the common case, as it stands in its block.
struct Small<'a> {
    timestamp: u32,
    offset_delta: u32,
    key: Option<&'a [u8]>,
    value: &'a [u8],
    end: usize,
}

/// Bytes that the common case looks at, at once: two words, of which the second begins at most eight bytes on
/// (length three at most, attributes one, timestamp delta four at most).
const WINDOW: usize = 24;

/// Parses the common case: a sound v2 record without headers, whose numbers have few bytes, and which is not the
/// last few bytes of the block. Numbers are taken out of machine words of eight bytes, so that they cost no bounds
/// check each. Nothing for any other case.
#[inline(always)]
fn parse_small(block: &[u8], position: usize, deltas: (u32, u32)) -> Option<Small<'_>> {
    let window = block.get(position..)?.first_chunk::<WINDOW>()?;
    // The length of the value mostly has as many bytes as the length of the record; so the code is made once
    // for each, with constants.
    let front = word_in(window, 0);
    if is_of_bytes::<2>(front) {
        parse_sized::<2>(block, position, window, deltas)
    } else if is_of_bytes::<1>(front) {
        parse_sized::<1>(block, position, window, deltas)
    } else if is_of_bytes::<3>(front) {
        parse_sized::<3>(block, position, window, deltas)
    } else {
        None
    }
}

/// [`parse_small`] for a record whose length has `N` bytes, 1 to 3.
#[inline(always)]
fn parse_sized<'a, const N: usize>(
    block: &'a [u8],
    position: usize,
    window: &[u8; WINDOW],
    (first_delta, deltas): (u32, u32),
) -> Option<Small<'a>> {
    let front = word_in(window, 0);
    let length = value_of_bytes::<N>(front);
    // Behind the length: one byte of attributes, which have no meaning yet, and the timestamp delta.
    let (timestamp, _, timestamp_bytes) = word_decode(front >> (N.wrapping_mul(8).wrapping_add(8) & 63))?;
    let second = timestamp_bytes.wrapping_add(N).wrapping_add(1);
    let (offset, middle, offset_bytes) = word_decode(word_in(window, second))?;
    let offset_delta = offset >> 1;
    if (offset | length) & 1 != 0 || offset_delta.wrapping_sub(first_delta) > deltas {
        return None;
    }
    let end = position.wrapping_add(N).wrapping_add((length >> 1) as usize);
    let mut at = position.wrapping_add(second).wrapping_add(offset_bytes);
    let (key, value_word);
    if middle as u8 == 1 {
        key = None;
        at = at.wrapping_add(1);
        value_word = middle >> 8;
    } else {
        let (key_len, _, key_bytes) = word_decode(middle)?;
        if key_len & 1 != 0 {
            return None;
        }
        at = at.wrapping_add(key_bytes);
        let (bytes, after) = block.get(at..)?.split_at_checked((key_len >> 1) as usize)?;
        key = Some(bytes);
        at = at.wrapping_add(bytes.len());
        value_word = u64::from_le_bytes(*after.first_chunk::<8>()?);
    }
    let (value_len, value_bytes) = if is_of_bytes::<N>(value_word) {
        (value_of_bytes::<N>(value_word), N)
    } else {
        let (len, _, bytes) = word_decode(value_word)?;
        (len, bytes)
    };
    // Behind a null key there may be no more than three bytes in the word.
    if value_len & 1 != 0 || value_bytes > 3 {
        return None;
    }
    at = at.wrapping_add(value_bytes);
    // The value and no headers: so the record's length was right.
    let (header_count, value) = block.get(at..end)?.split_last()?;
    if *header_count != 0 || value.len() != (value_len >> 1) as usize {
        return None;
    }
    Some(Small { timestamp, offset_delta, key, value, end })
}

/// Whether the value in the low bytes of a word has `N` bytes, 1 to 3.
#[inline(always)]
fn is_of_bytes<const N: usize>(word: u64) -> bool {
    match N {
        1 => word & 0x80 == 0,
        2 => word & 0x8080 == 0x80,
        _ => word & 0x80_8080 == 0x8080,
    }
}

/// That value.
#[inline(always)]
fn value_of_bytes<const N: usize>(word: u64) -> u32 {
    let (b0, b1, b2) = (word as u8 as u32, (word >> 8) as u8 as u32, (word >> 16) as u8 as u32);
    match N {
        1 => b0,
        2 => (b1 << 7).wrapping_add(b0).wrapping_sub(1 << 7),
        _ => (b2 << 14).wrapping_add(b1 << 7).wrapping_add(b0).wrapping_sub((1 << 14) | (1 << 7)),
    }
}

/// The word at `at` of the window, which is below 16 here.
#[inline(always)]
fn word_in(window: &[u8; WINDOW], at: usize) -> u64 {
    let at = at & 15;
    window.get(at..).and_then(|w| w.first_chunk::<8>()).map_or(0, |w| u64::from_le_bytes(*w))
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
    fn both_paths(block: &[u8], frame: Frame) -> usize {
        let block = Bytes::copy_from_slice(block);
        let records = Records::v2(block.clone(), frame).start_at(frame.base_offset + 1);
        let mut expected = Vec::new();
        let mut expected_error = None;
        let mut slow = records.clone();
        let all: Vec<_> = std::iter::from_fn(|| slow.next_any()).collect();
        assert_eq!(records.clone().collect::<Vec<_>>(), all);
        for record in all {
            match record {
                Ok(record) => expected.push(record.view(&block)),
                Err(error) => expected_error = Some(error),
            }
        }
        for max in [1, 2, usize::MAX] {
            let (mut got, mut records) = (Vec::new(), records.clone());
            let error = loop {
                let before = got.len();
                let view = |v: RecordView<'_>| {
                    got.push((
                        v.offset,
                        v.timestamp_ms,
                        owned(v.key),
                        owned(v.value),
                        v.header_count,
                        v.headers.to_vec(),
                    ))
                };
                match records.read(max, view) {
                    Err(error) => break Some(error),
                    Ok(n) => {
                        assert_eq!(n, got.len() - before);
                        if n < max {
                            break None;
                        }
                    }
                }
            };
            let same = |v: &RecordView<'_>| {
                (v.offset, v.timestamp_ms, owned(v.key), owned(v.value), v.header_count, v.headers.to_vec())
            };
            assert_eq!(got, expected.iter().map(same).collect::<Vec<_>>());
            assert_eq!(error, expected_error);
            assert_eq!(records.read(max, |_| panic!("behind the end")), Ok(0));
        }
        expected.len()
    }

    fn owned(bytes: Option<&[u8]>) -> Option<Vec<u8>> {
        bytes.map(<[u8]>::to_vec)
    }

    fn payload(count: usize, key: Option<&[u8]>, value: &[u8], step: i64) -> Vec<u8> {
        let headers = [Header { name: b"n", value: None }];
        let mut builder = MemoryRecordsBuilder::new(bytes::BytesMut::new());
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
            assert_eq!(both_paths(&good, frame(3, 2)), 2);
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
        let cases =
            [(None, 100, 0), (None, 57, 2), (None, 10, 5), (Some(&[1; 20][..]), 100, 700), (None, 20_000, 1)];
        for (key, value, step) in cases {
            let block = payload(6, key, &vec![7; value], step);
            let mut position = 0;
            for i in 0..5 {
                let small = parse_small(&block, position, (0, 5));
                let small = small.unwrap_or_else(|| panic!("{i} of key {key:?}, value {value}, step {step}"));
                assert_eq!((small.offset_delta, small.key, small.value.len()), (i, key, value));
                position = small.end;
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
