//! `CompletedFetch`: what one fetch brought for one partition, and how far it has been read.
//!
//! Parsing and decompression happen here, on the application's thread. A chunk is made of one batch, or of many
//! uncompressed ones that lie behind each other in the same response.

use super::budget::{Budget, Hold};
use super::partition_state::{PartitionId, Position};
use super::record_view::{BytesView, Chunk, HeaderView, RecordView, FLAG_APPEND_TIME, FLAG_NO_TIMESTAMP};
use crate::record::{
    self, Batch, BatchReader, Compression, Decompressor, RecordError, Records, TimestampType,
};
use bytes::Bytes;
use std::mem::size_of;
use std::ptr;
use std::sync::Arc;

/// Views that a chunk has room for at first, at the most.
const MOST_ROOM: usize = 16 * 1024;

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
    /// Where to read on.
    pub position: Position,
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
        CompletedFetch { id, topic, epoch, position, region, batches, current: None, failed: None, fetched }
    }

    /// Reads up to `max` records into `chunks`, and says why it stopped. The position has moved behind what was
    /// read; when the batch there is corrupt, it stays in front of it.
    pub fn fetch_records(&mut self, max: usize, chunks: &mut Vec<Chunk>, reading: &mut Reading<'_>) -> Stop {
        let mut left = max;
        let mut open: Option<OpenChunk> = None;
        let stop = loop {
            if let Some(error) = self.failed {
                break Stop::Corrupt(error);
            }
            if left == 0 {
                break Stop::Full;
            }
            let Some(current) = &mut self.current else {
                match self.next_batch(reading, open.is_some() || !chunks.is_empty()) {
                    Ok(true) => continue,
                    Ok(false) => break Stop::Drained,
                    Err(stop) => break stop,
                }
            };
            let mut chunk = match open.take() {
                Some(chunk) if chunk.takes(current) => chunk,
                other => {
                    let fresh = OpenChunk::new(current, &self.region, &self.fetched, left);
                    if let Some(done) = other {
                        chunks.push(done.close(
                            &self.topic,
                            self.id.index,
                            self.position.offset,
                            reading.budget,
                        ));
                    }
                    fresh
                }
            };
            let before = chunk.views.len();
            let end = current.fetch_records(left, &mut chunk);
            left = left.saturating_sub(chunk.views.len() - before);
            if let Some(last) = chunk.views.last() {
                let offset = last.offset.saturating_add(1);
                self.position = Position { offset, leader_epoch: current.leader_epoch };
            }
            match end {
                Some(Ok(())) => {
                    self.position.offset = current.next_offset;
                    self.current = None;
                }
                Some(Err(error)) => self.failed = Some(error),
                None => {}
            }
            open = Some(chunk);
        };
        if let Some(done) = open.filter(|o| !o.views.is_empty()) {
            chunks.push(done.close(&self.topic, self.id.index, self.position.offset, reading.budget));
        }
        stop
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
            if batch.control || batch.next_offset() <= self.position.offset {
                if batch.next_offset() > self.position.offset {
                    self.position =
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
            match PartitionRecords::parse(&batch, self.position.offset, behind, reading) {
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
        Chunk {
            topic: topic.clone(),
            partition,
            leader_epoch: self.leader_epoch,
            block: self.block,
            records: self.views,
            headers: self.headers,
            next_offset,
            _block_memory: self.memory,
            _view_memory: budget.hold(views.saturating_add(headers)),
        }
    }
}
