//! `Sender`: takes what is ready from the accumulator to the partitions' leaders, and sees that every record is
//! reported once.
//!
//! Cost follows work: a partition is looked at when the accumulator lists it, when its timer comes up, when an
//! answer arrives for it, or when metadata changes; nothing walks all of them.

mod drain;
mod idle;
mod lifecycle;
mod load;
mod partition;
mod response;
mod split;

use self::idle::TopicUse;
use self::load::Blocked;
use self::partition::{PartitionState, QueuePlace};
use super::accumulator::RecordAccumulator;
use super::deliveries::{Deliveries, DeliveryChunk};
use super::topic::Topic;
use super::transaction_manager::TransactionManager;
use crate::client::connection_states::Backoff;
use crate::client::request::{NodeId, NodeKey, Outbox, RequestId, RequestManager, RequestResult};
use crate::client::timers::Timers;
use crate::error::Error;
use crate::time::{earlier, Deadline, Nanos, Now};
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// What the sender is configured with.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// As in the request: 0, 1 or -1.
    pub acks: i16,
    pub idempotence: bool,
    pub retries: u32,
    pub retry: Backoff,
    pub request_timeout_ms: u64,
    pub delivery_timeout_ms: u64,
    pub linger_ms: u64,
    pub max_request_size: usize,
    pub max_in_flight: usize,
    /// zstd exists since version 7 of the request.
    pub zstd: bool,
    /// Records without a key go less often where batches wait.
    pub adaptive: bool,
    /// After so long without taking batches, a leader's partitions get no records without a key; 0: they always do.
    pub availability_timeout_ms: u64,
    /// After so long without a record, a topic is not asked about any more.
    pub metadata_max_idle_ms: u64,
}

/// How long little memory is kept from those who wait for it, in case there is soon plenty.
const LITTLE_MEMORY_MS: u64 = 5;

/// What the façade tells the sender, beside what the accumulator holds.
#[derive(Default)]
pub struct Control {
    /// Give up what is left and report it as purged.
    pub abort: AtomicBool,
    /// What last went wrong on the network, while it lasts: the reason that a flush in vain gives.
    pub trouble: Mutex<Option<Error>>,
    /// The I/O thread gave this client up.
    pub fatal: OnceLock<Error>,
}

/// Partitions, by their places in [`Sender::partitions`].
type Slots = SmallVec<[usize; 2]>;

pub struct Sender {
    settings: Settings,
    accumulator: Arc<RecordAccumulator>,
    deliveries: Arc<Deliveries>,
    control: Arc<Control>,
    transaction_manager: TransactionManager,
    /// By slot.
    partitions: Vec<Option<PartitionState>>,
    /// Partitions with something to send, by leader, first come first served.
    ready: HashMap<NodeId, VecDeque<(usize, QueuePlace)>, foldhash::fast::FixedState>,
    /// Partitions of which the partitioner may have to be told something.
    noted_loads: Vec<usize>,
    /// Leaders that take no request although something waits for them.
    blocked: BTreeMap<NodeId, Blocked>,
    /// Partitions whose open batch waits for `linger.ms`.
    lingering: BTreeSet<usize>,
    timers: Timers<usize>,
    /// Topics with records that wait for metadata.
    waiting_topics: BTreeMap<Arc<str>, Arc<Topic>>,
    /// When topics were sent to, by their numbers in the accumulator.
    uses: Vec<TopicUse>,
    idle_timers: Timers<usize>,
    /// What each request on its way carries: slots.
    requests: HashMap<RequestId, Slots, foldhash::fast::FixedState>,
    next_order: u64,
    next_place: u64,
    aborted: Option<Error>,
    /// Why a batch must be sent again, if none was delivered since.
    last_retried: Option<Error>,
    /// Nothing is noted in `control.trouble`.
    untroubled: bool,
    /// When to tell those who wait for memory of the little that came back.
    tell_at: Option<Nanos>,
    rng: fastrand::Rng,
}

impl Sender {
    pub fn new(
        settings: Settings,
        accumulator: Arc<RecordAccumulator>,
        deliveries: Arc<Deliveries>,
        control: Arc<Control>,
        seed: u64,
    ) -> Sender {
        let transaction_manager =
            TransactionManager::new(settings.idempotence, settings.retry, settings.request_timeout_ms, seed);
        Sender {
            settings,
            accumulator,
            deliveries,
            control,
            transaction_manager,
            partitions: Vec::new(),
            ready: HashMap::with_hasher(foldhash::fast::FixedState::with_seed(seed)),
            noted_loads: Vec::new(),
            blocked: BTreeMap::new(),
            lingering: BTreeSet::new(),
            timers: Timers::default(),
            waiting_topics: BTreeMap::new(),
            uses: Vec::new(),
            idle_timers: Timers::default(),
            requests: HashMap::default(),
            next_order: 0,
            next_place: 0,
            aborted: None,
            last_retried: None,
            untroubled: true,
            tell_at: None,
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    fn state(&mut self, slot: usize) -> Option<&mut PartitionState> {
        self.partitions.get_mut(slot).and_then(Option::as_mut)
    }

    /// Which open batches go out at once: all when someone flushes, closes, or waits for memory, else those that a
    /// flush asked for.
    fn urgency(&self) -> Urgency {
        let (flushing, before) = self.accumulator.incomplete.flushing();
        let all = flushing || self.accumulator.is_closed() || self.accumulator.pool.is_exhausted();
        Urgency { all, before }
    }

    fn take_news(&mut self, now: Now, out: &mut Outbox<'_>) {
        for topic in self.accumulator.take_missed() {
            // It may have been dropped while nothing was sent to it.
            self.note_use(now, topic.number);
            out.metadata.want(&topic.name);
            out.metadata.request_topic_update(&topic.name);
        }
        for topic in self.accumulator.take_listed_topics() {
            out.metadata.want(&topic.name);
            self.waiting_topics.insert(topic.name.clone(), topic.clone());
            self.look_at_waiting_topic(now, &topic, out);
        }
        for partition in self.accumulator.take_listed() {
            let slot = partition.slot;
            self.note_use(now, partition.topic_number);
            if self.partitions.len() <= slot {
                self.partitions.resize_with(slot + 1, || None);
            }
            if let Some(state @ None) = self.partitions.get_mut(slot) {
                let mut new = PartitionState::new(partition);
                new.leader = out.metadata.leader(&new.partition.topic, new.partition.index).map(|key| key.id);
                *state = Some(new);
            }
            self.look_at(now, slot, out);
        }
    }

    fn run_timers(&mut self, now: Now, out: &mut Outbox<'_>) {
        while let Some(slot) = self.timers.pop_due(now.mono) {
            if let Some(state) = self.state(slot) {
                state.scheduled = Nanos::NEVER;
            }
            self.look_at(now, slot, out);
        }
    }

    fn schedule(&mut self, slot: usize, at: Nanos) {
        if let Some(state) = self.partitions.get_mut(slot).and_then(Option::as_mut) {
            self.timers.schedule(slot, &mut state.scheduled, at);
        }
    }

    /// Reports the end of a batch. Everything that was accepted goes through here, once.
    fn report(&mut self, slot: usize, batch: &mut super::batch::SealedBatch, outcome: Outcome) {
        let Some(state) = self.partitions.get(slot).and_then(Option::as_ref) else { return };
        let (base_offset, append_time_ms, error) = match outcome {
            Outcome::Delivered { base_offset, append_time_ms } => (base_offset, append_time_ms, None),
            Outcome::Failed(error) => (-1, -1, Some(error)),
        };
        // Who sees the report may count on the memory.
        batch.payload = bytes::Bytes::new();
        self.deliveries.push(DeliveryChunk {
            topic: state.partition.topic.clone(),
            partition: state.partition.index,
            base_offset,
            append_time_ms,
            error,
            tokens: std::mem::take(&mut batch.tokens),
            charge: std::mem::take(&mut batch.token_charge),
        });
        self.accumulator.incomplete.end(batch.epoch);
    }

    fn note_trouble(&mut self, out: &Outbox<'_>) {
        // A leader that something waits for comes first.
        let leaders = self.ready.iter().filter(|(_, queue)| !queue.is_empty());
        let troubles = out.net.troubles();
        let now = leaders
            .filter_map(|(id, _)| troubles.of(*id))
            .next()
            .or_else(|| troubles.last())
            .or_else(|| self.last_retried.clone());
        if now.is_none() != self.untroubled || now.is_some() {
            self.untroubled = now.is_none();
            *self.control.trouble.lock() = now;
        }
    }

    /// Tells who waits for memory of a little of it too, if for a while no more came. Returns when to look again.
    fn tell_of_memory(&mut self, now: Now) -> Option<Deadline> {
        if !self.accumulator.pool.stop_holding() {
            self.tell_at = None;
            return None;
        }
        let at = *self.tell_at.get_or_insert(now.mono.plus_ms(LITTLE_MEMORY_MS));
        if now.mono < at {
            return Some(at);
        }
        self.tell_at = None;
        self.accumulator.pool.tell();
        None
    }

    fn next_deadline(&self) -> Option<Deadline> {
        let topics = self
            .waiting_topics
            .values()
            .filter_map(|t| t.pending.lock().chunks.front().map(|r| r.deadline))
            .min();
        earlier(earlier(self.timers.next(), self.idle_timers.next()), topics)
    }
}

/// Which open batches do not linger.
#[derive(Clone, Copy)]
struct Urgency {
    all: bool,
    /// Those of an epoch before this one.
    before: u64,
}

/// How a batch ended.
enum Outcome {
    Delivered { base_offset: i64, append_time_ms: i64 },
    Failed(Error),
}

impl RequestManager for Sender {
    fn poll(&mut self, now: Now, out: &mut Outbox<'_>) -> Option<Deadline> {
        loop {
            self.accumulator.pool.hold();
            self.accumulator.awake();
            let flush = self.accumulator.incomplete.last_flush();
            self.take_news(now, out);
            if self.control.abort.load(Ordering::SeqCst) && self.aborted.is_none() {
                // Why it was not delivered before is of use to whoever has to deliver it in another way now.
                let reason = self.last_retried.as_ref();
                let error = out.net.troubles().explain(lifecycle::purged(), reason, None);
                self.abort_all(&error);
            }
            self.run_timers(now, out);
            self.expire_waiting_topics(now, out);
            self.drop_idle_topics(now, out);
            if self.urgency().all {
                for slot in std::mem::take(&mut self.lingering) {
                    self.look_at(now, slot, out);
                }
            }
            let deadline = earlier(self.send_ready(now, out), self.next_deadline());
            let deadline = earlier(deadline, self.tell_of_memory(now));
            self.tell_loads();
            self.accumulator.incomplete.flush_was_seen(flush);
            self.note_trouble(out);
            if self.accumulator.go_to_sleep(deadline) {
                return deadline;
            }
        }
    }

    fn on_response(&mut self, now: Now, id: RequestId, result: RequestResult, out: &mut Outbox<'_>) {
        // Until the poll that follows.
        self.accumulator.pool.hold();
        if self.transaction_manager.owns(id) {
            if let Err(error) = self.transaction_manager.on_response(now, result) {
                self.fail_ready(&error);
            }
            return;
        }
        if let Some(slots) = self.requests.remove(&id) {
            self.on_produce_response(now, id, slots, result, out);
        }
    }

    fn on_metadata(&mut self, now: Now, out: &mut Outbox<'_>) {
        self.take_in_metadata(now, out);
    }

    fn is_finished(&self) -> bool {
        // Also after an abort: what was accepted in the moment of it is still to be reported.
        self.accumulator.is_closed() && self.accumulator.incomplete.is_flushed(u64::MAX)
    }

    fn on_fatal(&mut self, error: &Error) {
        // It is told once.
        let _ = self.control.fatal.set(error.clone());
        self.accumulator.fail(error, &self.deliveries);
        self.abort_all(error);
        self.accumulator.incomplete.give_up();
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // Nothing is left, unless it ends by a panic.
        self.accumulator.incomplete.give_up();
        self.deliveries.end();
    }
}

fn data(node: NodeId) -> NodeKey {
    NodeKey::data(node)
}
