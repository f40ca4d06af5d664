//! A batch of records as one block of memory; the layout is told at `milena_batch_pack`.
//!
//! The bytes that the records of a chunk point to are one piece of memory, so they are copied as one.

use super::batch::{milena_chunk, milena_record_view, ChunkRows};
use super::guard::invalid;
use super::types::{milena_bytes, milena_header};
use crate::error::Result;
use smallvec::SmallVec;
use std::ops::Range;

const HEAD: usize = 32;
const CHUNK_ROW: usize = 40;
pub(super) const RECORD_ROW: usize = 48;
const HEADER_ROW: usize = 16;

/// How a batch is to be laid out.
pub(super) struct Packing<'a> {
    chunks: ChunkRows<'a>,
    /// The memory that the records of each chunk point into.
    ranges: SmallVec<[Range<usize>; 1]>,
    records: usize,
    headers: usize,
    size: usize,
}

impl<'a> Packing<'a> {
    /// # Errors
    /// INVALID_ARGUMENT when the block would have 4 GiB or more.
    pub fn of(chunks: ChunkRows<'a>) -> Result<Packing<'a>> {
        let mut packing = Packing { chunks, ranges: SmallVec::new(), records: 0, headers: 0, size: 0 };
        let mut data = 0usize;
        for chunk in chunks.iter() {
            let mut range = Extent::default();
            for record in records(chunk) {
                range.add(record.key);
                range.add(record.value);
                for header in headers(record) {
                    range.add(header.name);
                    range.add(header.value);
                }
                packing.headers = packing.headers.saturating_add(record.headers_len as usize);
            }
            packing.records = packing.records.saturating_add(chunk.records_len);
            let range = range.range();
            data = data.saturating_add(range.len()).saturating_add(chunk.topic.len);
            packing.ranges.push(range);
        }
        packing.size = [
            chunks.len().saturating_mul(CHUNK_ROW),
            packing.records.saturating_mul(RECORD_ROW),
            packing.headers.saturating_mul(HEADER_ROW),
            data,
        ]
        .iter()
        .fold(HEAD, |sum, part| sum.saturating_add(*part));
        match u32::try_from(packing.size) {
            Ok(_) => Ok(packing),
            Err(_) => Err(invalid(format!("the batch would be a block of {} bytes", packing.size))
                .hint("poll fewer records at a time")),
        }
    }

    pub fn size(&self) -> usize {
        self.size
    }

    /// # Safety
    /// `capacity` bytes at `block` may be written.
    pub unsafe fn write(&self, block: *mut u8, capacity: usize) -> Result<()> {
        if capacity < self.size {
            return Err(invalid(format!("the block has {capacity} bytes, the batch needs {}", self.size)));
        }
        let chunks_at = HEAD;
        let records_at = chunks_at + self.chunks.len() * CHUNK_ROW;
        let headers_at = records_at + self.records * RECORD_ROW;
        let data_at = headers_at + self.headers * HEADER_ROW;
        // SAFETY: the four parts lie in order inside the `size` bytes that may be written.
        let mut to = unsafe {
            Writer {
                block,
                chunk: Cursor(block.add(chunks_at)),
                record: Cursor(block.add(records_at)),
                header: Cursor(block.add(headers_at)),
                data: block.add(data_at),
                next_record: 0,
                next_header: 0,
            }
        };
        let places =
            [1, self.chunks.len(), self.records, self.headers, chunks_at, records_at, headers_at, data_at];
        let mut head = Cursor(block);
        for place in places {
            // SAFETY: the head has room for eight numbers.
            unsafe { head.u32(place) };
        }
        for (number, (chunk, range)) in self.chunks.iter().zip(&self.ranges).enumerate() {
            // SAFETY: `of` has counted what this chunk writes.
            unsafe { to.chunk(number, chunk, range) };
        }
        Ok(())
    }
}

/// The least range of memory that has all that was added.
#[derive(Default)]
struct Extent(Option<(usize, usize)>);

impl Extent {
    #[inline]
    fn add(&mut self, bytes: milena_bytes) {
        if bytes.len > 0 {
            let (start, end) = (bytes.data as usize, bytes.data as usize + bytes.len);
            let (first, last) = self.0.unwrap_or((start, end));
            self.0 = Some((first.min(start), last.max(end)));
        }
    }

    fn range(&self) -> Range<usize> {
        self.0.map_or(0..0, |(start, end)| start..end)
    }
}

fn records(chunk: &milena_chunk) -> &[milena_record_view] {
    if chunk.records_len == 0 {
        return &[];
    }
    // SAFETY: chunks are made by this library, from vectors of views.
    unsafe { std::slice::from_raw_parts(chunk.records, chunk.records_len) }
}

fn headers(record: &milena_record_view) -> &[milena_header] {
    if record.headers_len == 0 {
        return &[];
    }
    // SAFETY: views are made by this library, from vectors of headers.
    unsafe { std::slice::from_raw_parts(record.headers, record.headers_len as usize) }
}

/// Where the next number goes.
struct Cursor(*mut u8);

impl Cursor {
    /// # Safety
    /// There is room for it.
    #[inline(always)]
    unsafe fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        // SAFETY: as the caller promises.
        unsafe {
            self.0.cast::<[u8; N]>().write(bytes);
            self.0 = self.0.add(N);
        }
    }

    /// A count or a place: `Packing::of` has checked that all of them fit.
    ///
    /// # Safety
    /// There is room for it.
    #[inline(always)]
    unsafe fn u32(&mut self, value: usize) {
        // SAFETY: as the caller promises.
        unsafe { self.put((value as u32).to_le_bytes()) }
    }

    /// # Safety
    /// There is room for it.
    #[inline(always)]
    unsafe fn i64(&mut self, value: i64) {
        // SAFETY: as the caller promises.
        unsafe { self.put(value.to_le_bytes()) }
    }
}

struct Writer {
    block: *mut u8,
    chunk: Cursor,
    record: Cursor,
    header: Cursor,
    data: *mut u8,
    next_record: usize,
    next_header: usize,
}

impl Writer {
    /// # Safety
    /// There is room for the chunk in all four parts.
    unsafe fn chunk(&mut self, number: usize, chunk: &milena_chunk, range: &Range<usize>) {
        let topic_at = self.place();
        // SAFETY: the topic and the range are memory of the batch, and there is room for both.
        unsafe {
            self.copy(chunk.topic.data, chunk.topic.len);
            self.chunk.u32(topic_at);
            self.chunk.u32(chunk.topic.len);
            self.chunk.put(chunk.partition.to_le_bytes());
            self.chunk.put(chunk.leader_epoch.to_le_bytes());
            self.chunk.i64(chunk.next_offset);
            self.chunk.u32(self.next_record);
            self.chunk.u32(chunk.records_len);
            self.chunk.i64(0);
        }
        let base = Base { place: self.place(), start: range.start };
        for record in records(chunk) {
            // SAFETY: there is room for its rows.
            unsafe { self.record(number, record, &base) };
        }
        // SAFETY: see above.
        unsafe { self.copy(range.start as *const u8, range.len()) };
    }

    /// # Safety
    /// There is room for the record's row and those of its headers.
    #[inline(always)]
    unsafe fn record(&mut self, chunk: usize, record: &milena_record_view, base: &Base) {
        // SAFETY: as the caller promises.
        unsafe {
            self.record.i64(record.offset);
            self.record.i64(record.timestamp_ms);
            self.record.put(base.span(record.key));
            self.record.put(base.span(record.value));
            self.record.u32(self.next_header);
            self.record.put(record.headers_len.to_le_bytes());
            self.record.put(record.flags.to_le_bytes());
            self.record.u32(chunk);
            for header in headers(record) {
                self.header.put(base.span(header.name));
                self.header.put(base.span(header.value));
                self.next_header += 1;
            }
        }
        self.next_record += 1;
    }

    /// Where data goes next, from the beginning of the block.
    fn place(&self) -> usize {
        self.data as usize - self.block as usize
    }

    /// # Safety
    /// `len` bytes are at `from`, and there is room for them.
    unsafe fn copy(&mut self, from: *const u8, len: usize) {
        if len > 0 {
            // SAFETY: as the caller promises; the block is the caller's, so it does not overlap the batch.
            unsafe {
                from.copy_to_nonoverlapping(self.data, len);
                self.data = self.data.add(len);
            }
        }
    }
}

/// Where the memory of a chunk is in the block.
struct Base {
    place: usize,
    start: usize,
}

impl Base {
    /// Place and length; null has the length -1.
    #[inline(always)]
    fn span(&self, bytes: milena_bytes) -> [u8; 8] {
        let (place, len) = match bytes.len {
            0 if bytes.data.is_null() => (0, -1),
            0 => (self.place, 0),
            // Records of Kafka are less than 2 GiB, so their parts are.
            len => (self.place + (bytes.data as usize - self.start), len as i32),
        };
        let (place, len) = ((place as u32).to_le_bytes(), len.to_le_bytes());
        [place[0], place[1], place[2], place[3], len[0], len[1], len[2], len[3]]
    }
}
