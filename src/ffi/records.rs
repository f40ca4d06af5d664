//! Records from C as a source for `send`: an array of structs, or one packed block. Checked one by one, as the
//! producer takes them: the error names the number of the record.

use super::guard::{check_array, check_stride, invalid, nullable, strided};
use super::producer::milena_record;
use super::types::{milena_bytes, milena_header};
use crate::error::{Code, Error, Result};
use crate::producer::record::{PlainSend, ProducerRecord, RecordSource};
use crate::record::{Header, Headers, PlainRecord};
use std::marker::PhantomData;
use std::mem::size_of;

/// Records in an array of structs.
pub(super) struct ArraySource<'a> {
    first: *const milena_record,
    stride: usize,
    n: usize,
    at: usize,
    headers: HeaderScratch<'a>,
    lifetime: PhantomData<&'a milena_record>,
}

/// The headers of the record that was looked at last.
#[derive(Default)]
struct HeaderScratch<'a> {
    /// The number of the record, and one.
    of: usize,
    headers: Vec<Header<'a>>,
}

impl<'a> ArraySource<'a> {
    /// # Safety
    /// `n` records, `stride` bytes apart, and all they point to, are there and unchanged as long as `'a`.
    #[inline(always)]
    pub unsafe fn new(first: *const milena_record, stride: usize, n: usize) -> Result<ArraySource<'a>> {
        if n > 0 {
            check_stride::<milena_record>(stride, "records")?;
            check_array(first, n, stride, "records")?;
        }
        Ok(ArraySource { first, stride, n, at: 0, headers: HeaderScratch::default(), lifetime: PhantomData })
    }

    #[inline(always)]
    fn read(&mut self) -> Result<ProducerRecord<'_>> {
        // SAFETY: `at` is below `n`; `new` has checked start and stride, and was promised the rest.
        let record = unsafe { &*self.first.byte_add(self.at * self.stride) };
        if is_negative(record.partition, record.timestamp_ms) {
            return Err(negative(record));
        }
        // SAFETY: promised to `new`.
        let (key, value) =
            unsafe { (nullable(record.key, "its key")?, nullable(record.value, "its value")?) };
        let headers = if record.headers_len == 0 {
            Headers::NONE
        } else {
            if self.headers.of != self.at + 1 {
                // SAFETY: promised to `new`.
                unsafe { self.headers.read(record)? };
                self.headers.of = self.at + 1;
            }
            Headers::Slice(&self.headers.headers)
        };
        Ok(ProducerRecord {
            partition: record.partition,
            timestamp_ms: record.timestamp_ms,
            key,
            value,
            headers,
            token: record.token,
        })
    }
}

/// Whether one of them is negative without being -1, which stands for none.
#[inline(always)]
fn is_negative(partition: i32, timestamp_ms: i64) -> bool {
    partition < -1 || timestamp_ms < -1
}

#[cold]
#[inline(never)]
fn negative(record: &milena_record) -> Error {
    match record.partition {
        partition if partition < -1 => invalid(format!("its partition is {partition}")),
        _ => invalid(format!(
            "its timestamp is {}: it counts milliseconds since 1970, and -1 is now",
            record.timestamp_ms
        )),
    }
}

/// Whether a record can be at this place.
#[inline(always)]
pub(super) fn is_plain_place(record: *const milena_record, stride: usize) -> bool {
    record.is_aligned() && !record.is_null() && stride >= size_of::<milena_record>()
}

/// A record from C, if it is as most are; whatever is odd about one is for [`ArraySource::read`].
///
/// # Safety
/// What the record points to is there and unchanged as long as `'a`.
#[inline(always)]
pub(super) unsafe fn plain<'a>(record: &'a milena_record) -> Option<PlainSend<'a>> {
    let (key, value) = (record.key, record.value);
    if record.timestamp_ms < -1 {
        return None;
    }
    let odd = record.headers_len != 0 || record.partition < -1 || value.data.is_null();
    if odd || !PlainRecord::holds(key.len, value.len) {
        return None;
    }
    let key = if !key.data.is_null() {
        // SAFETY: not NULL, less than 1 MiB, and there by the caller's promise.
        Some(unsafe { std::slice::from_raw_parts(key.data, key.len) })
    } else if key.len == 0 {
        None
    } else {
        return None;
    };
    // SAFETY: not NULL, less than 1 MiB, and there by the caller's promise.
    let value = unsafe { std::slice::from_raw_parts(value.data, value.len) };
    let plain = PlainRecord::new(record.timestamp_ms, key, value)?;
    Some(PlainSend { partition: record.partition, token: record.token, record: plain })
}

impl HeaderScratch<'_> {
    /// # Safety
    /// The record's headers are there as long as the scratch.
    #[cold]
    #[inline(never)]
    unsafe fn read(&mut self, record: &milena_record) -> Result<()> {
        self.headers.clear();
        let len = record.headers_len as usize;
        // SAFETY: as the caller promises.
        for header in unsafe { strided(record.headers, size_of::<milena_header>(), len, "its headers")? } {
            // SAFETY: as the caller promises.
            let (name, value) = unsafe {
                (nullable(header.name, "a header's name")?, nullable(header.value, "a header's value")?)
            };
            let name = name.ok_or_else(|| invalid("a header's name is null".to_owned()))?;
            self.headers.push(Header { name, value });
        }
        Ok(())
    }
}

impl RecordSource for ArraySource<'_> {
    #[inline(always)]
    fn peek(&mut self) -> Option<Result<ProducerRecord<'_>>> {
        if self.at >= self.n {
            return None;
        }
        let at = self.at;
        Some(self.read().map_err(|e| numbered(at, &e)))
    }

    #[inline(always)]
    fn plain(&mut self) -> Option<PlainSend<'_>> {
        if self.at >= self.n {
            return None;
        }
        // SAFETY: `at` is below `n`; `new` has checked start and stride, and was promised the rest.
        unsafe { plain(&*self.first.byte_add(self.at * self.stride)) }
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.at += 1;
    }
}

#[cold]
#[inline(never)]
fn numbered(at: usize, error: &Error) -> Error {
    Error::new(error.code(), format!("record {at}: {}", error.message()))
}

/// Records in one block; see `milena_producer_send_packed`.
pub(super) struct PackedSource<'a> {
    rest: &'a [u8],
    /// What is left behind the record that was looked at last.
    behind: &'a [u8],
    n: usize,
    at: usize,
    headers: HeaderScratch<'a>,
}

const FIXED: usize = 32;

impl<'a> PackedSource<'a> {
    /// # Safety
    /// The bytes are there and unchanged as long as `'a`.
    pub unsafe fn from_c(packed: milena_bytes, n: usize) -> Result<PackedSource<'a>> {
        check_array(packed.data, packed.len, 1, "packed")?;
        // SAFETY: not NULL, not larger than memory, and by the caller's promise there.
        Ok(PackedSource::new(unsafe { std::slice::from_raw_parts(packed.data, packed.len) }, n))
    }

    pub fn new(packed: &'a [u8], n: usize) -> PackedSource<'a> {
        PackedSource { rest: packed, behind: packed, n, at: 0, headers: HeaderScratch::default() }
    }

    #[inline]
    fn read(&mut self) -> Option<ProducerRecord<'_>> {
        let (fixed, mut rest) = self.rest.split_first_chunk::<FIXED>()?;
        let i32_at = |at: usize| fixed.get(at..)?.first_chunk().copied().map(i32::from_le_bytes);
        let i64_at = |at: usize| fixed.get(at..)?.first_chunk().copied().map(i64::from_le_bytes);
        let key = take_nullable(&mut rest, i32_at(20)?)?;
        let value = take_nullable(&mut rest, i32_at(24)?)?;
        let count = i32_at(28)? as u32;
        let (partition, timestamp_ms) = (i32_at(16)?, i64_at(8)?);
        if is_negative(partition, timestamp_ms) {
            return None;
        }
        let headers = match count {
            0 => Headers::NONE,
            _ => {
                self.headers.unpack(count, &mut rest)?;
                Headers::Slice(&self.headers.headers)
            }
        };
        self.behind = rest;
        Some(ProducerRecord { partition, timestamp_ms, key, value, headers, token: i64_at(0)? as u64 })
    }
}

impl<'a> HeaderScratch<'a> {
    #[cold]
    #[inline(never)]
    fn unpack(&mut self, count: u32, rest: &mut &'a [u8]) -> Option<()> {
        self.headers.clear();
        for _ in 0..count {
            let (lengths, behind) = rest.split_first_chunk::<8>()?;
            let [a, b, c, d, e, f, g, h] = *lengths;
            *rest = behind;
            let name = take_nullable(rest, i32::from_le_bytes([a, b, c, d]))??;
            let value = take_nullable(rest, i32::from_le_bytes([e, f, g, h]))?;
            self.headers.push(Header { name, value });
        }
        Some(())
    }
}

/// Takes `len` bytes; -1 is null. The outer `None` is an error.
#[inline(always)]
fn take_nullable<'a>(rest: &mut &'a [u8], len: i32) -> Option<Option<&'a [u8]>> {
    if len == -1 {
        return Some(None);
    }
    let (bytes, behind) = rest.split_at_checked(usize::try_from(len).ok()?)?;
    *rest = behind;
    Some(Some(bytes))
}

impl RecordSource for PackedSource<'_> {
    #[inline]
    fn peek(&mut self) -> Option<Result<ProducerRecord<'_>>> {
        if self.at >= self.n {
            return None;
        }
        let (at, left) = (self.at, self.rest.len());
        Some(self.read().ok_or_else(|| malformed(at, left)))
    }

    #[inline]
    fn advance(&mut self) {
        self.rest = self.behind;
        self.at += 1;
    }
}

#[cold]
#[inline(never)]
fn malformed(at: usize, left: usize) -> Error {
    let text = format!("packed record {at}, with {left} bytes left: a length is negative or longer than the block, or the partition or the timestamp is less than -1");
    Error::new(Code::INVALID_ARGUMENT, text)
}

#[cfg(test)]
mod tests;
