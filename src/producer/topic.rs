//! What the producer keeps of a topic: its partitions' queues, and the records that wait until it is known.

use super::batch::{OpenBatch, SealedBatch};
use super::grow_only::GrowOnly;
use super::partitioner::BuiltInPartitioner;
use super::pending::Pending;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

/// A topic that something was sent to.
pub struct Topic {
    pub name: Arc<str>,
    /// Its place among the topics of its accumulator.
    pub number: usize,
    pub partitions: Partitions,
    pub sticky: BuiltInPartitioner,
    pub pending: Mutex<Pending>,
}

/// The partitions of a topic. Their number is known once metadata has named them; the queue of each stays for good,
/// even when the topic is deleted and made again smaller.
#[derive(Default)]
pub struct Partitions {
    count: AtomicUsize,
    queues: GrowOnly<Arc<Partition>>,
}

impl Partitions {
    /// How many there are; 0 as long as that is not known.
    #[inline(always)]
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Lets the application's threads send to the first `count` partitions, which have been made.
    pub fn publish(&self, count: usize) {
        self.count.store(count, Ordering::Release);
    }

    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<&Arc<Partition>> {
        self.queues.get(index)
    }

    pub fn get_or_init(&self, index: usize, make: impl FnOnce() -> Arc<Partition>) {
        self.queues.get_or_init(index, make);
    }
}

/// One partition's queue of batches.
pub struct Partition {
    pub topic: Arc<str>,
    /// The number of the topic in its accumulator.
    pub topic_number: usize,
    pub index: i32,
    /// The place of its state in the sender.
    pub slot: usize,
    pub queue: Mutex<Queue>,
}

/// Batches in the order of their records. The newest may be open; one that is being sealed outside the lock keeps
/// its place.
#[derive(Default)]
pub struct Queue {
    pub open: Option<OpenBatch>,
    slots: VecDeque<Slot>,
    /// The number of the slot at the front; they are numbered without end.
    first: u64,
    /// Listed for the sender to look at.
    pub listed: bool,
    /// The sender found a batch being sealed at the front, and wants to know when that is done.
    pub sender_waits: bool,
    /// Records in the last batch, to size the next one's list of tokens.
    pub expected: usize,
}

enum Slot {
    Sealing,
    Ready(Box<SealedBatch>),
}

/// A place in the queue for a batch that is being sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealTicket(u64);

impl Queue {
    /// Takes the open batch out, to be sealed by the caller outside the lock; its place is kept.
    pub fn begin_seal(&mut self) -> Option<(OpenBatch, SealTicket)> {
        let open = self.open.take()?;
        self.expected = open.records();
        let ticket = SealTicket(self.first + self.slots.len() as u64);
        self.slots.push_back(Slot::Sealing);
        Some((open, ticket))
    }

    /// Puts the sealed batch in its place. Returns whether the sender waits for it.
    pub fn end_seal(&mut self, ticket: SealTicket, batch: SealedBatch) -> bool {
        let at = usize::try_from(ticket.0.wrapping_sub(self.first)).unwrap_or(usize::MAX);
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Slot::Ready(Box::new(batch));
        }
        std::mem::take(&mut self.sender_waits)
    }

    /// The oldest batch, if it is sealed.
    pub fn front(&self) -> Option<&SealedBatch> {
        match self.slots.front() {
            Some(Slot::Ready(batch)) => Some(batch),
            _ => None,
        }
    }

    pub fn pop_front(&mut self) -> Option<Box<SealedBatch>> {
        self.front()?;
        self.first += 1;
        match self.slots.pop_front() {
            Some(Slot::Ready(batch)) => Some(batch),
            _ => None,
        }
    }

    /// Takes all sealed batches out, also those behind one that is being sealed.
    pub fn take_sealed(&mut self) -> Vec<Box<SealedBatch>> {
        let mut taken = Vec::new();
        for slot in &mut self.slots {
            match std::mem::replace(slot, Slot::Sealing) {
                Slot::Ready(batch) => taken.push(batch),
                Slot::Sealing => {}
            }
        }
        taken
    }

    /// Whether a batch is being sealed by another thread in front of everything else.
    pub fn is_sealing(&self) -> bool {
        matches!(self.slots.front(), Some(Slot::Sealing))
    }

    /// Whether every batch in it is sealed and taken.
    pub fn is_empty(&self) -> bool {
        self.open.is_none() && self.slots.is_empty()
    }

    /// All batches, the open one included.
    pub fn batches(&self) -> usize {
        self.slots.len() + usize::from(self.open.is_some())
    }

    /// Sealed batches, and such that are being sealed.
    pub fn sealed(&self) -> usize {
        self.slots.len()
    }
}

impl Topic {
    pub fn new(name: Arc<str>, number: usize, seed: u64) -> Topic {
        Topic {
            name,
            number,
            partitions: Partitions::default(),
            sticky: BuiltInPartitioner::new(seed),
            pending: Mutex::new(Pending::default()),
        }
    }
}
