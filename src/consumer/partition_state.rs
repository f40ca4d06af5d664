//! What the consumer knows of one assigned partition.

use crate::error::Error;
use crate::time::Nanos;
use std::sync::Arc;

/// A topic, interned by [`super::subscription_state::SubscriptionState`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub u32);

/// A partition of an interned topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionId {
    pub topic: TopicId,
    pub index: i32,
}

/// The next record to hand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub offset: i64,
    /// The leader epoch of the record before it; -1 when it is not known.
    pub leader_epoch: i32,
}

/// Which end of a partition to go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Beginning,
    End,
}

impl End {
    /// How ListOffsets asks for it.
    pub fn timestamp(self) -> i64 {
        match self {
            End::Beginning => -2,
            End::End => -1,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The group's committed offset is to be asked for.
    Unknown,
    /// An end of the partition is to be asked for.
    Reset(End),
    At(Position),
}

/// Whose a partition is. What the group does is one thing, what the application knows of it another: for the
/// application the partition is assigned until it has seen the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Ours,
    /// To be given up; the application has not seen the event.
    Revoking,
    /// To be given up; the application has seen the event, and is not done yet.
    Told,
    /// Gone; the application has not seen the event.
    Lost,
}

#[derive(Clone, Debug)]
pub struct PartitionState {
    pub topic: Arc<str>,
    pub place: Place,
    /// Changes with every jump of the position; what was asked for under another epoch is stale.
    pub epoch: u64,
    pub paused: bool,
    /// Only what is ours is fetched and handed out.
    pub stage: Stage,
    /// The position that former polls have reached: what may be committed without being asked.
    pub processed: Option<Position>,
    /// The position has moved since the last poll began.
    pub touched: bool,
    /// The offset to fetch next, which runs ahead of the position; nothing when it is not known before what is
    /// buffered was read.
    pub next_fetch: Option<i64>,
    /// Fetches that wait in the buffer.
    pub buffered: u32,
    /// No request for this partition before this moment.
    pub retry_at: Nanos,
    /// Failures in a row.
    pub failures: u32,
    /// Why there is no position, or no progress.
    pub error: Option<Error>,
    /// What failed last and is tried again.
    pub trouble: Option<Error>,
}

/// Fetches of one partition that may be in the buffer: one that is read and one ahead.
pub const MAX_BUFFERED: u32 = 2;

impl PartitionState {
    pub fn new(topic: Arc<str>, place: Place, epoch: u64) -> PartitionState {
        PartitionState {
            topic,
            place,
            epoch,
            paused: false,
            stage: Stage::Ours,
            processed: None,
            touched: false,
            next_fetch: None,
            buffered: 0,
            retry_at: Nanos(0),
            failures: 0,
            error: None,
            trouble: None,
        }
    }

    pub fn position(&self) -> Option<Position> {
        match self.place {
            Place::At(position) => Some(position),
            _ => None,
        }
    }

    /// Whether the application may think that it has this partition.
    pub fn is_assigned(&self) -> bool {
        self.stage != Stage::Told
    }

    /// Whether its records may be handed out.
    pub fn is_readable(&self) -> bool {
        !self.paused && self.stage == Stage::Ours && matches!(self.place, Place::At(_))
    }

    /// Goes somewhere else: nothing that is under way for it counts any more.
    pub fn jump(&mut self, place: Place, epoch: u64) {
        self.place = place;
        self.epoch = epoch;
        self.next_fetch = self.position().map(|p| p.offset);
        self.buffered = 0;
        self.retry_at = Nanos(0);
        self.failures = 0;
        self.error = None;
        self.trouble = None;
    }

    /// Drops what was fetched and begins again at the position.
    pub fn refetch(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.next_fetch = self.position().map(|p| p.offset);
        self.buffered = 0;
    }

    /// Whether another fetch would have to wait for what is buffered to be read.
    pub fn is_blocked(&self) -> bool {
        self.buffered >= MAX_BUFFERED || self.next_fetch.is_none()
    }

    /// One fetch of the buffer has been read to its end. Returns whether the fetcher waited for it.
    pub fn drained(&mut self) -> bool {
        let blocked = self.is_blocked();
        self.buffered = self.buffered.saturating_sub(1);
        if self.buffered == 0 && self.next_fetch.is_none() {
            self.next_fetch = self.position().map(|p| p.offset);
        }
        blocked && !self.is_blocked()
    }
}
