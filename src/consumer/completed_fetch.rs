//! `CompletedFetch`: what one fetch brought for one partition, and how far it has been read.
//!
//! Parsing and decompression happen here, on the application's thread. A chunk is made of one batch, or of many
//! uncompressed ones that lie behind each other in the same response. Who asks for few records at a time gets them cut
//! off a chunk that was parsed ahead: to begin and to end a chunk costs more than many records do.

use super::budget::{Budget, Hold};
use super::partition_state::{PartitionId, Position};
use super::record_view::{
    BytesView, Chunk, Chunks, HeaderView, Parsed, RecordView, FLAG_APPEND_TIME, FLAG_NO_TIMESTAMP,
};
use crate::record::{
    self, Batch, BatchReader, Compression, Decompressor, RecordError, Records, TimestampType,
};
use bytes::Bytes;
use std::mem::size_of;
use std::ptr;
use std::sync::Arc;

/// Views that a chunk has room for at first, at the most.
const MOST_ROOM: usize = 16 * 1024;

/// Records that are parsed at once when fewer are asked for: 16 KiB of views.
const PARSED_AHEAD: usize = 256;

/// What reading a fetch needs from outside.
pub struct Reading<'a> {
    pub decompressor: &'a mut Decompressor,
    /// A batch that is longer when decompressed is refused.
    pub block_limit: usize,
    pub budget: &'a Arc<Budget>,
}

pub struct CompletedFetch {
    pub id: PartitionId,
    pub topic: Arc<str>,
    /// The epoch of the partition's position when it was fetched.
    pub epoch: u64,
    /// Where to read on: behind what was handed out.
    pub position: Position,
    /// Parsed, and not handed out yet.
    ahead: Option<Chunk>,
    /// Where to parse on: behind `ahead`.
    parsed_to: Position,
    /// The records as they came.
    region: Bytes,
    batches: BatchReader,
    current: Option<PartitionRecords>,
    /// Found when records before it could still be handed out.
    failed: Option<RecordError>,
    fetched: Arc<Hold>,
}

/// One batch that is being read.
struct PartitionRecords {
    records: Records,
    leader_epoch: i32,
    /// Where to read on behind the batch.
    next_offset: i64,
    flags: u32,
    /// How many records to expect from here on in the same chunk.
    expected: usize,
    /// Counts the block, if it was made by decompressing.
    block: Option<Arc<Hold>>,
}

/// Why reading stopped.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// As many records as were asked for.
    Full,
    /// Nothing is left.
    Drained,
    /// Decompressing more would take the memory that the application holds.
    Held,
    Corrupt(RecordError),
}

impl CompletedFetch {
    pub fn new(
        id: PartitionId,
        topic: Arc<str>,
        epoch: u64,
        position: Position,
        region: Bytes,
        check_crcs: bool,
        fetched: Arc<Hold>,
    ) -> CompletedFetch {
        let batches = BatchReader::new(region.clone(), check_crcs);
        CompletedFetch {
            id,
            topic,
            epoch,
            position,
            ahead: None,
            parsed_to: position,
            region,
            batches,
            current: None,
            failed: None,
            fetched,
        }
    }

    /// Reads up to `max` records into `chunks`, and says why it stopped. The position has moved behind what was
    /// read; when the batch there is corrupt, it stays in front of it.
    pub fn fetch_records(&mut self, max: usize, chunks: &mut Chunks, reading: &mut Reading<'_>) -> Stop {
        let mut left = max;
        while left > 0 {
            if let Some(to) = self.parsed_behind(left) {
                chunks.extend(self.take_parsed(left, to));
                break;
            }
            let chunk = match self.ahead.take() {
                Some(chunk) => chunk,
                None => match self.parse(left.max(PARSED_AHEAD), !chunks.is_empty(), reading) {
                    Ok(chunk) if chunk.records().len() > left => {
                        self.ahead = Some(chunk);
                        continue;
                    }
                    Ok(chunk) => chunk,
                    Err(stop) => {
                        self.position = self.parsed_to;
                        return stop;
                    }
                },
            };
            left = left.saturating_sub(chunk.records().len());
            self.position = self.parsed_to;
            chunks.push(chunk);
        }
        Stop::Full
    }

    /// Where the position goes with the next `n` records, if more than those are parsed already.
    #[inline(always)]
    pub fn parsed_behind(&self, n: usize) -> Option<Position> {
        let ahead = self.ahead.as_ref()?;
        Some(Position { offset: ahead.offset_behind(n)?, leader_epoch: ahead.leader_epoch })
    }

    /// Takes the next `n` records, up to what [`CompletedFetch::parsed_behind`] gave.
    #[inline(always)]
    pub fn take_parsed(&mut self, n: usize, to: Position) -> Option<Chunk> {
        let chunk = self.ahead.as_mut()?.split(n, to.offset);
        self.position = to;
        Some(chunk)
    }

    /// Parses the next chunk, of up to `max` records, or says why there is none. `has_some`: there are records to hand
    /// out, whatever is found here.
    fn parse(&mut self, max: usize, has_some: bool, reading: &mut Reading<'_>) -> Result<Chunk, Stop> {
        let mut open: Option<OpenChunk> = None;
        let stop = loop {
            if let Some(error) = self.failed {
                break Stop::Corrupt(error);
            }
            let filled = open.as_ref().map_or(0, |o| o.views.len());
            if filled >= max {
                break Stop::Full;
            }
            let Some(current) = &mut self.current else {
                if filled > 0 && open.as_ref().is_some_and(|o| o.compressed) {
                    // Its block is full; the next batch is decompressed when it is its turn.
                    break Stop::Full;
                }
                match self.next_batch(reading, has_some || filled > 0) {
                    Ok(true) => continue,
                    Ok(false) => break Stop::Drained,
                    Err(stop) => break stop,
                }
            };
            let chunk = match &mut open {
                Some(chunk) if chunk.takes(current) => chunk,
                Some(_) if filled > 0 => break Stop::Full,
                _ => open.insert(OpenChunk::new(current, &self.region, &self.fetched, max)),
            };
            let end = current.fetch_records(max.saturating_sub(filled), chunk);
            if let Some(last) = chunk.views.get(filled..).and_then(|new| new.last()) {
                let offset = last.offset.saturating_add(1);
                self.parsed_to = Position { offset, leader_epoch: current.leader_epoch };
            }
            match end {
                Some(Ok(())) => {
                    self.parsed_to.offset = current.next_offset;
                    self.current = None;
                }
                Some(Err(error)) => self.failed = Some(error),
                None => {}
            }
        };
        match open.filter(|o| !o.views.is_empty()) {
            Some(done) => Ok(done.close(&self.topic, self.id.index, self.parsed_to.offset, reading.budget)),
            None => Err(stop),
        }
    }

    /// Begins the next batch with records for the application. False when there is none.
    fn next_batch(&mut self, reading: &mut Reading<'_>, has_some: bool) -> Result<bool, Stop> {
        loop {
            let ahead = self.batches.clone();
            let batch = match self.batches.next() {
                None => return Ok(false),
                Some(Err(error)) => return Err(self.fail(error)),
                Some(Ok(batch)) => batch,
            };
            if batch.control || batch.next_offset() <= self.parsed_to.offset {
                if batch.next_offset() > self.parsed_to.offset {
                    self.parsed_to =
                        Position { offset: batch.next_offset(), leader_epoch: batch.leader_epoch };
                }
                continue;
            }
            let compressed = batch.compression != Compression::None;
            let full = reading.budget.used() >= reading.budget.limit();
            if compressed && full && (has_some || reading.budget.is_handed_out()) {
                self.batches = ahead;
                return Err(Stop::Held);
            }
            let behind = self.region.len().saturating_sub(ahead.position());
            match PartitionRecords::parse(&batch, self.parsed_to.offset, behind, reading) {
                Ok(records) => self.current = Some(records),
                Err(error) => return Err(self.fail(error)),
            }
            return Ok(true);
        }
    }

    fn fail(&mut self, error: RecordError) -> Stop {
        self.failed = Some(error);
        Stop::Corrupt(error)
    }
}

impl PartitionRecords {
    /// Opens a batch. `behind`: bytes of the region from this batch on.
    fn parse(
        batch: &Batch,
        from: i64,
        behind: usize,
        reading: &mut Reading<'_>,
    ) -> Result<PartitionRecords, RecordError> {
        let records = batch.records(reading.decompressor, reading.block_limit)?;
        let flags = match batch.timestamp_type {
            TimestampType::CreateTime => 0,
            TimestampType::LogAppendTime => FLAG_APPEND_TIME,
            TimestampType::None => FLAG_NO_TIMESTAMP,
        };
        let compressed = batch.compression != Compression::None;
        let count = batch.count.map_or(1, |n| n as usize);
        // Uncompressed batches share a chunk, and usually are like their neighbours.
        let alike = if compressed { 1 } else { behind / batch.size.max(1) };
        Ok(PartitionRecords {
            leader_epoch: batch.leader_epoch,
            next_offset: batch.next_offset(),
            flags,
            expected: count.saturating_mul(alike).clamp(1, MOST_ROOM),
            block: compressed.then(|| Arc::new(reading.budget.hold(records.block().len()))),
            records: records.start_at(from),
        })
    }

    /// Appends up to `max` records to a chunk. `None`: there may be more.
    fn fetch_records(&mut self, max: usize, chunk: &mut OpenChunk) -> Option<Result<(), RecordError>> {
        let flags = self.flags;
        let OpenChunk { views, headers, .. } = chunk;
        let read = self.records.read(max, |record| {
            let headers_len = if record.header_count > 0 { add_headers(headers, &record) } else { 0 };
            views.push(parse_record(&record, headers_len, flags));
        });
        match read {
            Ok(read) if read < max => Some(Ok(())),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// A record as the application sees it; its headers are pointed to when the chunk is closed.
#[inline(always)]
fn parse_record(record: &record::RecordView<'_>, headers_len: u32, flags: u32) -> RecordView {
    RecordView {
        offset: record.offset,
        timestamp_ms: record.timestamp_ms,
        key: view(record.key),
        value: view(record.value),
        headers: ptr::null(),
        headers_len,
        flags,
    }
}

#[inline(always)]
fn view(bytes: Option<&[u8]>) -> BytesView {
    bytes.map_or(BytesView::NULL, |b| BytesView { ptr: b.as_ptr(), len: b.len() })
}

/// Appends the headers of one record; returns how many.
#[cold]
fn add_headers(to: &mut Vec<HeaderView>, record: &record::RecordView<'_>) -> u32 {
    let before = to.len();
    to.extend(record.headers().map(|h| HeaderView { name: view(Some(h.name)), value: view(h.value) }));
    (to.len() - before) as u32
}

/// A chunk that is being filled.
struct OpenChunk {
    block: Bytes,
    /// Counts the block.
    memory: Arc<Hold>,
    compressed: bool,
    leader_epoch: i32,
    views: Vec<RecordView>,
    headers: Vec<HeaderView>,
}

impl OpenChunk {
    fn new(current: &PartitionRecords, region: &Bytes, fetched: &Arc<Hold>, max: usize) -> OpenChunk {
        let compressed = current.block.is_some();
        let block = if compressed { current.records.block() } else { region };
        OpenChunk {
            block: block.clone(),
            memory: current.block.as_ref().unwrap_or(fetched).clone(),
            compressed,
            leader_epoch: current.leader_epoch,
            views: Vec::with_capacity(max.min(current.expected)),
            headers: Vec::new(),
        }
    }

    /// Whether the records of this batch can go into the same chunk.
    fn takes(&self, next: &PartitionRecords) -> bool {
        !self.compressed && next.block.is_none() && self.leader_epoch == next.leader_epoch
    }

    /// Ends the chunk. Its headers do not move any more, so the records can point to them now.
    fn close(mut self, topic: &Arc<str>, partition: i32, next_offset: i64, budget: &Arc<Budget>) -> Chunk {
        if !self.headers.is_empty() {
            let mut start = 0usize;
            for view in self.views.iter_mut().filter(|v| v.headers_len > 0) {
                view.headers = self.headers.as_ptr().wrapping_add(start);
                start += view.headers_len as usize;
            }
        }
        let views = self.views.capacity().saturating_mul(size_of::<RecordView>());
        let headers = self.headers.capacity().saturating_mul(size_of::<HeaderView>());
        let parsed = Parsed {
            topic: topic.clone(),
            block: self.block,
            records: self.views,
            headers: self.headers,
            _block_memory: self.memory,
            _view_memory: budget.hold(views.saturating_add(headers)),
        };
        Chunk::new(parsed, partition, self.leader_epoch, next_offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::request::NoWake;
    use crate::consumer::partition_state::TopicId;
    use crate::record::{Compressor, MemoryRecordsBuilder, ProducerState, RecordRef};
    use bytes::BytesMut;

    /// A batch of `count` records whose values have 100 bytes.
    fn batch(base: i64, count: usize, codec: Compression) -> Vec<u8> {
        let mut builder = MemoryRecordsBuilder::new(BytesMut::new());
        let record = RecordRef { timestamp_ms: 1, value: Some(&[7; 100]), ..RecordRef::default() };
        for _ in 0..count {
            builder.append_with_offset(&record, usize::MAX).unwrap();
        }
        let closed = builder.close(codec, codec.default_level(), &mut Compressor::new());
        let mut bytes = closed.to_vec(ProducerState::NONE);
        bytes[..8].copy_from_slice(&base.to_be_bytes());
        bytes
    }

    struct Reader {
        fetch: CompletedFetch,
        decompressor: Decompressor,
        budget: Arc<Budget>,
    }

    impl Reader {
        fn new(region: Vec<u8>, limit: usize) -> Reader {
            let budget = Budget::new(limit, NoWake::shared());
            let id = PartitionId { topic: TopicId(0), index: 3 };
            let fetched = Arc::new(budget.hold(region.len()));
            let position = Position { offset: 0, leader_epoch: -1 };
            let fetch = CompletedFetch::new(id, "t".into(), 1, position, region.into(), true, fetched);
            Reader { fetch, decompressor: Decompressor::new(), budget }
        }

        fn read(&mut self, max: usize) -> (Chunks, Stop) {
            let mut chunks = Chunks::new();
            let mut reading =
                Reading { decompressor: &mut self.decompressor, block_limit: 1 << 20, budget: &self.budget };
            let stop = self.fetch.fetch_records(max, &mut chunks, &mut reading);
            (chunks, stop)
        }

        /// Finds nothing to read; why.
        fn none(&mut self, max: usize) -> Stop {
            let (chunks, stop) = self.read(max);
            assert!(chunks.is_empty(), "{chunks:?}");
            stop
        }

        /// Reads one record, which has to have this offset.
        fn one(&mut self, offset: i64) -> Chunk {
            let (mut chunks, stop) = self.read(1);
            let chunk = chunks.pop().unwrap();
            let [record] = chunk.records() else { panic!("{chunks:?}") };
            assert_eq!((record.offset, chunk.value(record)), (offset, Some(&[7; 100][..])));
            assert_eq!((stop, chunks.len()), (Stop::Full, 0));
            assert_eq!(self.fetch.position.offset, chunk.next_offset);
            chunk
        }
    }

    #[test]
    fn one_by_one_is_the_same_as_all_at_once() {
        for codec in [Compression::None, Compression::Lz4] {
            let mut region = batch(0, 100, codec);
            region.extend(batch(100, 1, codec));
            region.extend(batch(105, 200, codec));
            let mut reader = Reader::new(region, 1 << 20);
            for offset in (0..101).chain(105..305) {
                let chunk = reader.one(offset);
                assert_eq!((&**chunk.topic(), chunk.partition), ("t", 3));
            }
            assert_eq!(reader.none(1), Stop::Drained);
            assert_eq!(reader.fetch.position.offset, 305);
        }
    }

    #[test]
    fn what_is_parsed_ahead_counts_until_nobody_has_it() {
        let region = batch(0, 100, Compression::None);
        let size = region.len();
        let mut reader = Reader::new(region, 1 << 20);
        let (first, second) = (reader.one(0), reader.one(1));
        let views = 100 * size_of::<RecordView>();
        assert_eq!(reader.budget.used(), size + views, "the views are there once");
        let Reader { fetch, budget, .. } = reader;
        drop(fetch);
        drop(first);
        assert_eq!(budget.used(), size + views, "a part of them is held");
        drop(second);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_batch_is_decompressed_when_it_is_its_turn() {
        let mut region = batch(0, 2, Compression::Lz4);
        region.extend(batch(2, 2, Compression::Lz4));
        let size = region.len();
        let mut reader = Reader::new(region, size + 1);
        let first = reader.one(0);
        let used = reader.budget.used();
        drop(reader.one(1));
        assert_eq!(reader.budget.used(), used);
        // The application has memory of the full budget; without it there would be no other way than on.
        let batch = reader.budget.hand_out();
        assert_eq!(reader.none(1), Stop::Held);
        drop((batch, first));
        reader.one(2);
        reader.one(3);
    }

    #[test]
    fn what_is_corrupt_comes_up_behind_the_records_in_front_of_it() {
        for max in [1, 7, 1000] {
            let mut region = batch(0, 10, Compression::None);
            region.extend(batch(10, 10, Compression::None));
            let last = region.len() - 1;
            region[last] ^= 1;
            let mut reader = Reader::new(region, 1 << 20);
            let mut next = 0;
            let stop = loop {
                let (chunks, stop) = reader.read(max);
                let read = chunks.iter().flat_map(|c| c.records());
                assert!(read.map(|r| r.offset).eq(next..reader.fetch.position.offset));
                next = reader.fetch.position.offset;
                if stop != Stop::Full {
                    break stop;
                }
            };
            assert!(matches!(stop, Stop::Corrupt(_)), "{stop:?}");
            assert_eq!(next, 10);
            assert!(matches!(reader.none(max), Stop::Corrupt(_)));
        }
    }
}
