//! The hot path of writing: records as most are, one behind the other into an open batch.
//!
//! The batch's counters are copied out and back, so that in between they stay in registers. The numbers of a record
//! are put together in two machine words, and stored eight bytes at a time; what a store writes too much, the next
//! one overwrites.

use super::builder::RecordRef;
use super::header::BATCH_OVERHEAD;
use super::varint::{word_encode, word_encode_short, zigzag64};

/// The numbers in front of a value without a key take at most 15 bytes, the last of them stored as part of a word.
/// This much room is asked for behind a record too, because stores of words touch more than they mean.
const WINDOW: usize = 24;
/// Lengths and deltas are below this: three bytes as a zigzag varint, and the record's length four.
const SMALL: usize = 1 << 20;

/// A record as most are: with a value and without headers, key and value shorter than 1 MiB.
#[derive(Clone, Copy, Debug)]
pub struct PlainRecord<'a> {
    timestamp_ms: i64,
    key: Option<&'a [u8]>,
    value: &'a [u8],
}

impl<'a> PlainRecord<'a> {
    /// Whether parts of these lengths make a plain record.
    #[inline(always)]
    pub const fn holds(key_len: usize, value_len: usize) -> bool {
        key_len | value_len < SMALL
    }

    /// `None`: a part is too long.
    #[inline(always)]
    pub fn new(timestamp_ms: i64, key: Option<&'a [u8]>, value: &'a [u8]) -> Option<PlainRecord<'a>> {
        let key_len = match key {
            None => 0,
            Some(key) => key.len(),
        };
        PlainRecord::holds(key_len, value.len()).then_some(PlainRecord { timestamp_ms, key, value })
    }

    pub fn of(record: &RecordRef<'a>) -> Option<PlainRecord<'a>> {
        match record.headers.count() {
            0 => PlainRecord::new(record.timestamp_ms, record.key, record.value?),
            _ => None,
        }
    }

    #[inline(always)]
    pub fn key(&self) -> Option<&'a [u8]> {
        self.key
    }

    /// With the moment of the call as its timestamp, if it has none (-1).
    #[inline(always)]
    pub fn stamped(self, wall_ms: impl FnOnce() -> i64) -> PlainRecord<'a> {
        let timestamp_ms = if self.timestamp_ms < 0 { wall_ms() } else { self.timestamp_ms };
        PlainRecord { timestamp_ms, ..self }
    }
}

/// What an [`Appender`] brings up to date when it goes.
pub(super) struct Counters<'a> {
    pub written: &'a mut usize,
    pub records: &'a mut u32,
    pub base_timestamp: i64,
    pub max_timestamp: &'a mut i64,
}

/// How far this path fills `memory` for a batch of `limit` bytes, its header included: to the limit, and to the end
/// of the memory but for a window.
#[inline]
pub(super) fn reach(memory: usize, limit: usize) -> usize {
    limit.saturating_sub(BATCH_OVERHEAD).min(memory.saturating_sub(WINDOW))
}

/// Appends plain records to a batch that has a record already.
pub struct Appender<'a> {
    memory: &'a mut [u8],
    counters: Counters<'a>,
    at: usize,
    /// What the records may reach; see [`reach`].
    end: usize,
    records: u32,
    max_timestamp: i64,
}

impl<'a> Appender<'a> {
    #[inline(always)]
    pub(super) fn new(memory: &'a mut [u8], counters: Counters<'a>, end: usize) -> Appender<'a> {
        let (at, records, max_timestamp) = (*counters.written, *counters.records, *counters.max_timestamp);
        Appender { memory, counters, at, end, records, max_timestamp }
    }

    /// Records in the batch.
    #[inline(always)]
    pub fn records(&self) -> u32 {
        self.records
    }

    /// Bytes of records in the batch.
    #[inline(always)]
    pub fn written(&self) -> usize {
        self.at
    }

    /// Appends a record; false, and the batch is as before, when it does not fit or its numbers need more bytes than
    /// this path has for them. (What it wrote behind the batch's end until it knew does not matter.)
    #[inline(always)]
    pub fn append(&mut self, record: &PlainRecord<'_>) -> bool {
        let delta = zigzag64(record.timestamp_ms.wrapping_sub(self.counters.base_timestamp));
        let offset = u64::from(self.records) << 1;
        if (delta | offset) >= (SMALL as u64) << 1 {
            return false;
        }
        let put = match record.key {
            None => self.put_keyless(delta as u32, offset as u32, record.value),
            Some(key) => self.put_keyed(delta as u32, offset as u32, key, record.value),
        };
        let Some(end) = put else { return false };
        self.at = end;
        self.records = self.records.wrapping_add(1);
        self.max_timestamp = self.max_timestamp.max(record.timestamp_ms);
        true
    }

    /// Puts a record whose key is null; gives where it ends.
    #[inline(always)]
    fn put_keyless(&mut self, delta: u32, offset: u32, value: &[u8]) -> Option<usize> {
        let to = self.memory.get_mut(self.at..)?;
        let (at, total) = put_numbers(to.first_chunk_mut()?, delta, offset, value.len() as u32);
        let end = self.at.wrapping_add(total);
        if end > self.end {
            return None;
        }
        put_value(to, at, value)?;
        Some(end)
    }

    #[inline(always)]
    fn put_keyed(&mut self, delta: u32, offset: u32, key: &[u8], value: &[u8]) -> Option<usize> {
        let to = self.memory.get_mut(self.at..)?;
        let lengths = (key.len() as u32, value.len() as u32);
        let (at, total) = put_numbers_and_key_len(to.first_chunk_mut()?, delta, offset, lengths);
        let end = self.at.wrapping_add(total);
        if end > self.end {
            return None;
        }
        let behind = at.wrapping_add(key.len());
        to.get_mut(at..behind)?.copy_from_slice(key);
        let (value_len, bits) = word_encode(lengths.1 << 1);
        put_word(to.get_mut(behind..)?.first_chunk_mut()?, 0, value_len);
        put_value(to, behind.wrapping_add(bytes(bits)), value)?;
        Some(end)
    }
}

/// Puts what is in front of a value without a key: two words. Gives where the value begins, and the length of the
/// whole record. A function of its own that calls no other, so that its few numbers are all in registers.
#[inline(never)]
fn put_numbers(window: &mut [u8; WINDOW], delta: u32, offset: u32, value_len: u32) -> (usize, usize) {
    /// Numbers of two bytes are below this, and the record's length too when the value's is so much less.
    const SHORT: u32 = 1 << 14;
    if (delta | offset | value_len.wrapping_add(32) << 1) < SHORT {
        put_numbers_with(word_encode_short, window, (delta, offset, value_len))
    } else {
        put_long_numbers(window, (delta, offset, value_len))
    }
}

#[cold]
#[inline(never)]
fn put_long_numbers(window: &mut [u8; WINDOW], numbers: (u32, u32, u32)) -> (usize, usize) {
    put_numbers_with(word_encode, window, numbers)
}

#[inline(always)]
fn put_numbers_with(
    encode: impl Fn(u32) -> (u64, u32),
    window: &mut [u8; WINDOW],
    (delta, offset, value_len): (u32, u32, u32),
) -> (usize, usize) {
    const NULL: u64 = 1;
    let (delta, delta_bits) = encode(delta);
    let (offset, offset_bits) = encode(offset);
    let (value_word, value_bits) = encode(value_len << 1);
    let first_bits = delta_bits.wrapping_add(8);
    let second_bits = offset_bits.wrapping_add(8).wrapping_add(value_bits);
    // And the number of headers, which is one byte and zero.
    let body = (first_bits.wrapping_add(second_bits) >> 3).wrapping_add(value_len).wrapping_add(1);
    let (length, length_bits) = encode(body << 1);
    put_word(window, 0, length | delta << (length_bits.wrapping_add(8) & 63));
    let at = bytes(length_bits.wrapping_add(first_bits));
    put_word(window, at, offset | (NULL | value_word << 8) << (offset_bits & 63));
    (at.wrapping_add(bytes(second_bits)), bytes(length_bits).wrapping_add(body as usize))
}

/// Puts what is in front of a key. Gives where the key begins, and the length of the whole record.
#[inline(never)]
fn put_numbers_and_key_len(
    window: &mut [u8; WINDOW],
    delta: u32,
    offset: u32,
    (key_len, value_len): (u32, u32),
) -> (usize, usize) {
    let (delta, delta_bits) = word_encode(delta);
    let (offset, offset_bits) = word_encode(offset);
    let (key_word, key_bits) = word_encode(key_len << 1);
    let (_, value_bits) = word_encode(value_len << 1);
    let first_bits = delta_bits.wrapping_add(8);
    let second_bits = offset_bits.wrapping_add(key_bits);
    let numbers = first_bits.wrapping_add(second_bits).wrapping_add(value_bits) >> 3;
    let body = numbers.wrapping_add(1).wrapping_add(key_len).wrapping_add(value_len);
    let (length, length_bits) = word_encode(body << 1);
    put_word(window, 0, length | delta << (length_bits.wrapping_add(8) & 63));
    let at = bytes(length_bits.wrapping_add(first_bits));
    put_word(window, at, offset | key_word << (offset_bits & 63));
    (at.wrapping_add(bytes(second_bits)), bytes(length_bits).wrapping_add(body as usize))
}

impl Drop for Appender<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        *self.counters.written = self.at;
        *self.counters.records = self.records;
        *self.counters.max_timestamp = self.max_timestamp;
    }
}

#[inline(always)]
fn bytes(bits: u32) -> usize {
    (bits >> 3) as usize
}

/// Stores a word at `at` of the window, which is below 16 here.
#[inline(always)]
fn put_word(window: &mut [u8; WINDOW], at: usize, word: u64) {
    if let Some(to) = window.get_mut(at & 15..).and_then(|w| w.first_chunk_mut::<8>()) {
        *to = word.to_le_bytes();
    }
}

/// The value, and behind it that there are no headers.
#[inline(always)]
fn put_value(to: &mut [u8], at: usize, value: &[u8]) -> Option<()> {
    let rest = to.get_mut(at..at.wrapping_add(value.len()).wrapping_add(1))?;
    let (header_count, to) = rest.split_last_mut()?;
    *header_count = 0;
    to.copy_from_slice(value);
    Some(())
}
