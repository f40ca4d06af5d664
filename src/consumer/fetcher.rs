//! `Fetcher`: asks the leaders of the assigned partitions for records, ahead of what the application reads.
//!
//! Each broker has at most one request, which names all of its partitions that can take more. It is sent when none
//! of them waits for the application: a broker answers as soon as one partition has something, and a request without
//! a busy partition would keep that one waiting until a quiet one has something.
//!
//! What requests may bring is set aside in the budget before they are sent, and counted exactly when it came.

use super::completed_fetch::CompletedFetch;
use super::fetch_request::{scan, Asked, FetchLimits, FetchPlan};
use super::partition_state::{PartitionId, Position};
use super::shared::Shared;
use super::subscription_state::SubscriptionState;
use crate::client::connection_states::Backoff;
use crate::client::request::{
    FailureKind, NodeId, Outbox, RequestError, RequestId, RequestManager, RequestResult, Response,
};
use crate::error::{Code, Error, Phase, Place};
use crate::log::{Context, Logger};
use crate::protocol::messages::fetch_response::PartitionData;
use crate::protocol::messages::FetchResponse;
use crate::protocol::{Message, Reader};
use crate::serialization::TopicPartition;
use crate::time::{earlier, Deadline, Nanos, Now};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Copy, Debug)]
pub struct FetchSettings {
    pub limits: FetchLimits,
    pub check_crcs: bool,
    pub retry: Backoff,
}

#[derive(Default)]
struct Node {
    /// The partitions it leads; those that had nothing lately come first.
    partitions: Vec<PartitionId>,
    request: Option<RequestId>,
    retry_at: Nanos,
    failures: u32,
    /// There was nothing to fetch when the subscription's changes counted so far.
    nothing_at: Option<u64>,
    /// When a partition that pauses after a failure may be asked for again.
    next_retry: Option<Nanos>,
}

struct InFlight {
    node: NodeId,
    plan: FetchPlan,
    reserved: usize,
}

pub struct Fetcher {
    shared: Arc<Shared>,
    settings: FetchSettings,
    log: Logger,
    nodes: BTreeMap<NodeId, Node>,
    /// The layout and the metadata that `nodes` was made of.
    made_of: (u64, u64),
    in_flight: BTreeMap<RequestId, InFlight>,
    reserved: usize,
    /// Which node is served first, so that none gets all of the budget.
    turn: usize,
    rng: fastrand::Rng,
}

/// What became of the attempt to ask a node.
enum Attempt {
    Sent,
    Nothing(Option<Deadline>),
    OverBudget,
}

impl Fetcher {
    pub fn new(shared: Arc<Shared>, settings: FetchSettings, log: Logger, seed: u64) -> Fetcher {
        Fetcher {
            shared,
            settings,
            log,
            nodes: BTreeMap::new(),
            made_of: (u64::MAX, u64::MAX),
            in_flight: BTreeMap::new(),
            reserved: 0,
            turn: 0,
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    /// Sends a request to each node that can be asked for more.
    fn send_fetches(&mut self, now: Now, out: &mut Outbox<'_>) -> Option<Deadline> {
        self.group_by_leader(out);
        let ids: Vec<NodeId> = self.nodes.keys().copied().collect();
        if ids.is_empty() {
            return None;
        }
        self.turn = (self.turn + 1) % ids.len();
        let used = self.shared.budget.used();
        let (mut deadline, mut over_budget) = (None, false);
        for id in ids.iter().cycle().skip(self.turn).take(ids.len()) {
            match self.send_fetch(now, *id, out) {
                Attempt::Sent => self.shared.budget.clear_starved(),
                Attempt::Nothing(at) => deadline = earlier(deadline, at),
                Attempt::OverBudget => over_budget = true,
            }
        }
        if over_budget && self.in_flight.is_empty() {
            return self.starve(now, used, deadline);
        }
        deadline
    }

    /// Nothing is under way and nothing more may be asked for, with so many bytes in use: who gives some back wakes
    /// us.
    fn starve(&self, now: Now, used: usize, deadline: Option<Deadline>) -> Option<Deadline> {
        if self.shared.budget.is_starved() {
            return deadline;
        }
        self.shared.budget.set_starved();
        if self.shared.budget.used() < used {
            // Some came back in between, perhaps unseen: look again.
            self.shared.budget.clear_starved();
            return Some(now.mono);
        }
        self.shared.ready.raise();
        deadline
    }

    /// Sorts the partitions to their leaders, when either may have changed.
    fn group_by_leader(&mut self, out: &Outbox<'_>) {
        let subscription = self.shared.subscription.lock();
        let made_of = (subscription.layout(), out.metadata.updates());
        if made_of == self.made_of {
            return;
        }
        self.made_of = made_of;
        let mut led: BTreeMap<NodeId, BTreeSet<PartitionId>> = BTreeMap::new();
        for (id, state) in subscription.partitions() {
            if let Some(leader) = out.metadata.leader(&state.topic, id.index) {
                led.entry(leader.id).or_default().insert(id);
            }
        }
        drop(subscription);
        self.nodes.retain(|id, node| led.contains_key(id) || node.request.is_some());
        for (id, node) in &mut self.nodes {
            let mut now_led = led.remove(id).unwrap_or_default();
            node.partitions.retain(|p| now_led.remove(p));
            node.partitions.extend(now_led);
            node.nothing_at = None;
        }
        for (id, partitions) in led {
            let partitions = partitions.into_iter().collect();
            self.nodes.insert(id, Node { partitions, ..Node::default() });
        }
    }

    fn send_fetch(&mut self, now: Now, id: NodeId, out: &mut Outbox<'_>) -> Attempt {
        let nodes = self.nodes.len();
        let Some(node) = self.nodes.get_mut(&id) else { return Attempt::Nothing(None) };
        if node.request.is_some() {
            return Attempt::Nothing(None);
        }
        if node.retry_at > now.mono {
            return Attempt::Nothing((!node.partitions.is_empty()).then_some(node.retry_at));
        }
        let subscription = self.shared.subscription.lock();
        let changes = subscription.changes();
        let retry_due = node.next_retry.is_some_and(|at| at <= now.mono);
        if node.nothing_at == Some(changes) && !retry_due {
            return Attempt::Nothing(node.next_retry);
        }
        let plan = plan(now, node, &subscription, out);
        drop(subscription);
        if plan.is_empty() {
            node.nothing_at = Some(changes);
            return Attempt::Nothing(node.next_retry);
        }
        let Some(room) = self.room(&plan, nodes) else { return Attempt::OverBudget };
        let limits =
            FetchLimits { max_bytes: i32::try_from(room).unwrap_or(i32::MAX), ..self.settings.limits };
        let request = out.send(now, plan.request(id, limits));
        if let Some(node) = self.nodes.get_mut(&id) {
            node.request = Some(request);
            node.nothing_at = None;
        }
        self.reserved = self.reserved.saturating_add(room);
        self.in_flight.insert(request, InFlight { node: id, plan, reserved: room });
        Attempt::Sent
    }

    /// The bytes that a request may bring: what its partitions can give, within a fair share of the budget. When
    /// nothing is held at all, even a budget that is too small is ignored: there must be progress.
    fn room(&self, plan: &FetchPlan, nodes: usize) -> Option<usize> {
        let size = |n: i32| usize::try_from(n).unwrap_or(0).max(1);
        let (budget, limits) = (&self.shared.budget, &self.settings.limits);
        let most = size(limits.max_partition_bytes).saturating_mul(plan.len()).min(size(limits.max_bytes));
        let fair = (budget.limit() / nodes.max(1)).max(1);
        let wanted = most.min(fair);
        let taken = budget.used().saturating_add(self.reserved);
        let left = budget.limit().saturating_sub(taken);
        if left >= wanted || taken == 0 {
            return Some(wanted);
        }
        (left >= wanted / 4 && left > 0).then_some(left)
    }

    fn on_failure(&mut self, now: Now, id: NodeId, failure: &RequestError) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.failures = node.failures.saturating_add(1);
        node.retry_at = now.mono.plus_ms(self.settings.retry.after(node.failures, self.rng.f64()));
        if matches!(failure.kind, FailureKind::NoCommonVersion | FailureKind::Invalid) {
            self.shared.report(failure.error.clone());
        }
        self.log.debug(now, Context::Fetch, format_args!("fetch from broker {id} failed: {}", failure.error));
    }

    fn on_success(
        &mut self,
        now: Now,
        sent: &InFlight,
        response: &Response,
        out: &mut Outbox<'_>,
    ) -> Result<(), Error> {
        let body = &response.body;
        let version = response.version;
        let answer =
            FetchResponse::decode(&mut Reader::new(body), version).map_err(|e| response.unreadable(e))?;
        if answer.error_code != 0 {
            let code = Code(i32::from(answer.error_code));
            return Err(response.error(code, "the broker refused the fetch"));
        }
        if let Some(node) = self.nodes.get_mut(&sent.node) {
            node.failures = 0;
            let throttle = u64::try_from(answer.throttle_time_ms).unwrap_or(0);
            node.retry_at = now.mono.plus_ms(throttle);
        }
        let mut completed = Completed { body, hold: None, fetches: Vec::new() };
        for topic in &answer.responses {
            let Some(topic_id) = sent.plan.topic(version, topic.topic, topic.topic_id) else { continue };
            for data in &topic.partitions {
                let id = PartitionId { topic: topic_id, index: data.partition_index };
                let Some(asked) = sent.plan.asked.get(&id) else { continue };
                match Code(i32::from(data.error_code)) {
                    Code::NONE => self.on_data(now, id, asked, data, &mut completed),
                    code => self.on_error(now, id, asked, code, response, out),
                }
            }
        }
        self.hand_over(sent.node, completed);
        Ok(())
    }

    /// Notes where to fetch on, and keeps the records if they are still wanted.
    fn on_data(
        &mut self,
        now: Now,
        id: PartitionId,
        asked: &Asked,
        data: &PartitionData<'_>,
        completed: &mut Completed<'_>,
    ) {
        let records = data.records.as_ref().and_then(|r| r.as_slice()).unwrap_or(&[]);
        let found = scan(records);
        if let Some(size) = found.cut {
            return self.on_cut(now, id, asked, size);
        }
        if !found.something {
            return;
        }
        let mut subscription = self.shared.subscription.lock();
        let Some(state) = subscription.current_mut(id, asked.epoch) else { return };
        if state.next_fetch != Some(asked.offset) {
            return;
        }
        // A region that does not lead forward is read before anything else is asked for.
        state.next_fetch = found.next.filter(|next| *next > asked.offset);
        state.buffered = state.buffered.saturating_add(1);
        let topic = state.topic.clone();
        drop(subscription);
        let hold =
            completed.hold.get_or_insert_with(|| Arc::new(self.shared.budget.hold(completed.body.len())));
        let position = Position { offset: asked.offset, leader_epoch: asked.leader_epoch };
        completed.fetches.push(CompletedFetch::new(
            id,
            topic,
            asked.epoch,
            position,
            completed.body.slice_ref(records),
            self.settings.check_crcs,
            hold.clone(),
        ));
    }

    /// Not even one batch came whole.
    fn on_cut(&mut self, now: Now, id: PartitionId, asked: &Asked, size: usize) {
        let text = format!("a batch of {size} bytes is larger than one fetch may be");
        let error = self.error(Code::MESSAGE_TOO_LARGE, id, asked, &text);
        self.fail(now, id, asked, Some(error.hint("raise max.partition.fetch.bytes and fetch.max.bytes")));
    }

    fn on_error(
        &mut self,
        now: Now,
        id: PartitionId,
        asked: &Asked,
        code: Code,
        response: &Response,
        out: &mut Outbox<'_>,
    ) {
        match code {
            Code::OFFSET_OUT_OF_RANGE => self.on_out_of_range(now, id, asked, response),
            Code::NOT_LEADER_OR_FOLLOWER
            | Code::LEADER_NOT_AVAILABLE
            | Code::REPLICA_NOT_AVAILABLE
            | Code::KAFKA_STORAGE_ERROR
            | Code::FENCED_LEADER_EPOCH
            | Code::UNKNOWN_LEADER_EPOCH
            | Code::UNKNOWN_TOPIC_OR_PARTITION
            | Code::UNKNOWN_TOPIC_ID
            | Code::INCONSISTENT_TOPIC_ID => {
                let topic = self.name(id).topic;
                out.metadata.request_topic_update(&topic);
                self.fail(now, id, asked, None);
            }
            // What lies corrupt in a log stays so; the broker does not say how far.
            Code::CORRUPT_MESSAGE => {
                let error = self.error(code, id, asked, "the broker found it corrupt");
                let error = from(response, error).retriable(false);
                self.fail(now, id, asked, Some(error.hint("seek to an offset behind it to read on")));
            }
            code => {
                let error = self.error(code, id, asked, "the broker refused to give records");
                // The retriable ones pass without anybody's doing.
                let passes = error.is_retriable() || code == Code::UNKNOWN_SERVER_ERROR;
                self.fail(now, id, asked, (!passes).then(|| from(response, error)));
            }
        }
    }

    fn on_out_of_range(&mut self, now: Now, id: PartitionId, asked: &Asked, response: &Response) {
        let mut subscription = self.shared.subscription.lock();
        let Some(state) = subscription.current_mut(id, asked.epoch) else { return };
        if state.next_fetch != Some(asked.offset) {
            return;
        }
        if state.buffered > 0 {
            // The position itself may be fine: see again when it gets here.
            state.next_fetch = None;
            return;
        }
        let went = subscription.on_out_of_range(id, asked.epoch);
        let name = subscription.name(id);
        drop(subscription);
        let offset = asked.offset;
        if went {
            return self.log.info(
                now,
                Context::Fetch,
                format_args!("offset {offset} of {name} is out of range; resetting by auto.offset.reset"),
            );
        }
        let error =
            self.error(Code::NO_OFFSET, id, asked, "it is out of range, and auto.offset.reset is none");
        self.fail(now, id, asked, Some(from(response, error)));
    }

    fn name(&self, id: PartitionId) -> TopicPartition {
        self.shared.subscription.lock().name(id)
    }

    /// An error that says where it happened.
    fn error(&self, code: Code, id: PartitionId, asked: &Asked, text: &str) -> Error {
        let TopicPartition { topic, partition } = self.name(id);
        let text = format!("{topic}-{partition} cannot be read at offset {}: {text}", asked.offset);
        Error::new(code, text).at(Place { topic, partition, offset: asked.offset, next_offset: -1 })
    }

    /// Lets a partition pause after a failure; tells the application if there is an error.
    fn fail(&mut self, now: Now, id: PartitionId, asked: &Asked, error: Option<Error>) {
        let mut subscription = self.shared.subscription.lock();
        let Some(state) = subscription.current(id, asked.epoch) else { return };
        let pause = self.settings.retry.after(state.failures.saturating_add(1), self.rng.f64());
        subscription.back_off(id, asked.epoch, now.mono.plus_ms(pause), error.clone(), None);
        drop(subscription);
        if let Some(error) = error {
            self.shared.report_of(id, asked.epoch, error);
        }
    }

    /// Puts what came into the buffer; partitions that had something are asked for last next time.
    fn hand_over(&mut self, node: NodeId, completed: Completed<'_>) {
        if completed.fetches.is_empty() {
            return;
        }
        if let Some(node) = self.nodes.get_mut(&node) {
            let had: BTreeSet<PartitionId> = completed.fetches.iter().map(|f| f.id).collect();
            node.partitions.sort_by_key(|id| had.contains(id));
        }
        self.shared.fetch_buffer.add(completed.fetches.into_iter());
        self.shared.ready.raise();
    }
}

/// Names the broker that an error came from.
fn from(response: &Response, error: Error) -> Error {
    error.broker(response.node).address(&*response.address).phase(Phase::Request)
}

/// What one response brought.
struct Completed<'a> {
    body: &'a Bytes,
    hold: Option<Arc<super::budget::Hold>>,
    fetches: Vec<CompletedFetch>,
}

/// Which partitions of a node to ask for; nothing while one of them waits for the application.
fn plan(now: Now, node: &mut Node, subscription: &SubscriptionState, out: &Outbox<'_>) -> FetchPlan {
    let mut plan = FetchPlan::default();
    node.next_retry = None;
    for id in &node.partitions {
        let Some(state) = subscription.get(*id).filter(|s| s.is_readable()) else { continue };
        if state.retry_at > now.mono {
            node.next_retry = earlier(node.next_retry, Some(state.retry_at));
            continue;
        }
        let (Some(offset), false) = (state.next_fetch, state.is_blocked()) else {
            return FetchPlan::default();
        };
        let Some(topic) = out.metadata.known(&state.topic) else { continue };
        let leader_epoch = topic.partition(id.index).map_or(-1, |p| p.leader_epoch);
        let position_epoch = state.position().filter(|p| p.offset == offset).map_or(-1, |p| p.leader_epoch);
        let asked = Asked { epoch: state.epoch, offset, leader_epoch: position_epoch };
        plan.add(*id, &state.topic, topic.id, leader_epoch, asked);
    }
    plan
}

impl RequestManager for Fetcher {
    fn poll(&mut self, now: Now, out: &mut Outbox<'_>) -> Option<Deadline> {
        if self.shared.is_closing() {
            return None;
        }
        self.send_fetches(now, out)
    }

    fn on_response(&mut self, now: Now, id: RequestId, result: RequestResult, out: &mut Outbox<'_>) {
        let Some(sent) = self.in_flight.remove(&id) else { return };
        self.reserved = self.reserved.saturating_sub(sent.reserved);
        if let Some(node) = self.nodes.get_mut(&sent.node) {
            node.request = None;
        }
        let failure = match result {
            Ok(response) => match self.on_success(now, &sent, &response, out) {
                Ok(()) => return,
                Err(error) => {
                    out.metadata.request_update();
                    let kind =
                        if error.is_retriable() { FailureKind::Disconnected } else { FailureKind::Invalid };
                    RequestError { kind, error }
                }
            },
            Err(failure) => failure,
        };
        self.on_failure(now, sent.node, &failure);
    }

    fn is_finished(&self) -> bool {
        self.shared.is_closing()
    }

    fn on_fatal(&mut self, error: &Error) {
        self.shared.set_fatal(error);
    }
}
