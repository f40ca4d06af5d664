//! Records whose topic's partitions are not known yet: kept in the order in which they came, and placed when
//! metadata has named the partitions.

use super::append::{AppendContext, Route};
use super::errors::{no_such_partition, too_large};
use super::RecordAccumulator;
use crate::error::Error;
use crate::producer::batch::OpenBatch;
use crate::producer::pending::{Pending, PendingChunk};
use crate::producer::record::{ProducerRecord, RecordSource};
use crate::producer::topic::Topic;
use crate::record::{record_size_upper_bound, RecordRef};
use crate::time::{Nanos, Now};
use bytes::BytesMut;
use std::sync::atomic::Ordering;
use std::sync::Arc;

/// How long a chunk of records that wait for metadata takes more of them.
const PENDING_CHUNK_MS: u64 = 100;

/// What a batch of records that waited for metadata begins with; there may be very many partitions.
const SMALL_BATCH: usize = 2048;

impl RecordAccumulator {
    /// Keeps records until their topic's partitions are known; returns when they are, or the records are at an end.
    #[inline(never)]
    pub(super) fn append_pending(
        &self,
        topic: &Arc<Topic>,
        source: &mut impl RecordSource,
        at: &AppendContext<'_>,
        accepted: &mut usize,
    ) -> Result<(), Error> {
        let mut spare: Option<(BytesMut, u64, Nanos)> = None;
        loop {
            let mut pending = topic.pending.lock();
            if topic.partitions.count() > 0 || self.closed.load(Ordering::Acquire) {
                drop(pending);
                self.discard(spare);
                return Ok(());
            }
            if let Some((buffer, epoch, now)) = spare.take() {
                let closes = now.plus_ms(PENDING_CHUNK_MS);
                let deadline = closes.plus_ms(self.settings.max_block_ms);
                pending.chunks.push_back(PendingChunk::new(buffer, closes, deadline, epoch));
            }
            let needed = self.fill_pending(&mut pending, source, at, accepted);
            let newly = !pending.chunks.is_empty() && !std::mem::replace(&mut pending.listed, true);
            drop(pending);
            if newly {
                self.listed_topics.lock().push(topic.clone());
                self.waker.wake();
            }
            match needed? {
                None => return Ok(()),
                Some(size) => {
                    let buffer = self.allocate(size, at)?;
                    spare = Some((buffer, self.incomplete.begin(), (at.mono)()));
                }
            }
        }
    }

    /// Adds records to the last chunk. Returns the size of the one that needs a new chunk.
    fn fill_pending(
        &self,
        pending: &mut Pending,
        source: &mut impl RecordSource,
        at: &AppendContext<'_>,
        accepted: &mut usize,
    ) -> Result<Option<usize>, Error> {
        let now = (at.mono)();
        loop {
            let Some(record) = source.peek() else { return Ok(None) };
            let record = record?;
            let entry = record.stamped(at.wall_ms);
            self.check_size(&entry)?;
            let pushed = match pending.chunks.back_mut() {
                Some(chunk) if chunk.tokens.is_empty() || now < chunk.closes => {
                    chunk.push(&record, entry.timestamp_ms)
                }
                _ => false,
            };
            if !pushed {
                return Ok(Some(PendingChunk::size_of(&record)));
            }
            source.advance();
            *accepted += 1;
        }
    }

    /// Moves records that waited for their topic into the queues of its `count` partitions, in order. `failed` gets the
    /// tokens of those that have no place there.
    pub fn place(
        &self,
        topic: &Topic,
        count: usize,
        chunk: PendingChunk,
        now: Now,
        mut failed: impl FnMut(u64, i32, Error),
    ) {
        for record in chunk.records() {
            let placed = self.route(&topic.name, &record, count).and_then(|route| {
                let index = match route {
                    Route::Fixed(index) => index,
                    Route::Sticky => topic.sticky.next(count, self.settings.batch_size),
                };
                let bytes = self.place_one(topic, index, &record, chunk.epoch, now)?;
                if route == Route::Sticky {
                    topic.sticky.produced(bytes);
                }
                Ok(())
            });
            if let Err(error) = placed {
                failed(record.token, record.partition, error);
            }
        }
        self.incomplete.end(chunk.epoch);
        self.pool.release_buffer(chunk.charge(), chunk.into_buffer());
    }

    /// Puts one record that was accepted already into its batch, whatever the pool says.
    fn place_one(
        &self,
        topic: &Topic,
        index: usize,
        record: &ProducerRecord<'_>,
        epoch: u64,
        now: Now,
    ) -> Result<usize, Error> {
        let entry = RecordRef {
            timestamp_ms: record.timestamp_ms,
            key: record.key,
            value: record.value,
            headers: record.headers,
        };
        let size = record_size_upper_bound(&entry);
        let Some(partition) = topic.partitions.get(index) else {
            return Err(no_such_partition(&topic.name, index));
        };
        let limit = self.batch_limit();
        let mut queue = partition.queue.lock();
        if let Some(open) = &mut queue.open {
            if open.try_append(&entry, record.token, limit).is_ok() {
                return Ok(size);
            }
        }
        let sealing = queue.begin_seal();
        drop(queue);
        if let Some((open, ticket)) = sealing {
            self.finish_seal(partition, open, ticket);
        }
        let buffer = BytesMut::zeroed(size.max(self.settings.batch_size.min(SMALL_BATCH)));
        self.pool.force_charge(buffer.len());
        let mut open = OpenBatch::new(buffer, now.mono, epoch, 0);
        open.try_append(&entry, record.token, limit).map_err(|_| too_large(size, limit))?;
        self.incomplete.begin_in(epoch);
        // The partitions are not public yet, so nobody else began a batch here meanwhile.
        let mut queue = partition.queue.lock();
        queue.open = Some(open);
        let notice = self.notice(&mut queue);
        drop(queue);
        self.announce(partition, notice);
        Ok(size)
    }
}
