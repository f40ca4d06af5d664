//! The offsets that a group has committed.

use super::{Group, GroupState};
use crate::embedded::errors::*;
use crate::time::Nanos;

/// A committed position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    pub offset: i64,
    /// Epoch of the last record before it; -1 when unknown.
    pub leader_epoch: i32,
    pub metadata: String,
}

impl Group {
    /// Whether this committer may commit: a member of the current generation, or anyone (generation -1) while
    /// the group has no members. The error code is the answer if not.
    pub fn check_commit(
        &mut self,
        now: Nanos,
        member: &str,
        instance: Option<&str>,
        generation: i32,
    ) -> Result<(), i16> {
        if generation < 0 && self.state == GroupState::Empty {
            return Ok(());
        }
        self.identify(member, instance, Some(generation))?;
        self.touch(now, member);
        match self.state {
            GroupState::CompletingRebalance => Err(REBALANCE_IN_PROGRESS),
            _ => Ok(()),
        }
    }

    pub fn commit(&mut self, topic: &str, partition: i32, committed: CommittedOffset) {
        if let Some(partitions) = self.offsets.get_mut(topic) {
            partitions.insert(partition, committed);
        } else {
            self.offsets.entry(topic.to_owned()).or_default().insert(partition, committed);
        }
    }

    pub fn committed(&self, topic: &str, partition: i32) -> Option<&CommittedOffset> {
        self.offsets.get(topic)?.get(&partition)
    }

    /// All committed offsets, by topic and partition.
    pub fn all_committed(
        &self,
    ) -> impl Iterator<Item = (&str, impl Iterator<Item = (i32, &CommittedOffset)>)> {
        self.offsets
            .iter()
            .map(|(topic, partitions)| (topic.as_str(), partitions.iter().map(|(p, c)| (*p, c))))
    }

    /// Forgets the offsets of a topic that was deleted.
    pub fn forget_topic(&mut self, topic: &str) {
        self.offsets.remove(topic);
    }
}
