//! What a partition knows about idempotent producers: it stores a batch once, and in order.

use super::errors::*;
use crate::record::Batch;
use std::collections::{HashMap, VecDeque};

/// Batches per producer that a repetition is recognized of.
const REMEMBERED: usize = 5;

#[derive(Clone, Copy, Debug)]
struct Stored {
    first_sequence: i32,
    last_sequence: i32,
    base_offset: i64,
    timestamp: i64,
}

#[derive(Clone, Debug)]
struct ProducerEntry {
    epoch: i16,
    /// Oldest first; at least one.
    batches: VecDeque<Stored>,
}

/// What to do with a batch of an idempotent producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the next one.
    Append,
    /// It was stored before, at this offset; its latest timestamp is answered as its append time, as Kafka does.
    Duplicate { base_offset: i64, timestamp: i64 },
    /// It is refused with this error code.
    Refuse(i16),
}

/// The producers that wrote to one partition.
#[derive(Debug, Default)]
pub(super) struct ProducerStates(HashMap<i64, ProducerEntry, foldhash::fast::FixedState>);

/// Sequence numbers go from i32::MAX to 0.
fn sequence_after(first: i32, more: u32) -> i32 {
    ((first as u32).wrapping_add(more) & i32::MAX as u32) as i32
}

fn last_sequence(batch: &Batch) -> i32 {
    sequence_after(batch.base_sequence, batch.count.unwrap_or(1).saturating_sub(1))
}

impl ProducerStates {
    /// Judges a batch; batches without a producer id are always appended.
    ///
    /// A producer that this partition does not know may begin with any sequence, as in Kafka, where its state may
    /// have been lost with the records.
    pub fn check(&self, batch: &Batch) -> Verdict {
        if batch.producer_id < 0 {
            return Verdict::Append;
        }
        let known = self.0.get(&batch.producer_id);
        if known.is_some_and(|entry| batch.producer_epoch < entry.epoch) {
            return Verdict::Refuse(INVALID_PRODUCER_EPOCH);
        }
        if batch.base_sequence < 0 || batch.producer_epoch < 0 {
            return Verdict::Refuse(INVALID_RECORD);
        }
        let Some(entry) = known else { return Verdict::Append };
        if batch.producer_epoch > entry.epoch {
            return match batch.base_sequence {
                0 => Verdict::Append,
                _ => Verdict::Refuse(OUT_OF_ORDER_SEQUENCE_NUMBER),
            };
        }
        let last = last_sequence(batch);
        let same = |b: &&Stored| b.first_sequence == batch.base_sequence && b.last_sequence == last;
        if let Some(stored) = entry.batches.iter().find(same) {
            return Verdict::Duplicate { base_offset: stored.base_offset, timestamp: stored.timestamp };
        }
        match entry.batches.back() {
            Some(b) if sequence_after(b.last_sequence, 1) != batch.base_sequence => {
                Verdict::Refuse(OUT_OF_ORDER_SEQUENCE_NUMBER)
            }
            _ => Verdict::Append,
        }
    }

    /// Notes a batch that was appended at `base_offset`; `timestamp` is its latest, or its append time.
    pub fn appended(&mut self, batch: &Batch, base_offset: i64, timestamp: i64) {
        if batch.producer_id < 0 {
            return;
        }
        let stored = Stored {
            first_sequence: batch.base_sequence,
            last_sequence: last_sequence(batch),
            base_offset,
            timestamp,
        };
        let entry = self
            .0
            .entry(batch.producer_id)
            .or_insert_with(|| ProducerEntry { epoch: batch.producer_epoch, batches: VecDeque::new() });
        if entry.epoch != batch.producer_epoch {
            entry.epoch = batch.producer_epoch;
            entry.batches.clear();
        }
        if entry.batches.len() == REMEMBERED {
            entry.batches.pop_front();
        }
        entry.batches.push_back(stored);
    }

    /// Forgets all producers, as a broker does when their records are gone.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::testing::batch;

    fn idempotent(epoch: i16, sequence: i32, records: u32) -> Batch {
        batch(records, 7, epoch, sequence).0
    }

    #[test]
    fn accepts_in_order_and_recognizes_repetitions() {
        let mut states = ProducerStates::default();
        for (i, offset) in (0..7).map(|i| (i, i64::from(i) * 10)) {
            let b = idempotent(0, i * 2, 2);
            assert_eq!(states.check(&b), Verdict::Append);
            states.appended(&b, offset, -1);
        }
        let again = idempotent(0, 4, 2);
        assert_eq!(states.check(&again), Verdict::Duplicate { base_offset: 20, timestamp: -1 });
        // Six batches back is too far, and a part of a batch is not the batch.
        assert_eq!(states.check(&idempotent(0, 2, 2)), Verdict::Refuse(OUT_OF_ORDER_SEQUENCE_NUMBER));
        assert_eq!(states.check(&idempotent(0, 12, 1)), Verdict::Refuse(OUT_OF_ORDER_SEQUENCE_NUMBER));
        assert_eq!(states.check(&idempotent(0, 16, 1)), Verdict::Refuse(OUT_OF_ORDER_SEQUENCE_NUMBER));
    }

    #[test]
    fn epochs_fence_and_restart_sequences() {
        let mut states = ProducerStates::default();
        let b = idempotent(3, 9, 1);
        assert_eq!(states.check(&b), Verdict::Append, "an unknown producer may begin anywhere");
        states.appended(&b, 0, -1);
        assert_eq!(states.check(&idempotent(2, 10, 1)), Verdict::Refuse(INVALID_PRODUCER_EPOCH));
        assert_eq!(states.check(&idempotent(4, 10, 1)), Verdict::Refuse(OUT_OF_ORDER_SEQUENCE_NUMBER));
        let next = idempotent(4, 0, 1);
        assert_eq!(states.check(&next), Verdict::Append);
        states.appended(&next, 1, -1);
        assert_eq!(states.check(&idempotent(4, 1, 1)), Verdict::Append);
    }

    #[test]
    fn sequences_wrap_to_zero() {
        let mut states = ProducerStates::default();
        states.appended(&idempotent(0, i32::MAX - 1, 2), 0, -1);
        assert_eq!(states.check(&idempotent(0, 0, 1)), Verdict::Append);
        states.appended(&idempotent(0, 0, 1), 2, -1);
        let wrapping = idempotent(1, i32::MAX, 3);
        assert_eq!(last_sequence(&wrapping), 1);
    }
}
