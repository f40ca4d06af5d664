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
    numbering: Option<Numbering>,
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
            numbering: None,
            restart: false,
        }
    }

    /// Numbers of batches must begin again under a new epoch.
    pub fn request_restart(&mut self) -> bool {
        !std::mem::replace(&mut self.restart, true)
    }

    /// Whether the next batch may go out now, as far as order goes. `limit`: how many may be in flight.
    pub fn may_send(&self, limit: usize) -> bool {
        if self.restart && !self.in_flight.is_empty() {
            return false;
        }
        match self.retries.front() {
            // What is sent again goes one by one: whatever is in flight behind it will come back as well.
            Some(first) => self.in_flight.iter().all(|f| first.order < f.batch.order),
            None if self.numbering.is_some_and(|n| !n.confirmed) => self.in_flight.is_empty(),
            None => self.in_flight.len() < limit,
        }
    }

    /// The broker confirmed a batch with this number.
    pub fn confirmed(&mut self, sequence: Option<Sequence>) {
        if let (Some(numbering), Some(sequence)) = (&mut self.numbering, sequence) {
            numbering.confirmed |=
                numbering.id.id == sequence.producer_id && numbering.id.epoch == sequence.epoch;
        }
    }

    /// Gives the batch its number, if it has none and batches are numbered.
    pub fn number(&mut self, batch: &mut SealedBatch, id: ProducerIdAndEpoch) {
        if std::mem::take(&mut self.restart) || self.numbering.is_none() {
            self.numbering = Some(Numbering { id, next: 0, confirmed: false });
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
        self.in_flight.iter().all(|f| batch.order < f.batch.order)
            && self.retries.iter().all(|r| batch.order < r.order)
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
