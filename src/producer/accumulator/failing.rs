//! Records that fail before the sender had them: their topic is not to be had, or the I/O thread gave this client up.
//!
//! In the second case nobody looks at the lists any more. All queues are emptied once, and whoever is still at work on
//! one then (sealing a batch, say) finds the error and reports what it puts there by itself.

use super::RecordAccumulator;
use crate::error::Error;
use crate::producer::batch::{CompressionSetting, SealedBatch};
use crate::producer::deliveries::{Deliveries, DeliveryChunk};
use crate::producer::pending::PendingChunk;
use crate::producer::topic::{Partition, Topic};
use crate::record::Compression;
use std::sync::Arc;

/// Why the I/O thread gave this client up, and where to report it.
pub(super) struct Fatal {
    pub error: Error,
    deliveries: Arc<Deliveries>,
}

impl RecordAccumulator {
    /// Ends it: what is in it fails with this error, and so does every call that comes later.
    pub fn fail(&self, error: &Error, deliveries: &Arc<Deliveries>) {
        // Before it is closed, so that whoever finds it closed knows why; and before the queues are emptied, so that
        // whoever comes to one later finds it.
        let fatal = self.fatal.get_or_init(|| Fatal { error: error.clone(), deliveries: deliveries.clone() });
        self.close();
        for topic in (0..).map_while(|number| self.numbered.get(number)) {
            self.fail_pending(topic, |_| true, error, deliveries);
            for partition in (0..).map_while(|index| topic.partitions.get(index)) {
                self.fail_queue(partition, fatal);
            }
        }
    }

    /// Fails records that wait for their topic, the oldest first, as long as they are among those that are meant.
    pub fn fail_pending(
        &self,
        topic: &Topic,
        which: impl Fn(&PendingChunk) -> bool,
        error: &Error,
        deliveries: &Deliveries,
    ) {
        let mut pending = topic.pending.lock();
        let mut failed = Vec::new();
        while pending.chunks.front().is_some_and(&which) {
            failed.extend(pending.chunks.pop_front());
        }
        if pending.chunks.is_empty() {
            pending.listed = false;
        }
        drop(pending);
        for mut chunk in failed {
            let (tokens, epoch) = (std::mem::take(&mut chunk.tokens), chunk.epoch);
            // Who sees the report may count on the memory.
            self.pool.release_buffer(chunk.charge(), chunk.into_buffer());
            deliveries.push_uncharged(DeliveryChunk::unplaced(&topic.name, -1, tokens, error.clone()));
            self.incomplete.end(epoch);
        }
    }

    /// Fails what is in this queue, but for batches that other threads are sealing.
    pub(super) fn fail_queue(&self, partition: &Partition, fatal: &Fatal) {
        let mut queue = partition.queue.lock();
        let sealed = queue.take_sealed();
        let open = queue.open.take();
        drop(queue);
        let plain = CompressionSetting { codec: Compression::None, level: 0 };
        let open = open.map(|open| open.seal(plain, &self.pool));
        for mut batch in sealed.into_iter().map(|b| *b).chain(open) {
            let tokens = std::mem::take(&mut batch.tokens);
            let SealedBatch { token_charge, epoch, .. } = batch;
            // Its memory goes back first: who sees the report may count on it.
            drop(batch);
            let error = fatal.error.clone();
            let mut chunk = DeliveryChunk::unplaced(&partition.topic, partition.index, tokens, error);
            chunk.charge = token_charge;
            fatal.deliveries.push(chunk);
            self.incomplete.end(epoch);
        }
    }
}
