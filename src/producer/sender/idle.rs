//! `metadata.max.idle.ms` (KIP-526): a topic that nothing was sent to for so long is no longer asked about.
//!
//! Its queues stay. When something is sent to it again its partitions have no leader, so the records wait until it is
//! known again, and nothing goes where the leader was long ago.

use super::Sender;
use crate::client::request::Outbox;
use crate::error::Error;
use crate::producer::topic::Topic;
use crate::time::{Nanos, Now};
use std::sync::Arc;

/// When a topic was sent to.
pub(super) struct TopicUse {
    /// A batch was begun.
    last: Nanos,
    /// When to look whether it is idle; `NEVER` when it was found so.
    scheduled: Nanos,
}

impl Sender {
    /// Something is sent to the topic of this number.
    pub(super) fn note_use(&mut self, now: Now, number: usize) {
        if self.uses.len() <= number {
            let unused = || TopicUse { last: Nanos(0), scheduled: Nanos::NEVER };
            self.uses.resize_with(number + 1, unused);
        }
        let Some(topic) = self.uses.get_mut(number) else { return };
        topic.last = now.mono;
        if topic.scheduled == Nanos::NEVER {
            let at = now.mono.plus_ms(self.settings.metadata_max_idle_ms);
            self.idle_timers.schedule(number, &mut topic.scheduled, at);
        }
    }

    /// Drops topics that are idle from what is asked about.
    pub(super) fn drop_idle_topics(&mut self, now: Now, out: &mut Outbox<'_>) {
        while let Some(number) = self.idle_timers.pop_due(now.mono) {
            let Some(topic) = self.accumulator.topic_number(number).cloned() else { continue };
            let in_use = self.is_in_use(&topic);
            let Some(used) = self.uses.get_mut(number) else { continue };
            used.scheduled = Nanos::NEVER;
            if in_use {
                used.last = now.mono;
            }
            let at = used.last.plus_ms(self.settings.metadata_max_idle_ms);
            if now.mono < at {
                self.idle_timers.schedule(number, &mut used.scheduled, at);
                continue;
            }
            out.metadata.unwant(&topic.name);
            for slot in slots(&topic) {
                if let Some(state) = self.state(slot) {
                    state.leader = None;
                    // Nor does its place in that one's queue count any more.
                    state.queued = None;
                }
            }
        }
    }

    /// Whether something of the topic is not settled yet.
    fn is_in_use(&self, topic: &Topic) -> bool {
        self.waiting_topics.contains_key(&topic.name)
            || slots(topic).filter_map(|slot| self.partitions.get(slot)?.as_ref()).any(|state| {
                let under_way = !state.in_flight.is_empty() || !state.retries.is_empty();
                under_way || !state.partition.queue.lock().is_empty()
            })
    }

    /// A topic that was known before may not be known any more: fails what waits for it to be known again.
    pub(super) fn fail_without_leader(&mut self, topic: &Arc<Topic>, error: &Error, out: &mut Outbox<'_>) {
        let mut has_leader = false;
        for slot in slots(topic) {
            match self.state(slot).map(|state| state.leader) {
                Some(None) => self.fail_partition(slot, error),
                Some(Some(_)) => has_leader = true,
                None => {}
            }
        }
        if !has_leader {
            // What is sent later asks again.
            out.metadata.unwant(&topic.name);
        }
    }
}

/// The places of a topic's partitions in the sender.
fn slots(topic: &Topic) -> impl Iterator<Item = usize> + '_ {
    (0..).map_while(|index| topic.partitions.get(index)).map(|partition| partition.slot)
}
