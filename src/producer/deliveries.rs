//! What became of the records: chunks for `poll`, one per batch, in the order in which batches ended.

use super::buffer_pool::BufferPool;
use crate::error::Error;
use crate::log::Logger;
use crate::sys::signal::Signal;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Instant;

/// The outcome of the records of one batch.
#[derive(Debug)]
pub struct DeliveryChunk {
    pub topic: Arc<str>,
    pub partition: i32,
    /// The offset of the first record, those of the others follow it; -1 when it is not known (acks=0, failure).
    pub base_offset: i64,
    /// The broker's time where the topic uses LogAppendTime; -1: the records keep their own.
    pub append_time_ms: i64,
    /// `None`: delivered.
    pub error: Option<Error>,
    /// The tokens of the records, in the order of their offsets.
    pub tokens: Vec<u64>,
    pub(super) charge: usize,
}

impl DeliveryChunk {
    /// The end of records that never came to a partition.
    pub(super) fn unplaced(
        topic: &Arc<str>,
        partition: i32,
        tokens: Vec<u64>,
        error: Error,
    ) -> DeliveryChunk {
        DeliveryChunk {
            topic: topic.clone(),
            partition,
            base_offset: -1,
            append_time_ms: -1,
            error: Some(error),
            tokens,
            charge: 0,
        }
    }

    /// What reporting so many records costs of `buffer.memory` until it is taken.
    pub(super) fn charge_of(records: usize) -> usize {
        std::mem::size_of::<DeliveryChunk>().saturating_add(records.saturating_mul(8))
    }
}

/// The queue between the I/O thread and `poll`. Its signal is up as long as there is something to take.
pub struct Deliveries {
    queue: Mutex<VecDeque<DeliveryChunk>>,
    /// Nothing comes any more; changed under the lock.
    ended: AtomicBool,
    /// For who waits for chunks; the signal is up for other reasons, too.
    arrived: Condvar,
    pub signal: Arc<Signal>,
    pool: Arc<BufferPool>,
    logger: Logger,
}

impl Deliveries {
    /// `logger`: while it holds lines to be taken, the signal stays up as well.
    pub fn new(pool: Arc<BufferPool>, signal: Arc<Signal>, logger: Logger) -> Deliveries {
        Deliveries {
            queue: Mutex::default(),
            ended: AtomicBool::new(false),
            arrived: Condvar::new(),
            signal,
            pool,
            logger,
        }
    }

    /// Reports records for which no batch was charged.
    pub(super) fn push_uncharged(&self, mut chunk: DeliveryChunk) {
        chunk.charge = DeliveryChunk::charge_of(chunk.tokens.len());
        self.pool.force_charge(chunk.charge);
        self.push(chunk);
    }

    pub fn push(&self, chunk: DeliveryChunk) {
        let mut queue = self.queue.lock();
        queue.push_back(chunk);
        let first = queue.len() == 1;
        drop(queue);
        self.arrived.notify_one();
        if first {
            self.signal.raise();
        }
    }

    /// Nothing more will be reported: nobody need wait for it.
    pub(super) fn end(&self) {
        let queue = self.queue.lock();
        self.ended.store(true, Ordering::Relaxed);
        drop(queue);
        self.arrived.notify_all();
    }

    /// Waits until there is something to take, at most until then, and not once nothing comes any more. Returns
    /// whether there is.
    pub fn wait(&self, until: Instant) -> bool {
        let mut queue = self.queue.lock();
        while queue.is_empty() && !self.ended.load(Ordering::Relaxed) {
            if self.arrived.wait_until(&mut queue, until).timed_out() {
                break;
            }
        }
        !queue.is_empty()
    }

    /// Takes chunks, oldest first, until they have at least `max_records` records.
    pub fn take(&self, max_records: usize) -> Vec<DeliveryChunk> {
        let mut queue = self.queue.lock();
        let mut records = 0;
        let count = queue
            .iter()
            .take_while(|chunk| {
                let more = records < max_records;
                records += chunk.tokens.len();
                more
            })
            .count();
        let taken: Vec<DeliveryChunk> = queue.drain(..count).collect();
        if queue.is_empty() {
            // Under the lock: a chunk pushed after this raises the signal again. So does a line logged after the
            // second look.
            self.signal.lower();
            if self.logger.has_lines() {
                self.signal.raise();
            }
        }
        drop(queue);
        let charge = taken.iter().map(|c| c.charge).sum();
        if charge > 0 {
            self.pool.release(charge);
        }
        taken
    }

    pub fn is_empty(&self) -> bool {
        self.queue.lock().is_empty()
    }
}
