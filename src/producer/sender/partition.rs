//! What the sender keeps of one partition: what is on its way, what must be sent again, and the numbering.

use crate::client::request::{NodeId, RequestId};
use crate::producer::batch::{SealedBatch, Sequence};
use crate::producer::topic::Partition;
use crate::producer::transaction_manager::ProducerIdAndEpoch;
use crate::time::Nanos;
use std::collections::VecDeque;
use std::sync::Arc;

/// A broker remembers this many batches of a producer to recognize repeated ones.
pub const MAX_NUMBERED_IN_FLIGHT: usize = 5;

pub struct PartitionState {
    pub partition: Arc<Partition>,
    pub leader: Option<NodeId>,
    /// Its place in its leader's queue of partitions that have something to send.
    pub queued: Option<QueuePlace>,
    /// When its timer comes up; `NEVER` when it has none.
    pub scheduled: Nanos,
    /// To be sent again, in their order.
    pub retries: VecDeque<Box<SealedBatch>>,
    pub in_flight: Vec<InFlightBatch>,
    /// What the partitioner was told last of the batches that wait; see `tell_load`.
    pub load: Option<usize>,
    /// That may be no longer right.
    pub load_noted: bool,
    numbering: Option<Numbering>,
    /// Places of batches that were confirmed although one before them is unresolved.
    confirmed_behind: Vec<(u64, u32)>,
    /// Numbering begins again, under a new epoch, as soon as nothing is in flight.
    restart: bool,
}

/// A place in a queue. One that is not the partition's present place is void, so that a leader's queue need not be
/// searched when a partition leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueuePlace(pub u64);

pub struct InFlightBatch {
    pub request: RequestId,
    pub batch: Box<SealedBatch>,
    /// Its records were reported as timed out; the answer is awaited only for the numbering's sake.
    pub reported: bool,
}

#[derive(Clone, Copy)]
struct Numbering {
    id: ProducerIdAndEpoch,
    next: i32,
    /// The broker has confirmed a batch of it. A broker that does not know a producer takes whatever number comes
    /// first; so the second batch must not be sent before the first one is there.
    confirmed: bool,
}

impl PartitionState {
    pub fn new(partition: Arc<Partition>) -> PartitionState {
        PartitionState {
            partition,
            leader: None,
            queued: None,
            scheduled: Nanos::NEVER,
            retries: VecDeque::new(),
            in_flight: Vec::new(),
            load: Some(0),
            load_noted: false,
            numbering: None,
            confirmed_behind: Vec::new(),
            restart: false,
        }
    }

    /// Numbers of batches must begin again under a new epoch.
    pub fn request_restart(&mut self) -> bool {
        !std::mem::replace(&mut self.restart, true)
    }

    /// Whether the next batch may go out now, as far as order goes. `limit`: how many may be in flight; batches that
    /// are confirmed count as long as one before them is not. Else the broker could have forgotten that one, and
    /// not recognize it when it comes again.
    pub fn may_send(&self, limit: usize) -> bool {
        if self.restart && !self.in_flight.is_empty() {
            return false;
        }
        let oldest = self.oldest_place();
        let behind =
            self.confirmed_behind.iter().filter(|place| oldest.is_some_and(|oldest| oldest < **place));
        let room = self.in_flight.len() + behind.count() < limit;
        match self.retries.front() {
            // What is sent again goes one by one: whatever is in flight behind it will come back as well.
            Some(first) => {
                (room || self.in_flight.is_empty())
                    && self.in_flight.iter().all(|f| first.order < f.batch.order)
            }
            None if self.numbering.is_some_and(|n| !n.confirmed) => self.in_flight.is_empty(),
            None => room,
        }
    }

    /// The place of the oldest batch that is neither confirmed nor given up.
    fn oldest_place(&self) -> Option<(u64, u32)> {
        self.in_flight.iter().map(|f| f.batch.order).chain(self.retries.iter().map(|r| r.order)).min()
    }

    /// The broker confirmed a batch, which is no longer among those in flight.
    pub fn confirmed(&mut self, batch: &SealedBatch) {
        let (Some(numbering), Some(sequence)) = (&mut self.numbering, batch.sequence) else { return };
        if (numbering.id.id, numbering.id.epoch) != (sequence.producer_id, sequence.epoch) {
            return;
        }
        numbering.confirmed = true;
        let oldest = self.oldest_place();
        self.confirmed_behind.push(batch.order);
        self.confirmed_behind.retain(|place| oldest.is_some_and(|oldest| oldest < *place));
    }

    /// Gives the batch its number, if it has none and batches are numbered.
    pub fn number(&mut self, batch: &mut SealedBatch, id: ProducerIdAndEpoch) {
        if std::mem::take(&mut self.restart) || self.numbering.is_none() {
            self.numbering = Some(Numbering { id, next: 0, confirmed: false });
            self.confirmed_behind.clear();
            batch.sequence = None;
            for later in &mut self.retries {
                later.sequence = None;
            }
        }
        if batch.sequence.is_some() {
            return;
        }
        if let Some(numbering) = &mut self.numbering {
            batch.sequence = Some(Sequence {
                producer_id: numbering.id.id,
                epoch: numbering.id.epoch,
                base: numbering.next,
            });
            numbering.next = SealedBatch::next_sequence(numbering.next, batch.records());
        }
    }

    /// Takes what a request carried for this partition.
    pub fn take_in_flight(&mut self, request: RequestId) -> Option<InFlightBatch> {
        let at = self.in_flight.iter().position(|f| f.request == request)?;
        Some(self.in_flight.remove(at))
    }

    /// Whether no batch before this one is unresolved.
    pub fn is_oldest(&self, batch: &SealedBatch) -> bool {
        self.oldest_place().is_none_or(|oldest| batch.order < oldest)
    }

    /// Puts a batch back among those to be sent again, in its place.
    pub fn put_back(&mut self, batch: Box<SealedBatch>) {
        let at = self.retries.partition_point(|r| r.order < batch.order);
        self.retries.insert(at, batch);
    }

    /// When the oldest batch on its way or to be sent again was begun.
    pub fn oldest_unresolved(&self) -> Option<Nanos> {
        let in_flight = self.in_flight.iter().filter(|f| !f.reported).map(|f| f.batch.created);
        in_flight.chain(self.retries.iter().map(|r| r.created)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::producer::batch::{CompressionSetting, OpenBatch};
    use crate::producer::buffer_pool::BufferPool;
    use crate::record::{Compression, RecordRef};
    use bytes::BytesMut;
    use parking_lot::Mutex;

    const ID: ProducerIdAndEpoch = ProducerIdAndEpoch { id: 9, epoch: 0 };

    fn batch(order: u64) -> Box<SealedBatch> {
        let pool = Arc::new(BufferPool::new(1 << 20, 1 << 10, Arc::default()));
        let mut open = OpenBatch::new(BytesMut::zeroed(1 << 10), Nanos(0), 0, 1);
        open.try_append(&RecordRef::default(), 0, 1 << 10).unwrap();
        let mut batch = open.seal(CompressionSetting { codec: Compression::None, level: 0 }, &pool);
        batch.order = (order, 0);
        Box::new(batch)
    }

    fn state() -> PartitionState {
        let queue = Mutex::default();
        PartitionState::new(Arc::new(Partition {
            topic: "t".into(),
            topic_number: 0,
            index: 0,
            slot: 0,
            queue,
        }))
    }

    fn send(state: &mut PartitionState, mut batch: Box<SealedBatch>) {
        assert!(state.may_send(MAX_NUMBERED_IN_FLIGHT));
        state.number(&mut batch, ID);
        let request = batch.order.0;
        state.in_flight.push(InFlightBatch { request: RequestId(request), batch, reported: false });
    }

    fn confirm(state: &mut PartitionState, order: u64) {
        let sent = state.take_in_flight(RequestId(order)).unwrap();
        state.confirmed(&sent.batch);
    }

    /// A broker remembers five batches: one whose answer got lost must stay among them.
    #[test]
    fn confirmed_batches_behind_an_unresolved_one_count() {
        let mut state = state();
        send(&mut state, batch(0));
        assert!(!state.may_send(MAX_NUMBERED_IN_FLIGHT), "the numbering is not confirmed");
        confirm(&mut state, 0);
        for order in 1..=5 {
            send(&mut state, batch(order));
        }
        assert!(!state.may_send(MAX_NUMBERED_IN_FLIGHT), "five are in flight");
        for order in 2..=4 {
            confirm(&mut state, order);
        }
        assert!(!state.may_send(MAX_NUMBERED_IN_FLIGHT), "the first is still the first of five");
        let lost = state.take_in_flight(RequestId(1)).unwrap();
        state.put_back(lost.batch);
        let again = state.retries.pop_front().unwrap();
        send(&mut state, again);
        assert!(!state.may_send(MAX_NUMBERED_IN_FLIGHT), "it is no younger for being sent again");
        confirm(&mut state, 1);
        for order in 6..=9 {
            send(&mut state, batch(order));
        }
        assert!(!state.may_send(MAX_NUMBERED_IN_FLIGHT), "now the fifth is");
        assert!(state.confirmed_behind.is_empty());
    }
}
