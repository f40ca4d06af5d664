//! What the group gives and takes. The I/O thread does it at any time; the application sees it with the events.

use super::{PartitionId, Stage, SubscriptionState};
use crate::serialization::TopicPartition;

impl SubscriptionState {
    /// Takes over partitions that the group gave to this member.
    pub fn add_from_group(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            let id = self.intern(partition);
            if self.partitions.get(&id).is_some_and(|s| s.stage == Stage::Lost) {
                // It comes back before the application knew that it was gone: from the committed offset, as new.
                self.remove(&[id]);
            }
            self.add(id);
        }
    }

    /// All partitions of this member, those that it is about to give up included.
    pub fn owned(&self) -> Vec<TopicPartition> {
        self.names_of(|s| s.stage != Stage::Lost)
    }

    /// The partitions that this member means to keep.
    pub fn kept(&self) -> Vec<TopicPartition> {
        self.names_of(|s| s.stage == Stage::Ours)
    }

    /// Stops reading these partitions; they still can be committed.
    pub fn start_revoking(&mut self, partitions: &[TopicPartition]) {
        for id in partitions.iter().filter_map(|p| self.find(p)).collect::<Vec<_>>() {
            self.retire(id, Stage::Revoking);
        }
    }

    /// The application sees the event now.
    pub fn tell_revoked(&mut self) {
        for state in self.partitions.values_mut().filter(|s| s.stage == Stage::Revoking) {
            state.stage = Stage::Told;
        }
    }

    /// Gives up what was being revoked.
    pub fn finish_revoking(&mut self) {
        self.remove_stages(&[Stage::Revoking, Stage::Told]);
    }

    /// Loses everything at once. Returns what the application has to be told of.
    pub fn lose_all(&mut self) -> Vec<TopicPartition> {
        self.remove_stages(&[Stage::Told]);
        let lost = self.owned();
        for id in self.partitions.keys().copied().collect::<Vec<_>>() {
            self.retire(id, Stage::Lost);
            self.uncommitted.remove(&id);
        }
        lost
    }

    /// The application sees the event now.
    pub fn tell_lost(&mut self) {
        self.remove_stages(&[Stage::Lost]);
    }

    /// Stops all work for a partition.
    fn retire(&mut self, id: PartitionId, stage: Stage) {
        self.last_epoch += 1;
        if let Some(state) = self.partitions.get_mut(&id) {
            state.stage = stage;
            state.refetch(self.last_epoch);
        }
        self.needs_offset.remove(&id);
        self.needs_reset.remove(&id);
    }

    fn remove_stages(&mut self, stages: &[Stage]) {
        let gone = self.partitions.iter().filter(|(_, s)| stages.contains(&s.stage));
        let gone: Vec<PartitionId> = gone.map(|(id, _)| *id).collect();
        self.remove(&gone);
    }
}
