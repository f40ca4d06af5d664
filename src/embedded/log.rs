//! A partition's log: record batches as they came, in the order of their offsets.
//!
//! A batch is stored as one shared piece of memory, so that answering a fetch copies nothing (small batches are
//! copied together instead: thousands of tiny segments would cost more). There is one log per partition, whatever
//! the number of replicas: replication is a matter of bookkeeping here, and what was appended is committed.

use crate::record::{
    set_append_time, set_offset_and_epoch, Batch, BatchReader, Compression, Decompressor, Record,
};
use bytes::Bytes;
use std::collections::VecDeque;

/// Batches below this size are copied together when they are read.
const SMALL_BATCH: usize = 8 * 1024;

/// Decompressed size that a batch is read up to.
pub(super) const DECOMPRESS_LIMIT: usize = 256 * 1024 * 1024;

#[derive(Clone, Debug)]
struct StoredBatch {
    base: i64,
    last: i64,
    max_timestamp: i64,
    zstd: bool,
    bytes: Bytes,
}

/// What a fetch gets of one partition.
#[derive(Debug, Default)]
pub(super) struct ReadResult {
    /// Batches from the one that holds the offset; the last may be cut off, as a Kafka broker does it.
    pub segments: Vec<Bytes>,
    pub bytes: usize,
    /// Whether a batch in it is compressed with zstd, which old versions of Fetch must not see.
    pub zstd: bool,
}

/// A record found by its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimestampOffset {
    pub timestamp: i64,
    pub offset: i64,
}

#[derive(Debug, Default)]
pub(super) struct PartitionLog {
    batches: VecDeque<StoredBatch>,
    start: i64,
    end: i64,
    bytes: u64,
    /// Each leader epoch that had begun, and the end of the log then.
    epochs: Vec<(i32, i64)>,
}

impl PartitionLog {
    /// The first offset that can be read.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// The offset of the next record; also the high watermark.
    pub fn end(&self) -> i64 {
        self.end
    }

    /// Notes that a leader with this epoch took over.
    pub fn begin_epoch(&mut self, epoch: i32) {
        if self.epochs.last().is_none_or(|last| last.0 < epoch) {
            self.epochs.push((epoch, self.end));
        }
    }

    /// Stores one checked batch and gives the offset of its first record. With `append_time`, that is the
    /// timestamp of all its records (`message.timestamp.type=LogAppendTime`).
    pub fn append(
        &mut self,
        batch: &Batch,
        bytes: &[u8],
        leader_epoch: i32,
        append_time: Option<i64>,
    ) -> i64 {
        let base = self.end;
        let mut own = bytes.to_vec();
        set_offset_and_epoch(&mut own, base, leader_epoch);
        if let Some(timestamp) = append_time {
            set_append_time(&mut own, timestamp);
        }
        let span = batch.last_offset.saturating_sub(batch.base_offset);
        let last = base.saturating_add(span);
        self.bytes = self.bytes.saturating_add(own.len() as u64);
        self.batches.push_back(StoredBatch {
            base,
            last,
            max_timestamp: append_time.unwrap_or(batch.max_timestamp),
            zstd: batch.compression == Compression::Zstd,
            bytes: Bytes::from(own),
        });
        self.end = last.saturating_add(1);
        base
    }

    /// The batches from the one with `offset` on, up to `max_bytes`; with `at_least_one` the first batch comes
    /// whole, even if it alone is larger. An incomplete first batch is left out.
    pub fn read(&self, offset: i64, max_bytes: usize, at_least_one: bool) -> ReadResult {
        let mut out = ReadResult::default();
        let mut small: Vec<u8> = Vec::new();
        let first = self.batches.partition_point(|b| b.last < offset);
        for batch in self.batches.range(first..) {
            let size = batch.bytes.len();
            let left = max_bytes.saturating_sub(out.bytes);
            let take = match out.bytes == 0 {
                true if size > left && !at_least_one => break,
                true => size,
                false => size.min(left),
            };
            if take == 0 {
                break;
            }
            out.zstd |= batch.zstd;
            out.bytes = out.bytes.saturating_add(take);
            let part = batch.bytes.slice(..take);
            if take < SMALL_BATCH {
                small.extend_from_slice(&part);
                continue;
            }
            if !small.is_empty() {
                out.segments.push(Bytes::from(std::mem::take(&mut small)));
            }
            out.segments.push(part);
        }
        if !small.is_empty() {
            out.segments.push(Bytes::from(small));
        }
        out
    }

    /// Makes `offset` the start of the log and forgets the batches that lie wholly before it.
    pub fn delete_before(&mut self, offset: i64) {
        self.start = self.start.max(offset.min(self.end));
        while self.batches.front().is_some_and(|b| b.last < self.start) {
            self.drop_front();
        }
    }

    /// Drops the oldest batches until at most `limit` bytes are left; the newest batch always stays.
    pub fn retain_bytes(&mut self, limit: u64) {
        while self.bytes > limit && self.batches.len() > 1 {
            self.drop_front();
            self.start = self.batches.front().map_or(self.end, |b| b.base).max(self.start);
        }
    }

    fn drop_front(&mut self) {
        if let Some(batch) = self.batches.pop_front() {
            self.bytes = self.bytes.saturating_sub(batch.bytes.len() as u64);
        }
    }

    /// The first record with this timestamp or a later one.
    pub fn at_timestamp(&self, timestamp: i64) -> Option<TimestampOffset> {
        self.batches.iter().filter(|b| b.max_timestamp >= timestamp).find_map(|batch| {
            self.find(batch, |record| record.offset >= self.start && record.timestamp_ms >= timestamp)
        })
    }

    /// The first record that has the latest timestamp of all.
    pub fn at_max_timestamp(&self) -> Option<TimestampOffset> {
        let max = self.batches.iter().map(|b| b.max_timestamp).max()?;
        self.batches
            .iter()
            .filter(|b| b.max_timestamp == max)
            .find_map(|batch| self.find(batch, |record| record.timestamp_ms == max))
    }

    fn find(&self, batch: &StoredBatch, wanted: impl Fn(&Record) -> bool) -> Option<TimestampOffset> {
        let batch = BatchReader::new(batch.bytes.clone(), false).next()?.ok()?;
        let records = batch.records(&mut Decompressor::default(), DECOMPRESS_LIMIT).ok()?;
        let record = records.map_while(Result::ok).find(wanted)?;
        Some(TimestampOffset { timestamp: record.timestamp_ms, offset: record.offset })
    }

    /// The epoch of the leader that appended what is at `offset`; -1 when unknown.
    pub fn epoch_at(&self, offset: i64) -> i32 {
        let later = self.epochs.partition_point(|e| e.1 <= offset);
        later.checked_sub(1).and_then(|i| self.epochs.get(i)).map_or(-1, |e| e.0)
    }

    /// The largest epoch not above `epoch` and where it ended; (-1, -1) when `epoch` is newer than all (KIP-101).
    pub fn end_of_epoch(&self, epoch: i32) -> (i32, i64) {
        let after = self.epochs.partition_point(|e| e.0 <= epoch);
        let before = after.checked_sub(1).and_then(|i| self.epochs.get(i));
        match (before, self.epochs.get(after)) {
            (Some(last), None) if last.0 == epoch => (epoch, self.end),
            (_, None) => (-1, -1),
            (None, Some(_)) if epoch < 0 => (-1, -1),
            (None, Some(next)) => (epoch, next.1),
            (Some(found), Some(next)) => (found.0, next.1),
        }
    }

    /// The stored batches, each as it lies in the log.
    pub fn batches(&self) -> impl Iterator<Item = &Bytes> {
        self.batches.iter().map(|b| &b.bytes)
    }

    /// Flips one bit in the last byte of the batch with this number, so that its checksum is wrong. Says whether
    /// there is such a batch.
    pub fn corrupt(&mut self, number: usize) -> bool {
        let Some(batch) = self.batches.get_mut(number) else { return false };
        let mut bytes = batch.bytes.to_vec();
        if let Some(last) = bytes.last_mut() {
            *last ^= 0x10;
        }
        batch.bytes = Bytes::from(bytes);
        true
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
