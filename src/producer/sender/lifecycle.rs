//! What ends batches other than an answer: time, close, a lost client; and how topics become known.

use super::partition::QueuePlace;
use super::{Outcome, Sender};
use crate::client::metadata::{TopicMetadata, TopicState};
use crate::client::request::Outbox;
use crate::error::{Code, Error};
use crate::producer::batch::SealedBatch;
use crate::producer::deliveries::DeliveryChunk;
use crate::producer::pending::PendingChunk;
use crate::producer::topic::Topic;
use crate::time::{Nanos, Now};
use std::collections::VecDeque;
use std::sync::Arc;

pub(super) fn purged() -> Error {
    Error::new(Code::PURGED, "the producer was closed before the record was delivered")
}

impl Sender {
    // ---- delivery.timeout.ms

    /// Sets the partition's timer for the moment when its oldest batch gets too old.
    pub(super) fn schedule_expiry(&mut self, slot: usize) {
        let timeout = self.settings.delivery_timeout_ms;
        let Some(state) = self.state(slot) else { return };
        let queue = state.partition.queue.lock();
        let waiting = match queue.front() {
            Some(batch) => Some(batch.created),
            // Behind a batch that is being sealed it is not looked at; the end of sealing causes a look.
            None if queue.sealed() > 0 => None,
            None => queue.open.as_ref().map(|o| o.created),
        };
        drop(queue);
        if let Some(oldest) = [state.oldest_unresolved(), waiting].into_iter().flatten().min() {
            self.schedule(slot, oldest.plus_ms(timeout));
        }
    }

    /// Reports batches that are too old.
    pub(super) fn expire(&mut self, now: Now, slot: usize, out: &Outbox<'_>) {
        let timeout = self.settings.delivery_timeout_ms;
        let Some(state) = self.state(slot) else { return };
        let late = |created: Nanos| created.plus_ms(timeout) <= now.mono;
        let mut queue = state.partition.queue.lock();
        let queue_late = queue.front().is_some_and(|b| late(b.created));
        let open_late = queue.sealed() == 0 && queue.open.as_ref().is_some_and(|o| late(o.created));
        let sealing = if open_late { queue.begin_seal() } else { None };
        drop(queue);
        if !queue_late && sealing.is_none() && !state.oldest_unresolved().is_some_and(late) {
            return;
        }
        let partition = state.partition.clone();
        if let Some((open, ticket)) = sealing {
            self.accumulator.finish_seal(&partition, open, ticket);
        }
        self.expire_in_flight(slot, late, out);
        self.expire_retries(slot, late, out);
        loop {
            let mut queue = partition.queue.lock();
            if !queue.front().is_some_and(|b| late(b.created)) {
                break;
            }
            let Some(mut batch) = queue.pop_front() else { break };
            drop(queue);
            self.report_late(slot, &mut batch, "was not sent", out);
        }
    }

    fn expire_in_flight(&mut self, slot: usize, late: impl Fn(Nanos) -> bool, out: &Outbox<'_>) {
        let Some(state) = self.state(slot) else { return };
        let mut expired: Vec<SealedBatch> = Vec::new();
        for f in state.in_flight.iter_mut().filter(|f| !f.reported && late(f.batch.created)) {
            f.reported = true;
            expired.push(f.batch.take_for_report());
        }
        for mut batch in expired {
            self.report_late(slot, &mut batch, "is sent and not confirmed; it may have been written", out);
        }
    }

    fn expire_retries(&mut self, slot: usize, late: impl Fn(Nanos) -> bool, out: &Outbox<'_>) {
        let Some(state) = self.state(slot) else { return };
        let (expired, rest): (VecDeque<_>, VecDeque<_>) =
            state.retries.drain(..).partition(|b| late(b.created));
        state.retries = rest;
        for mut batch in expired {
            self.report_late(slot, &mut batch, "was sent and not confirmed; it may have been written", out);
        }
    }

    fn report_late(&mut self, slot: usize, batch: &mut SealedBatch, what: &str, out: &Outbox<'_>) {
        let place = self.place(slot);
        let text = format!(
            "a batch of {} records for {place} {what} within delivery.timeout.ms ({} ms, {} attempts)",
            batch.tokens.len(),
            self.settings.delivery_timeout_ms,
            batch.attempts
        );
        let state = self.partitions.get(slot).and_then(Option::as_ref);
        let leader = state.and_then(|s| s.leader);
        let own = match state.and_then(|s| out.metadata.topic(&s.partition.topic)) {
            Some(TopicState::Unknown { last }) => batch.last_error.as_ref().or(last.as_ref()),
            _ => batch.last_error.as_ref(),
        };
        let error = Error::new(Code::DELIVERY_TIMED_OUT, text);
        let error = out.net.troubles().explain(error, own, leader);
        self.report(slot, batch, Outcome::Failed(error));
    }

    // ---- topics

    /// Takes over what changed in the metadata: leaders, and topics that records wait for.
    pub(super) fn take_in_metadata(&mut self, now: Now, out: &mut Outbox<'_>) {
        let changed: Vec<Arc<str>> = out.metadata.changed().cloned().collect();
        for name in changed {
            if let Some(topic) = self.waiting_topics.get(&name).cloned() {
                self.look_at_waiting_topic(now, &topic, out);
                continue;
            }
            let Some(topic) = self.accumulator.find(&name) else { continue };
            match out.metadata.topic(&name).cloned() {
                Some(TopicState::Known(known)) => self.update_view(now, &topic, &known, out),
                Some(TopicState::Failed(error)) => self.fail_without_leader(&topic, &error, out),
                _ => {}
            }
        }
    }

    /// Makes a topic's partitions known to the application's threads, or fails what waits for it.
    pub(super) fn look_at_waiting_topic(&mut self, now: Now, topic: &Arc<Topic>, out: &mut Outbox<'_>) {
        if let Some(error) = self.aborted.clone() {
            self.fail_pending(topic, |_| true, &error);
            self.waiting_topics.remove(&topic.name);
            return;
        }
        match out.metadata.topic(&topic.name) {
            Some(TopicState::Known(known)) if !known.partitions.is_empty() => {
                let known = known.clone();
                self.publish(now, topic, &known, out);
                self.waiting_topics.remove(&topic.name);
            }
            Some(TopicState::Failed(error)) => {
                let error = error.clone();
                out.metadata.unwant(&topic.name);
                self.fail_pending(topic, |_| true, &error);
                self.waiting_topics.remove(&topic.name);
            }
            _ => {}
        }
    }

    fn publish(&mut self, now: Now, topic: &Arc<Topic>, known: &Arc<TopicMetadata>, out: &mut Outbox<'_>) {
        let count = known.partitions.len();
        self.accumulator.make_partitions(topic, count);
        topic.sticky.set_available(available(known));
        self.note_use(now, topic.number);
        loop {
            let mut pending = topic.pending.lock();
            let chunks = std::mem::take(&mut pending.chunks);
            if chunks.is_empty() {
                pending.listed = false;
                // Under the lock: whoever waits for it finds the partitions and appends behind what was placed.
                topic.partitions.publish(count);
                break;
            }
            drop(pending);
            for chunk in chunks {
                let deliveries = self.deliveries.clone();
                self.accumulator.place(topic, count, chunk, now, |token, partition, error| {
                    deliveries.push_uncharged(DeliveryChunk::unplaced(
                        &topic.name,
                        partition,
                        vec![token],
                        error,
                    ));
                });
            }
        }
        self.take_news(now, out);
    }

    fn update_view(
        &mut self,
        now: Now,
        topic: &Arc<Topic>,
        known: &Arc<TopicMetadata>,
        out: &mut Outbox<'_>,
    ) {
        if topic.partitions.count() == 0 || known.partitions.is_empty() {
            return;
        }
        self.accumulator.make_partitions(topic, known.partitions.len());
        topic.sticky.set_available(available(known));
        topic.partitions.publish(known.partitions.len());
        for (index, p) in known.partitions.iter().enumerate() {
            let Some(slot) = topic.partitions.get(index).map(|partition| partition.slot) else { break };
            let Some(state) = self.state(slot) else { continue };
            if state.leader != p.leader {
                state.leader = p.leader;
                // Its place in the old leader's queue counts no more.
                state.queued = None;
                for retry in &mut state.retries {
                    // A new leader is a reason not to wait any longer.
                    retry.retry_at = retry.retry_at.min(now.mono);
                }
            }
            self.look_at(now, slot, out);
        }
    }

    /// Fails records that waited for their topic longer than `max.block.ms`.
    pub(super) fn expire_waiting_topics(&mut self, now: Now, out: &mut Outbox<'_>) {
        let first_deadline = |topic: &Arc<Topic>| topic.pending.lock().chunks.front().map(|c| c.deadline);
        let done = |topic: &&Arc<Topic>| first_deadline(topic).is_none_or(|at| at <= now.mono);
        let topics: Vec<Arc<Topic>> = self.waiting_topics.values().filter(done).cloned().collect();
        for topic in topics {
            // The last of its records may have been placed meanwhile: then there is nobody to be told.
            if first_deadline(&topic).is_some() {
                let error = self.not_known_in_time(&topic, out);
                self.fail_pending(&topic, |chunk| chunk.deadline <= now.mono, &error);
            }
            if topic.pending.lock().chunks.is_empty() {
                self.waiting_topics.remove(&topic.name);
                // Nobody asks about it any more, until something is sent to it again.
                out.metadata.unwant(&topic.name);
            }
        }
    }

    fn not_known_in_time(&self, topic: &Topic, out: &Outbox<'_>) -> Error {
        let text = format!(
            "topic {} was not known within max.block.ms ({} ms)",
            topic.name, self.accumulator.settings.max_block_ms
        );
        let own = match out.metadata.topic(&topic.name) {
            Some(TopicState::Unknown { last: Some(last) }) => Some(last),
            _ => out.metadata.last_error(),
        };
        let error = Error::new(Code::TIMED_OUT, text)
            .hint("create the topic, or check that the brokers are reachable and may create topics");
        out.net.troubles().explain(error, own, None)
    }

    fn fail_pending(&self, topic: &Topic, which: impl Fn(&PendingChunk) -> bool, error: &Error) {
        self.accumulator.fail_pending(topic, which, error, &self.deliveries);
    }

    // ---- the end

    /// Fails what is ready to be sent: there is no producer id to be had.
    pub(super) fn fail_ready(&mut self, error: &Error) {
        let places: Vec<(usize, QueuePlace)> = self.ready.values_mut().flat_map(|q| q.drain(..)).collect();
        for (slot, place) in places {
            if self.state(slot).is_none_or(|s| s.queued != Some(place)) {
                continue;
            }
            if let Some(state) = self.state(slot) {
                state.queued = None;
            }
            self.fail_partition(slot, error);
        }
    }

    /// Reports everything that is left as failed with `error`.
    pub(super) fn abort_all(&mut self, error: &Error) {
        self.aborted = Some(error.clone());
        for topic in std::mem::take(&mut self.waiting_topics).into_values() {
            self.fail_pending(&topic, |_| true, error);
        }
        for slot in 0..self.partitions.len() {
            self.fail_partition(slot, error);
        }
    }

    /// Reports everything of one partition as failed.
    pub(super) fn fail_partition(&mut self, slot: usize, error: &Error) {
        let Some(state) = self.state(slot) else { return };
        let partition = state.partition.clone();
        let mut failed: Vec<SealedBatch> = Vec::new();
        for f in state.in_flight.iter_mut().filter(|f| !f.reported) {
            f.reported = true;
            failed.push(f.batch.take_for_report());
        }
        failed.extend(state.retries.drain(..).map(|b| *b));
        let mut queue = partition.queue.lock();
        queue.listed = false;
        queue.sender_waits = true;
        while let Some(batch) = queue.pop_front() {
            failed.push(*batch);
        }
        let sealing = if queue.sealed() == 0 { queue.begin_seal() } else { None };
        drop(queue);
        if let Some((open, ticket)) = sealing {
            self.accumulator.finish_seal(&partition, open, ticket);
            failed.extend(partition.queue.lock().pop_front().map(|b| *b));
        }
        for mut batch in failed {
            self.report(slot, &mut batch, Outcome::Failed(error.clone()));
        }
        self.note_load(slot);
    }
}

fn available(known: &TopicMetadata) -> Vec<u32> {
    known.partitions.iter().filter(|p| p.leader.is_some()).map(|p| p.index as u32).collect()
}
