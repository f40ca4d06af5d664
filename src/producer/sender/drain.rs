//! From ready partitions to produce requests.

use super::partition::{InFlightBatch, PartitionState, QueuePlace, MAX_NUMBERED_IN_FLIGHT};
use super::{data, Sender, Urgency};
use crate::client::request::{NodeId, Outbox, RequestSpec, Target};
use crate::config::wire_ms;
use crate::producer::batch::SealedBatch;
use crate::protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use crate::protocol::messages::ProduceRequest;
use crate::protocol::{ApiKey, EncodeError, Message, Records, Uuid, Writer};
use crate::record::ProducerState;
use crate::time::{earlier, Deadline, Nanos, Now};
use bytes::Bytes;
use smallvec::{smallvec, SmallVec};
use std::sync::Arc;

/// What a partition has for its leader.
enum Readiness {
    /// Something may go out now.
    Ready,
    /// Look again then.
    At(Nanos),
    /// Something else must happen first, and will cause a look.
    Wait,
}

/// A batch in a request: its header by itself, because a retry has another, and its records, shared.
struct PartitionData {
    index: i32,
    segments: [Bytes; 2],
}

struct TopicData {
    name: Arc<str>,
    id: Uuid,
    partitions: SmallVec<[PartitionData; 1]>,
}

/// Most requests of a producer of large batches carry one partition.
type Topics = SmallVec<[TopicData; 1]>;

impl Sender {
    /// Looks at one partition: fails what is too old, and queues it for its leader if it has something to send.
    pub(super) fn look_at(&mut self, now: Now, slot: usize, out: &mut Outbox<'_>) {
        self.expire(now, slot, out);
        let urgent = self.urgency();
        let (settings, aborted) = (self.settings, self.aborted.clone());
        if let Some(error) = aborted {
            return self.fail_partition(slot, &error);
        }
        let Some(state) = self.partitions.get_mut(slot).and_then(Option::as_mut) else { return };
        let Some(leader) = state.leader else {
            let topic = state.partition.topic.clone();
            if waits_for_a_leader(state) {
                // It may have been dropped while nothing was sent to it.
                out.metadata.want(&topic);
                out.metadata.request_topic_update(&topic);
            }
            return self.schedule_expiry(slot);
        };
        let readiness = readiness(now, state, settings.linger_ms, urgent);
        let queued = state.queued.is_some();
        match readiness {
            Readiness::Ready if !queued => {
                let place = QueuePlace(self.next_place);
                state.queued = Some(place);
                self.next_place += 1;
                self.ready.entry(leader).or_default().push_back((slot, place));
                self.lingering.remove(&slot);
            }
            Readiness::Ready => {}
            Readiness::At(at) => {
                self.lingering.insert(slot);
                self.schedule(slot, at);
            }
            Readiness::Wait => {}
        }
        self.note_load(slot);
        self.schedule_expiry(slot);
    }

    /// Sends as much as the brokers take now. Returns when a connection may be tried again.
    pub(super) fn send_ready(&mut self, now: Now, out: &mut Outbox<'_>) -> Option<Deadline> {
        if self.ready.is_empty() {
            return None;
        }
        if self.settings.idempotence && self.transaction_manager.producer_id().is_none() {
            return self.transaction_manager.poll(now, out);
        }
        let mut deadline = None;
        let nodes: SmallVec<[NodeId; 8]> =
            self.ready.iter().filter(|(_, q)| !q.is_empty()).map(|(id, _)| *id).collect();
        self.forget_blocked_except(&nodes);
        for node in nodes {
            if !out.net.is_ready(data(node)) {
                deadline = earlier(deadline, out.net.connect(now, data(node)));
                deadline = earlier(deadline, self.note_blocked(now, node));
                continue;
            }
            self.note_taking(node);
            while out.net.is_ready(data(node)) && self.send_produce_request(now, node, out) {}
            deadline = earlier(deadline, self.note_blocked(now, node));
        }
        deadline
    }

    /// Sends one request to `node`. Returns whether there was anything to send.
    fn send_produce_request(&mut self, now: Now, node: NodeId, out: &mut Outbox<'_>) -> bool {
        let mut topics = Topics::new();
        let mut carried: SmallVec<[(usize, Box<SealedBatch>); 1]> = SmallVec::new();
        let mut size = 0;
        let queued = self.ready.get(&node).map_or(0, |q| q.len());
        for _ in 0..queued {
            let Some((slot, place)) = self.ready.get_mut(&node).and_then(|q| q.pop_front()) else { break };
            if self.state(slot).is_none_or(|s| s.queued != Some(place)) {
                // Its leader moved while it was queued here; it is queued elsewhere by now.
                continue;
            }
            let room = if carried.is_empty() {
                usize::MAX
            } else {
                self.settings.max_request_size.saturating_sub(size)
            };
            match self.take_batch(now, slot, room) {
                Taken::Batch(batch) => {
                    size += batch.size();
                    self.add_to_request(slot, &batch, &mut topics, out);
                    carried.push((slot, batch));
                    self.requeue(now, slot, out);
                }
                Taken::Nothing => {
                    if let Some(state) = self.state(slot) {
                        state.queued = None;
                    }
                }
                Taken::TooLarge => {
                    self.ready.entry(node).or_default().push_front((slot, place));
                    break;
                }
            }
        }
        if carried.is_empty() {
            return false;
        }
        let spec = self.request(node, topics);
        let id = out.send(now, spec);
        let slots = carried.iter().map(|(slot, _)| *slot).collect();
        for (slot, batch) in carried {
            if let Some(state) = self.state(slot) {
                state.in_flight.push(InFlightBatch { request: id, batch, reported: false });
            }
            self.schedule_expiry(slot);
        }
        self.requests.insert(id, slots);
        true
    }

    /// Puts a partition back into its leader's queue if there is more to send, else sets its timer.
    fn requeue(&mut self, now: Now, slot: usize, out: &mut Outbox<'_>) {
        if let Some(state) = self.state(slot) {
            state.queued = None;
        }
        self.look_at(now, slot, out);
    }

    /// Takes the next batch of a partition, numbered, if order allows and it fits.
    fn take_batch(&mut self, now: Now, slot: usize, room: usize) -> Taken {
        let urgent = self.urgency();
        let settings = self.settings;
        let id = self.transaction_manager.producer_id();
        let limit = match (settings.idempotence, settings.max_in_flight) {
            (true, _) => MAX_NUMBERED_IN_FLIGHT,
            // Also when the leader moves, and what the old one got is not settled yet.
            (false, 1) => 1,
            (false, _) => usize::MAX,
        };
        let order = self.next_order;
        let Some(state) = self.partitions.get_mut(slot).and_then(Option::as_mut) else {
            return Taken::Nothing;
        };
        if !state.may_send(limit)
            || !matches!(readiness(now, state, settings.linger_ms, urgent), Readiness::Ready)
        {
            return Taken::Nothing;
        }
        let mut batch = match state.retries.front() {
            Some(first) if first.size() > room => return Taken::TooLarge,
            Some(_) => match state.retries.pop_front() {
                Some(batch) => batch,
                None => return Taken::Nothing,
            },
            None => match self.take_from_queue(slot, room) {
                Ok(mut batch) => {
                    batch.order = (order, 0);
                    self.next_order += 1;
                    batch
                }
                Err(taken) => return taken,
            },
        };
        batch.attempts += 1;
        if let (Some(id), Some(state)) = (id, self.state(slot)) {
            state.number(&mut batch, id);
        }
        Taken::Batch(batch)
    }

    /// Takes the oldest sealed batch, or seals the open one.
    fn take_from_queue(&mut self, slot: usize, room: usize) -> Result<Box<SealedBatch>, Taken> {
        let Some(state) = self.partitions.get(slot).and_then(Option::as_ref) else {
            return Err(Taken::Nothing);
        };
        let partition = state.partition.clone();
        let mut queue = partition.queue.lock();
        if queue.sealed() == 0 {
            if queue.open.as_ref().is_some_and(|open| open.size() > room) {
                return Err(Taken::TooLarge);
            }
            if let Some((open, ticket)) = queue.begin_seal() {
                drop(queue);
                self.accumulator.finish_seal(&partition, open, ticket);
                queue = partition.queue.lock();
            }
        }
        if queue.front().is_some_and(|batch| batch.size() > room) {
            return Err(Taken::TooLarge);
        }
        queue.pop_front().ok_or(Taken::Nothing)
    }

    fn add_to_request(&self, slot: usize, batch: &SealedBatch, topics: &mut Topics, out: &Outbox<'_>) {
        let Some(state) = self.partitions.get(slot).and_then(Option::as_ref) else { return };
        let sequence = batch.sequence.map_or(ProducerState::NONE, |s| ProducerState {
            producer_id: s.producer_id,
            producer_epoch: s.epoch,
            base_sequence: s.base,
            ..ProducerState::NONE
        });
        let header = batch.facts.header(&batch.payload, sequence);
        let partition = PartitionData {
            index: state.partition.index,
            segments: [Bytes::copy_from_slice(&header), batch.payload.clone()],
        };
        let name = &state.partition.topic;
        match topics.iter_mut().rev().find(|t| Arc::ptr_eq(&t.name, name) || t.name == *name) {
            Some(topic) => topic.partitions.push(partition),
            None => {
                let id = out.metadata.known(name).map_or(Uuid::ZERO, |t| t.id);
                topics.push(TopicData { name: name.clone(), id, partitions: smallvec![partition] });
            }
        }
    }

    fn request(&self, node: NodeId, topics: Topics) -> RequestSpec {
        // Version 13 names topics by their ids only (KIP-516).
        let max = if topics.iter().all(|t| !t.id.is_zero()) { 13 } else { 12 };
        let min = if self.settings.zstd { 7 } else { 3 };
        let (acks, timeout_ms) = (self.settings.acks, wire_ms(self.settings.request_timeout_ms));
        let encode = move |w: &mut Writer, version: i16| encode(w, version, acks, timeout_ms, &topics);
        let timeout = self.settings.request_timeout_ms;
        let mut spec =
            RequestSpec::new(Target::Node(data(node)), ApiKey::Produce, (min, max), timeout, encode);
        spec.answered = acks != 0;
        spec
    }
}

fn encode(
    w: &mut Writer,
    version: i16,
    acks: i16,
    timeout_ms: i32,
    topics: &[TopicData],
) -> Result<(), EncodeError> {
    let topic_data = topics
        .iter()
        .map(|t| TopicProduceData {
            name: &t.name,
            topic_id: t.id,
            partition_data: t
                .partitions
                .iter()
                .map(|p| PartitionProduceData { index: p.index, records: Some(Records::Shared(&p.segments)) })
                .collect(),
        })
        .collect();
    ProduceRequest { transactional_id: None, acks, timeout_ms, topic_data }.encode(w, version)
}

/// What came of taking a batch.
enum Taken {
    Batch(Box<SealedBatch>),
    Nothing,
    /// There is one, and it does not fit the request any more.
    TooLarge,
}

/// Whether there is something to send, once there is a leader. What comes from now on is to be listed again: it has a
/// time of its own at which it is too old.
fn waits_for_a_leader(state: &PartitionState) -> bool {
    let mut queue = state.partition.queue.lock();
    queue.listed = false;
    queue.sender_waits |= queue.is_sealing();
    !state.retries.is_empty() || !queue.is_empty()
}

fn readiness(now: Now, state: &PartitionState, linger_ms: u64, urgent: Urgency) -> Readiness {
    if let Some(first) = state.retries.front() {
        return if first.retry_at <= now.mono { Readiness::Ready } else { Readiness::At(first.retry_at) };
    }
    let mut queue = state.partition.queue.lock();
    queue.listed = false;
    if queue.front().is_some() {
        return Readiness::Ready;
    }
    if queue.is_sealing() {
        queue.sender_waits = true;
        return Readiness::Wait;
    }
    match &queue.open {
        None => Readiness::Wait,
        Some(open) => {
            let due = open.created.plus_ms(linger_ms);
            if urgent.all || open.epoch < urgent.before || due <= now.mono {
                Readiness::Ready
            } else {
                Readiness::At(due)
            }
        }
    }
}
