//! Tells the partitioners how busy the partitions are, so that records without a key go where they get away (KIP-794).
//!
//! A partition's load can be another than before whenever the partition was looked at, which is whenever something
//! happened there. Nothing else is looked at for it, but the queue of a leader that began or ceased to be late.

use super::Sender;
use crate::client::request::NodeId;
use crate::time::{Deadline, Nanos, Now};

/// A leader that takes no request although something waits for it.
pub(super) struct Blocked {
    since: Nanos,
    /// For longer than `partitioner.availability.timeout.ms`.
    late: bool,
}

impl Sender {
    /// The load of a partition may have changed.
    pub(super) fn note_load(&mut self, slot: usize) {
        if !self.settings.adaptive {
            return;
        }
        if let Some(state) = self.state(slot) {
            if !std::mem::replace(&mut state.load_noted, true) {
                self.noted_loads.push(slot);
            }
        }
    }

    /// Tells of the partitions noted: at the end of a poll, when what came and went within it is no news.
    pub(super) fn tell_loads(&mut self) {
        while let Some(slot) = self.noted_loads.pop() {
            self.tell_load(slot);
        }
    }

    /// Tells the partitioner how many batches wait in a partition, if that is new to it.
    fn tell_load(&mut self, slot: usize) {
        let Some(state) = self.partitions.get_mut(slot).and_then(Option::as_mut) else { return };
        state.load_noted = false;
        let Some(topic) = self.accumulator.topic_number(state.partition.topic_number) else { return };
        if topic.partitions.count() < 2 {
            return;
        }
        let waiting = state.partition.queue.lock().batches() + state.retries.len();
        let late = || state.leader.and_then(|leader| self.blocked.get(&leader)).is_some_and(|b| b.late);
        // With nothing in it, it may be tried.
        let load = if waiting > 0 && late() { None } else { Some(waiting) };
        if state.load != load {
            state.load = load;
            topic.sticky.set_load(state.partition.index as usize, load);
        }
    }

    /// A leader takes no request now. Returns when it will be late, if something waits for it.
    pub(super) fn note_blocked(&mut self, now: Now, node: NodeId) -> Option<Deadline> {
        let timeout = self.settings.availability_timeout_ms;
        if timeout == 0 || self.ready.get(&node).is_none_or(|queue| queue.is_empty()) {
            return None;
        }
        let blocked = self.blocked.entry(node).or_insert(Blocked { since: now.mono, late: false });
        let late_at = blocked.since.plus_ms(timeout);
        if blocked.late || now.mono < late_at {
            return Some(late_at).filter(|_| !blocked.late);
        }
        blocked.late = true;
        self.note_loads_of(node);
        None
    }

    /// A leader takes requests.
    pub(super) fn note_taking(&mut self, node: NodeId) {
        if self.blocked.remove(&node).is_some_and(|blocked| blocked.late) {
            self.note_loads_of(node);
        }
    }

    /// Only leaders that something waits for can be late: `nodes`.
    pub(super) fn forget_blocked_except(&mut self, nodes: &[NodeId]) {
        if !self.blocked.is_empty() {
            self.blocked.retain(|node, _| nodes.contains(node));
        }
    }

    /// Each partition that has something for this leader.
    fn note_loads_of(&mut self, node: NodeId) {
        let slots: Vec<usize> = self.ready.get(&node).into_iter().flatten().map(|(slot, _)| *slot).collect();
        for slot in slots {
            self.note_load(slot);
        }
    }
}
