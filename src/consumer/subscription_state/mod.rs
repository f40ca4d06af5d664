//! `SubscriptionState`: what is subscribed to or assigned, and where each partition stands.
//!
//! Both sides use it under one short lock: the application's thread moves positions forward as it hands records
//! out, the I/O thread fills positions in and assigns and revokes. A jump of a position, from whichever side,
//! changes the partition's epoch, and answers that were asked for under another epoch are dropped.

mod group;
#[cfg(test)]
mod tests;

use super::partition_state::{End, PartitionId, PartitionState, Place, Position, Stage, TopicId};
use super::types::OffsetAndMetadata;
use crate::error::{Code, Error, Result};
use crate::serialization::TopicPartition;
use crate::time::Nanos;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// Where the assignment comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    None,
    /// From the group.
    Subscribed,
    /// From the application.
    Assigned,
}

#[derive(Debug)]
pub struct SubscriptionState {
    mode: Mode,
    subscription: BTreeSet<Arc<str>>,
    /// Topics of other members, which a leader has to know.
    group_topics: BTreeSet<Arc<str>>,
    /// Topics that a call asks about.
    lookups: BTreeMap<Arc<str>, usize>,
    names: Vec<Arc<str>>,
    ids: Map<Arc<str>, TopicId>,
    partitions: BTreeMap<PartitionId, PartitionState>,
    /// Whether new partitions start at the group's committed offset.
    has_group: bool,
    /// Where to go without a committed offset; `None` is an error.
    default_reset: Option<End>,
    last_epoch: u64,
    /// Counts the ends of subscriptions.
    session: u64,
    layout: u64,
    changes: u64,
    topics_version: u64,
    needs_offset: BTreeSet<PartitionId>,
    needs_reset: BTreeSet<PartitionId>,
    /// Partitions whose position moved since the last poll began.
    touched: Vec<PartitionId>,
    /// Partitions that were processed since they were last committed by themselves.
    uncommitted: BTreeSet<PartitionId>,
}

impl SubscriptionState {
    pub fn new(has_group: bool, default_reset: Option<End>) -> SubscriptionState {
        SubscriptionState {
            mode: Mode::None,
            subscription: BTreeSet::new(),
            group_topics: BTreeSet::new(),
            lookups: BTreeMap::new(),
            names: Vec::new(),
            ids: Map::default(),
            partitions: BTreeMap::new(),
            has_group,
            default_reset,
            last_epoch: 0,
            session: 0,
            layout: 0,
            changes: 0,
            topics_version: 0,
            needs_offset: BTreeSet::new(),
            needs_reset: BTreeSet::new(),
            touched: Vec::new(),
            uncommitted: BTreeSet::new(),
        }
    }

    // ---- what the application chooses

    /// Subscribes to exactly these topics; the partitions come from the group.
    pub fn subscribe(&mut self, topics: BTreeSet<Arc<str>>) -> Result<()> {
        if self.mode == Mode::Assigned {
            return Err(mixed("subscribe", "partitions are assigned"));
        }
        self.mode = Mode::Subscribed;
        self.subscription = topics;
        self.topics_version += 1;
        Ok(())
    }

    /// Assigns exactly these partitions; those that were assigned before keep their positions.
    pub fn assign(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        if self.mode == Mode::Subscribed {
            return Err(mixed("assign", "topics are subscribed to"));
        }
        self.mode = Mode::Assigned;
        let wanted: BTreeSet<PartitionId> = partitions.iter().map(|p| self.intern(p)).collect();
        let gone: Vec<PartitionId> =
            self.partitions.keys().filter(|id| !wanted.contains(id)).copied().collect();
        self.remove(&gone);
        for id in wanted {
            self.add(id);
        }
        Ok(())
    }

    /// Forgets subscription and assignment.
    pub fn unsubscribe(&mut self) {
        self.mode = Mode::None;
        self.session += 1;
        self.subscription.clear();
        self.group_topics.clear();
        let all: Vec<PartitionId> = self.partitions.keys().copied().collect();
        self.remove(&all);
        self.topics_version += 1;
    }

    /// Tells one subscription from the next after an unsubscribe: what the group gave to the former is not for the
    /// latter.
    pub fn session(&self) -> u64 {
        self.session
    }

    pub fn mode(&self) -> Mode {
        self.mode
    }

    pub fn subscription(&self) -> &BTreeSet<Arc<str>> {
        &self.subscription
    }

    /// What the application has, as far as it knows.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.names_of(|s| s.is_assigned())
    }

    fn names_of(&self, which: impl Fn(&PartitionState) -> bool) -> Vec<TopicPartition> {
        let partitions = self.partitions.iter().filter(|(_, s)| which(s));
        partitions.map(|(id, s)| TopicPartition::new(s.topic.clone(), id.index)).collect()
    }

    /// Jumps to a position.
    pub fn seek(&mut self, partition: &TopicPartition, position: Position) -> Result<()> {
        let id = self.assigned(partition, "seek")?;
        self.jump(id, Place::At(position));
        Ok(())
    }

    /// Jumps to an end, as soon as its offset is known.
    pub fn seek_to(&mut self, partition: &TopicPartition, end: End) -> Result<()> {
        let id = self.assigned(partition, "seek")?;
        self.jump(id, Place::Reset(end));
        Ok(())
    }

    pub fn set_paused(&mut self, partition: &TopicPartition, paused: bool) -> Result<()> {
        let id = self.assigned(partition, if paused { "pause" } else { "resume" })?;
        if let Some(state) = self.partitions.get_mut(&id) {
            state.paused = paused;
            self.changes += 1;
        }
        Ok(())
    }

    pub fn paused(&self) -> Vec<TopicPartition> {
        self.names_of(|s| s.paused && s.is_assigned())
    }

    /// The position of a partition, or why it has none yet.
    pub fn position(
        &self,
        partition: &TopicPartition,
    ) -> Result<std::result::Result<Position, Option<Error>>> {
        let id = self.assigned(partition, "ask for the position of")?;
        let state = self.partitions.get(&id);
        Ok(match state.and_then(|s| s.position()) {
            Some(position) => Ok(position),
            None => Err(state.and_then(|s| s.error.clone())),
        })
    }

    /// What is in the way of a position, as far as a broker said so.
    pub fn trouble(&self, partition: &TopicPartition) -> Option<Error> {
        self.find(partition).and_then(|id| self.partitions.get(&id)?.trouble.clone())
    }

    /// Checks that all of these are assigned.
    pub fn check_assigned(&self, partitions: &[TopicPartition], what: &str) -> Result<()> {
        partitions.iter().try_for_each(|p| self.assigned(p, what).map(|_| ()))
    }

    fn assigned(&self, partition: &TopicPartition, what: &str) -> Result<PartitionId> {
        let found =
            self.find(partition).filter(|id| self.partitions.get(id).is_some_and(|s| s.is_assigned()));
        found.ok_or_else(|| {
            let text = format!("cannot {what} {partition}: it is not assigned to this consumer");
            Error::new(Code::INVALID_STATE, text)
                .hint("assign it first, or wait for the assigned event that names it")
        })
    }

    // ---- names

    fn intern(&mut self, partition: &TopicPartition) -> PartitionId {
        let topic = match self.ids.get(&partition.topic) {
            Some(id) => *id,
            None => {
                let id = TopicId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
                self.names.push(partition.topic.clone());
                self.ids.insert(partition.topic.clone(), id);
                id
            }
        };
        PartitionId { topic, index: partition.partition }
    }

    pub fn find(&self, partition: &TopicPartition) -> Option<PartitionId> {
        self.topic_id(&partition.topic).map(|topic| PartitionId { topic, index: partition.partition })
    }

    pub fn topic_id(&self, name: &str) -> Option<TopicId> {
        self.ids.get(name).copied()
    }

    pub fn name(&self, id: PartitionId) -> TopicPartition {
        let topic = self.names.get(id.topic.0 as usize).cloned().unwrap_or_else(|| Arc::from(""));
        TopicPartition::new(topic, id.index)
    }

    // ---- coming and going

    fn add(&mut self, id: PartitionId) {
        if self.partitions.contains_key(&id) {
            return;
        }
        self.last_epoch += 1;
        let Some(topic) = self.names.get(id.topic.0 as usize) else { return };
        self.partitions.insert(id, PartitionState::new(topic.clone(), Place::Unknown, self.last_epoch));
        match self.has_group {
            true => _ = self.needs_offset.insert(id),
            false => self.reset_by_policy(id),
        }
        self.layout += 1;
        self.topics_version += 1;
    }

    fn remove(&mut self, ids: &[PartitionId]) {
        for id in ids {
            self.partitions.remove(id);
            self.needs_offset.remove(id);
            self.needs_reset.remove(id);
            self.uncommitted.remove(id);
        }
        if !ids.is_empty() {
            let left = &self.partitions;
            self.touched.retain(|id| left.contains_key(id));
            self.layout += 1;
            self.topics_version += 1;
        }
    }

    // ---- positions

    fn jump(&mut self, id: PartitionId, place: Place) {
        self.last_epoch += 1;
        // One that is about to go is not looked for any more. But a place that the application names is where the next
        // member begins.
        let moves =
            |stage: Stage| stage == Stage::Ours || stage == Stage::Revoking && matches!(place, Place::At(_));
        let Some(state) = self.partitions.get_mut(&id).filter(|s| moves(s.stage)) else { return };
        state.jump(place, self.last_epoch);
        self.needs_offset.remove(&id);
        self.needs_reset.remove(&id);
        match place {
            Place::Unknown => _ = self.needs_offset.insert(id),
            Place::Reset(_) => _ = self.needs_reset.insert(id),
            // Nobody committed it: an end that was found once must not be looked for again after a restart.
            Place::At(_) => self.touch(id),
        }
        self.changes += 1;
    }

    /// Notes that the position is one to commit, when the next poll says that it was processed.
    fn touch(&mut self, id: PartitionId) {
        let Some(state) = self.partitions.get_mut(&id) else { return };
        if !std::mem::replace(&mut state.touched, true) {
            self.touched.push(id);
        }
    }

    /// Goes where `auto.offset.reset` says, if it says where.
    fn reset_by_policy(&mut self, id: PartitionId) {
        match self.default_reset {
            Some(end) => self.jump(id, Place::Reset(end)),
            None => self.jump(id, Place::Unknown),
        }
    }

    pub fn get(&self, id: PartitionId) -> Option<&PartitionState> {
        self.partitions.get(&id)
    }

    /// Whether a partition is still what it was when `epoch` was current.
    pub fn current(&self, id: PartitionId, epoch: u64) -> Option<&PartitionState> {
        self.partitions.get(&id).filter(|s| s.epoch == epoch)
    }

    pub fn current_mut(&mut self, id: PartitionId, epoch: u64) -> Option<&mut PartitionState> {
        self.partitions.get_mut(&id).filter(|s| s.epoch == epoch)
    }

    /// The group's committed offset came; nothing when there is none. False when there is nowhere to go.
    pub fn on_committed(&mut self, id: PartitionId, epoch: u64, committed: Option<Position>) -> bool {
        if self.current(id, epoch).is_none() {
            return true;
        }
        match committed {
            Some(position) => {
                self.jump(id, Place::At(position));
                // It is committed already.
                if let Some(state) = self.partitions.get_mut(&id) {
                    state.touched = false;
                    state.processed = Some(position);
                }
            }
            None if self.default_reset.is_some() => self.reset_by_policy(id),
            None => return false,
        }
        true
    }

    /// The end that a partition was to go to was found.
    pub fn on_reset(&mut self, id: PartitionId, epoch: u64, position: Position) {
        if self.current(id, epoch).is_some_and(|s| matches!(s.place, Place::Reset(_))) {
            self.jump(id, Place::At(position));
        }
    }

    /// The position is outside of the partition's log. False when there is nowhere to go.
    pub fn on_out_of_range(&mut self, id: PartitionId, epoch: u64) -> bool {
        if self.current(id, epoch).is_none() {
            return true;
        }
        if self.default_reset.is_some() {
            self.reset_by_policy(id);
        }
        self.default_reset.is_some()
    }

    /// Something failed for this partition: no request for it before `retry_at`, and it is asked for again then.
    /// `error` is one that the application is told, `trouble` whatever it was.
    pub fn back_off(
        &mut self,
        id: PartitionId,
        epoch: u64,
        retry_at: Nanos,
        error: Option<Error>,
        trouble: Option<&Error>,
    ) {
        let Some(state) = self.current_mut(id, epoch) else { return };
        state.retry_at = retry_at;
        state.failures = state.failures.saturating_add(1);
        state.trouble = trouble.or(error.as_ref()).cloned();
        state.error = error;
        match state.place {
            Place::Unknown => _ = self.needs_offset.insert(id),
            Place::Reset(_) => _ = self.needs_reset.insert(id),
            Place::At(_) => {}
        }
        self.changes += 1;
    }

    /// Drops what was fetched of a partition and fetches it again, not before `retry_at`.
    pub fn refetch(&mut self, id: PartitionId, epoch: u64, retry_at: Nanos, error: Option<Error>) {
        self.last_epoch += 1;
        let fresh = self.last_epoch;
        if let Some(state) = self.current_mut(id, epoch) {
            state.refetch(fresh);
            self.back_off(id, fresh, retry_at, error, None);
        }
    }

    // ---- handing out, on the application's thread

    /// Moves a position forward behind records that are handed out. Returns false when they are stale.
    #[inline(always)]
    pub fn advance(&mut self, id: PartitionId, epoch: u64, from: i64, to: Position) -> bool {
        let Some(state) = self.current_mut(id, epoch).filter(|s| s.is_readable()) else { return false };
        if state.position().is_none_or(|p| p.offset != from) {
            return false;
        }
        state.place = Place::At(to);
        state.failures = 0;
        state.error = None;
        state.trouble = None;
        if !std::mem::replace(&mut state.touched, true) {
            self.touched.push(id);
        }
        true
    }

    /// A fetch of the buffer was read to its end. Returns whether the fetcher waited for it.
    pub fn drained(&mut self, id: PartitionId, epoch: u64) -> bool {
        let unblocked = self.current_mut(id, epoch).is_some_and(|s| s.drained());
        self.changes += u64::from(unblocked);
        unblocked
    }

    /// A poll begins: what former polls handed out has been processed. Returns whether there is something to
    /// commit now that was not there before.
    pub fn acknowledge(&mut self) -> bool {
        if self.touched.is_empty() {
            return false;
        }
        let none_before = self.uncommitted.is_empty();
        for id in self.touched.drain(..) {
            let Some(state) = self.partitions.get_mut(&id).filter(|s| s.touched) else { continue };
            state.touched = false;
            if state.stage != Stage::Lost {
                state.processed = state.position();
                self.uncommitted.insert(id);
            }
        }
        none_before && !self.uncommitted.is_empty()
    }

    // ---- committing

    pub fn has_uncommitted(&self) -> bool {
        !self.uncommitted.is_empty()
    }

    /// What former polls handed out and was not committed since; all of it, should `everything` be true.
    pub fn take_uncommitted(&mut self, everything: bool) -> Vec<(TopicPartition, OffsetAndMetadata)> {
        if everything {
            let ours = self.partitions.iter().filter(|(_, s)| s.stage != Stage::Lost);
            let known = ours.filter(|(_, s)| s.processed.is_some() || s.position().is_some());
            self.uncommitted = known.map(|(id, _)| *id).collect();
        }
        let ids = std::mem::take(&mut self.uncommitted);
        let partitions = ids.iter().filter_map(|id| Some((id, self.partitions.get(id)?)));
        partitions
            .filter_map(|(id, s)| Some((TopicPartition::new(s.topic.clone(), id.index), s.processed?)))
            .map(|(partition, position)| (partition, at(position)))
            .collect()
    }

    /// These could not be committed; try again with the next.
    pub fn put_back_uncommitted(&mut self, partitions: impl Iterator<Item = TopicPartition>) {
        for partition in partitions {
            let ours = |id: &PartitionId| self.partitions.get(id).is_some_and(|s| s.stage != Stage::Lost);
            if let Some(id) = self.find(&partition).filter(ours) {
                self.uncommitted.insert(id);
            }
        }
    }

    /// The positions of all partitions, for a commit that names none.
    pub fn all_positions(&self) -> Vec<(TopicPartition, OffsetAndMetadata)> {
        let ours = self.partitions.iter().filter(|(_, s)| s.stage != Stage::Lost);
        let known = ours.filter_map(|(id, s)| Some((id, s, s.position()?)));
        known.map(|(id, s, p)| (TopicPartition::new(s.topic.clone(), id.index), at(p))).collect()
    }

    // ---- for the request managers

    /// Counts changes of which partitions there are.
    pub fn layout(&self) -> u64 {
        self.layout
    }

    /// Counts what may make a partition fetchable.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Counts changes of [`SubscriptionState::topics`].
    pub fn topics_version(&self) -> u64 {
        self.topics_version
    }

    pub fn partitions(&self) -> impl Iterator<Item = (PartitionId, &PartitionState)> {
        self.partitions.iter().map(|(id, s)| (*id, s))
    }

    /// Every topic whose metadata is needed.
    pub fn topics(&self) -> BTreeSet<Arc<str>> {
        let assigned = self.partitions.values().map(|s| &s.topic);
        let all =
            self.subscription.iter().chain(&self.group_topics).chain(self.lookups.keys()).chain(assigned);
        all.cloned().collect()
    }

    pub fn set_group_topics(&mut self, topics: BTreeSet<Arc<str>>) {
        if topics != self.group_topics {
            self.group_topics = topics;
            self.topics_version += 1;
        }
    }

    pub fn add_lookup(&mut self, topic: &Arc<str>) {
        *self.lookups.entry(topic.clone()).or_insert(0) += 1;
        self.topics_version += 1;
    }

    pub fn remove_lookup(&mut self, topic: &Arc<str>) {
        if let Some(n) = self.lookups.get_mut(topic) {
            *n -= 1;
            if *n == 0 {
                self.lookups.remove(topic);
                self.topics_version += 1;
            }
        }
    }

    /// Whether the committed offset of a partition is to be asked for.
    pub fn needs_offsets(&self) -> bool {
        !self.needs_offset.is_empty()
    }

    /// Takes the partitions out whose committed offset can be asked for now. Also says when the next may be.
    pub fn take_needing_offset(&mut self, now: Nanos) -> (Vec<(PartitionId, u64)>, Option<Nanos>) {
        take_due(&mut self.needs_offset, &self.partitions, now, |_, _| true)
    }

    /// Takes the partitions out whose end can be asked for now, because a leader is known for them. Also says when
    /// the next may be.
    pub fn take_needing_reset(
        &mut self,
        now: Nanos,
        has_leader: impl Fn(&str, i32) -> bool,
    ) -> (Vec<(PartitionId, u64)>, Option<Nanos>) {
        take_due(&mut self.needs_reset, &self.partitions, now, has_leader)
    }
}

fn take_due(
    waiting: &mut BTreeSet<PartitionId>,
    partitions: &BTreeMap<PartitionId, PartitionState>,
    now: Nanos,
    ready: impl Fn(&str, i32) -> bool,
) -> (Vec<(PartitionId, u64)>, Option<Nanos>) {
    let (mut due, mut next) = (Vec::new(), None);
    waiting.retain(|id| {
        let Some(state) = partitions.get(id) else { return false };
        if state.retry_at > now {
            next = crate::time::earlier(next, Some(state.retry_at));
            return true;
        }
        if !ready(&state.topic, id.index) {
            return true;
        }
        due.push((*id, state.epoch));
        false
    });
    (due, next)
}

fn at(position: Position) -> OffsetAndMetadata {
    OffsetAndMetadata { offset: position.offset, leader_epoch: position.leader_epoch, metadata: None }
}

fn mixed(what: &str, state: &str) -> Error {
    Error::new(Code::INVALID_STATE, format!("cannot {what} while {state}"))
        .hint("a consumer either subscribes or assigns: unsubscribe first")
}
