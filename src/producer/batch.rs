//! `ProducerBatch`: records of one partition that travel together, and are reported together, once.

use super::buffer_pool::BufferPool;
use super::deliveries::DeliveryChunk;
use crate::record::{
    AppendError, Appender, BatchFacts, ByteBufferOutputStream, Compression, Compressor, MemoryRecordsBuilder,
    PlainRecord, RecordRef, BATCH_OVERHEAD,
};
use crate::time::Nanos;
use bytes::{Bytes, BytesMut};
use std::sync::Arc;

/// How batches are compressed.
#[derive(Clone, Copy, Debug)]
pub struct CompressionSetting {
    pub codec: Compression,
    pub level: i32,
}

/// A batch that still takes records.
#[derive(Debug)]
pub struct OpenBatch {
    builder: MemoryRecordsBuilder,
    tokens: Vec<u64>,
    /// How far plain records may fill it.
    end: usize,
    pub created: Nanos,
    /// The flush epoch it began in; see `Incomplete`.
    pub epoch: u64,
    /// What its buffer costs of `buffer.memory`.
    charge: usize,
}

impl OpenBatch {
    /// `expected` is how many records the last batch took, to size the list of tokens by.
    pub fn new(buffer: BytesMut, created: Nanos, epoch: u64, expected: usize) -> OpenBatch {
        let charge = buffer.len();
        OpenBatch {
            builder: MemoryRecordsBuilder::new(buffer),
            tokens: Vec::with_capacity(expected),
            end: 0,
            created,
            epoch,
            charge,
        }
    }

    /// For plain records in a row; none while the batch is empty.
    #[inline(always)]
    pub fn appender(&mut self) -> Option<BatchAppender<'_>> {
        let tokens = &mut self.tokens;
        self.builder.appender(self.end).map(|records| BatchAppender { records, tokens })
    }

    /// Appends a record of any kind, if it fits a batch of `limit` bytes.
    pub fn try_append(
        &mut self,
        record: &RecordRef<'_>,
        token: u64,
        limit: usize,
    ) -> Result<(), AppendError> {
        self.builder.append_with_offset(record, limit)?;
        self.end = self.builder.reach(limit);
        self.tokens.push(token);
        Ok(())
    }

    pub fn size(&self) -> usize {
        self.builder.size()
    }

    pub fn records(&self) -> usize {
        self.tokens.len()
    }

    /// What its buffer costs of `buffer.memory`: whoever made the buffer charges it.
    pub fn charge(&self) -> usize {
        self.charge
    }

    /// Compresses it and makes it ready to be sent. The tokens are charged now that they are counted.
    pub fn seal(self, setting: CompressionSetting, pool: &Arc<BufferPool>) -> SealedBatch {
        let token_charge = DeliveryChunk::charge_of(self.tokens.len());
        let closed = COMPRESSOR.with_borrow_mut(|c| self.builder.close(setting.codec, setting.level, c));
        // The builder's buffer grows for a record larger than batch.size only.
        let buffer_charge = self.charge.max(closed.payload.capacity());
        pool.force_charge(token_charge + (buffer_charge - self.charge));
        let memory = PooledMemory { stream: Some(closed.payload), charge: buffer_charge, pool: pool.clone() };
        SealedBatch {
            facts: closed.facts,
            payload: Bytes::from_owner(memory),
            tokens: self.tokens,
            created: self.created,
            epoch: self.epoch,
            token_charge,
            attempts: 0,
            sequence: None,
            order: (0, 0),
            retry_at: Nanos(0),
            last_error: None,
        }
    }
}

/// Appends plain records and their tokens to an open batch.
pub struct BatchAppender<'a> {
    records: Appender<'a>,
    tokens: &'a mut Vec<u64>,
}

impl BatchAppender<'_> {
    /// Appends a record; false, and nothing was done, when that takes [`OpenBatch::try_append`].
    #[inline(always)]
    pub fn append(&mut self, record: &PlainRecord<'_>, token: u64) -> bool {
        let appended = self.records.append(record);
        if appended {
            self.tokens.push(token);
        }
        appended
    }

    /// Bytes of records in the batch.
    #[inline(always)]
    pub fn written(&self) -> usize {
        self.records.written()
    }
}

thread_local! {
    /// Compression contexts are large, and used again by the thread that made them.
    static COMPRESSOR: std::cell::RefCell<Compressor> = std::cell::RefCell::new(Compressor::new());
}

/// A batch's memory, back in the pool when the last request that names it is gone: a buffer that is used again
/// too early is how records land in the wrong topic (CVE-2026-35554).
struct PooledMemory {
    stream: Option<ByteBufferOutputStream>,
    charge: usize,
    pool: Arc<BufferPool>,
}

impl AsRef<[u8]> for PooledMemory {
    fn as_ref(&self) -> &[u8] {
        self.stream.as_ref().map_or(&[], |s| s.as_ref())
    }
}

impl Drop for PooledMemory {
    fn drop(&mut self) {
        let buffer = self.stream.take().map_or_else(BytesMut::new, ByteBufferOutputStream::into_inner);
        self.pool.release_buffer(self.charge, buffer);
    }
}

/// Producer id, epoch and the sequence number of the first record (KIP-98).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    pub producer_id: i64,
    pub epoch: i16,
    pub base: i32,
}

/// A batch that is ready to be sent.
#[derive(Debug)]
pub struct SealedBatch {
    pub facts: BatchFacts,
    pub payload: Bytes,
    pub tokens: Vec<u64>,
    pub created: Nanos,
    pub epoch: u64,
    pub token_charge: usize,
    /// How often it was sent.
    pub attempts: u32,
    /// Given when it is first sent, and kept: a retry with the same numbers is not written twice.
    pub sequence: Option<Sequence>,
    /// Its place among the batches of its partition, given when it is first sent. A batch that comes out of a
    /// split has the place of the whole, and its part of it.
    pub order: (u64, u32),
    pub retry_at: Nanos,
    pub last_error: Option<crate::error::Error>,
}

impl SealedBatch {
    /// Bytes on the wire, header included.
    pub fn size(&self) -> usize {
        self.payload.len() + BATCH_OVERHEAD
    }

    pub fn records(&self) -> i32 {
        self.tokens.len() as i32
    }

    /// What is needed to report it, while the rest stays to await its answer.
    pub fn take_for_report(&mut self) -> SealedBatch {
        SealedBatch {
            facts: self.facts,
            payload: Bytes::new(),
            tokens: std::mem::take(&mut self.tokens),
            created: self.created,
            epoch: self.epoch,
            token_charge: std::mem::take(&mut self.token_charge),
            attempts: self.attempts,
            sequence: self.sequence,
            order: self.order,
            retry_at: self.retry_at,
            last_error: self.last_error.take(),
        }
    }

    /// The sequence number behind its last record; they wrap round within the positive numbers.
    pub fn next_sequence(base: i32, records: i32) -> i32 {
        ((i64::from(base) + i64::from(records)) % (i64::from(i32::MAX) + 1)) as i32
    }
}
