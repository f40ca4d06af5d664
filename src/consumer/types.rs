//! What the consumer's calls take and give.

use super::record_view::FetchedBatch;
use crate::error::Error;
use crate::serialization::TopicPartition;
use std::sync::Arc;

/// Where to read on, as it is committed for a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetAndMetadata {
    /// The offset of the next record to read.
    pub offset: i64,
    /// The leader epoch of the last record that was read (KIP-320); -1 when it is not known.
    pub leader_epoch: i32,
    /// Whatever the application wants to keep with it.
    pub metadata: Option<Arc<str>>,
}

impl OffsetAndMetadata {
    pub fn new(offset: i64) -> OffsetAndMetadata {
        OffsetAndMetadata { offset, leader_epoch: -1, metadata: None }
    }
}

pub type Offsets = Vec<(TopicPartition, OffsetAndMetadata)>;

/// The answer to "which is the first record with at least this timestamp".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetAndTimestamp {
    pub offset: i64,
    /// Milliseconds since the Unix epoch; -1 for the beginning and the end of a partition.
    pub timestamp_ms: i64,
    /// -1 when it is not known.
    pub leader_epoch: i32,
}

/// What happened to the group or to a commit; comes out of poll.
#[derive(Clone, Debug)]
pub enum Event {
    /// These partitions are this member's from now on. With the eager protocol all it has, with the cooperative
    /// one those that came.
    Assigned(Vec<TopicPartition>),
    /// These partitions are to be given up. The next poll says that the application is done with them; until then
    /// their offsets can be committed.
    Revoked(Vec<TopicPartition>),
    /// These partitions are gone already, others may read them: nothing can be committed for them.
    Lost { partitions: Vec<TopicPartition>, reason: Error },
    /// A commit that nobody waits for has ended; of those that the consumer does by itself only the failures.
    Committed { offsets: Offsets, error: Option<Error> },
}

/// What a poll gives: an event or records, never both.
#[derive(Debug)]
pub enum Polled {
    Records(FetchedBatch),
    Event(Event),
    /// Nothing came within the time-out.
    Nothing,
}
