//! `OffsetsManager`: finds the offsets of beginnings, ends and times with ListOffsets: for partitions that have to
//! begin somewhere, and for calls that ask.

use super::commands::{OffsetsCommand, Reply};
use super::partition_state::{PartitionId, Place, Position};
use super::shared::Shared;
use super::types::OffsetAndTimestamp;
use crate::client::connection_states::Backoff;
use crate::client::metadata::{Metadata, TopicState};
use crate::client::request::{
    NodeId, NodeKey, Outbox, RequestId, RequestManager, RequestResult, RequestSpec, Response, Target,
};
use crate::error::{Code, Error, Phase, Place as LogPlace};
use crate::log::{Context, Logger};
use crate::protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use crate::protocol::messages::list_offsets_response::ListOffsetsPartitionResponse;
use crate::protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};
use crate::protocol::{ApiKey, Message, Reader};
use crate::serialization::TopicPartition;
use crate::time::{earlier, Deadline, Nanos, Now};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Copy, Debug)]
pub struct OffsetsSettings {
    pub has_group: bool,
    pub request_timeout_ms: u64,
    pub retry: Backoff,
}

pub struct OffsetsManager {
    shared: Arc<Shared>,
    settings: OffsetsSettings,
    log: Logger,
    lookups: BTreeMap<u64, Lookup>,
    next_lookup: u64,
    requests: BTreeMap<RequestId, Purpose>,
    rng: fastrand::Rng,
}

/// What a request is for.
enum Purpose {
    /// Partitions that go to an end of theirs.
    Reset(BTreeMap<TopicPartition, (PartitionId, u64)>),
    /// A call, by its number; and which broker it is asked of.
    Lookup(u64, NodeId, BTreeMap<TopicPartition, i64>),
}

/// A partition and the timestamp that is looked for there.
type Question = (TopicPartition, i64);

/// A call that is not answered yet.
struct Lookup {
    /// As asked, in that order.
    questions: Vec<Question>,
    /// Not found and not under way.
    open: BTreeSet<Question>,
    found: BTreeMap<Question, Option<OffsetAndTimestamp>>,
    under_way: usize,
    topics: BTreeSet<Arc<str>>,
    deadline: Nanos,
    retry_at: Nanos,
    failures: u32,
    last_error: Option<Error>,
    reply: Reply<Vec<(TopicPartition, Option<OffsetAndTimestamp>)>>,
}

impl Lookup {
    /// Notes a failure that is being retried.
    fn trouble(&mut self, error: Error) {
        self.reply.trouble(&error);
        self.last_error = Some(error);
    }
}

/// What a broker said about one partition.
type Found = Result<Option<OffsetAndTimestamp>, Code>;

impl OffsetsManager {
    pub fn new(shared: Arc<Shared>, settings: OffsetsSettings, log: Logger, seed: u64) -> OffsetsManager {
        OffsetsManager {
            shared,
            settings,
            log,
            lookups: BTreeMap::new(),
            next_lookup: 0,
            requests: BTreeMap::new(),
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    fn pause(&mut self, now: Now, failures: u32) -> Nanos {
        now.mono.plus_ms(self.settings.retry.after(failures, self.rng.f64()))
    }

    // ---- partitions that have to begin somewhere

    /// Without a group there is no committed offset, and here the policy gave no end to go to.
    fn refuse_unplaced(&mut self, now: Now) -> Option<Deadline> {
        let (due, next) = self.shared.subscription.lock().take_needing_offset(now.mono);
        for (id, epoch) in due {
            no_offset(&self.shared, id, epoch, now.mono.plus_ms(self.settings.retry.max_ms));
        }
        next
    }

    fn send_resets(&mut self, now: Now, out: &mut Outbox<'_>) -> Option<Deadline> {
        let metadata: &Metadata = out.metadata;
        let mut by_node: BTreeMap<NodeId, Vec<(TopicPartition, i64, PartitionId, u64)>> = BTreeMap::new();
        let mut subscription = self.shared.subscription.lock();
        let (due, next) =
            subscription.take_needing_reset(now.mono, |topic, index| metadata.leader(topic, index).is_some());
        for (id, epoch) in due {
            let name = subscription.name(id);
            let Some(Place::Reset(end)) = subscription.current(id, epoch).map(|s| s.place) else { continue };
            if let Some(leader) = metadata.leader(&name.topic, id.index) {
                by_node.entry(leader.id).or_default().push((name, end.timestamp(), id, epoch));
            }
        }
        drop(subscription);
        for (node, targets) in by_node {
            let request = self.request(node, targets.iter().map(|(name, at, ..)| (name, *at)), out);
            let sent = out.send(now, request);
            let purpose = targets.into_iter().map(|(name, _, id, epoch)| (name, (id, epoch))).collect();
            self.requests.insert(sent, Purpose::Reset(purpose));
        }
        next
    }

    fn on_reset(
        &mut self,
        now: Now,
        name: &TopicPartition,
        (id, epoch): (PartitionId, u64),
        found: Found,
        response: &Response,
        out: &mut Outbox<'_>,
    ) {
        let code = match found {
            Ok(Some(at)) => {
                let position = Position { offset: at.offset, leader_epoch: at.leader_epoch };
                self.shared.subscription.lock().on_reset(id, epoch, position);
                self.shared.answered.raise();
                return self.log.info(now, Context::Consumer, format_args!("{name} begins at {}", at.offset));
            }
            Ok(None) => Code::OFFSET_NOT_AVAILABLE,
            Err(code) => code,
        };
        let error = lookup_error(code, name, response);
        if is_stale_metadata(code) {
            out.metadata.request_topic_update(&name.topic);
        }
        self.reset_failed(now, id, epoch, error);
    }

    fn reset_failed(&mut self, now: Now, id: PartitionId, epoch: u64, error: Error) {
        let failures = self.shared.subscription.lock().current(id, epoch).map_or(0, |s| s.failures);
        let retry_at = self.pause(now, failures.saturating_add(1));
        let report = !error.is_retriable() && error.code() != Code::UNKNOWN_SERVER_ERROR;
        let kept = report.then(|| error.clone());
        self.shared.subscription.lock().back_off(id, epoch, retry_at, kept, Some(&error));
        if report {
            self.shared.report_of(id, epoch, error);
            self.shared.answered.raise();
        }
    }

    // ---- calls

    fn begin(&mut self, now: Now, command: OffsetsCommand) {
        let open: BTreeSet<Question> = command.targets.iter().cloned().collect();
        let topics: BTreeSet<Arc<str>> = open.iter().map(|(p, _)| p.topic.clone()).collect();
        let mut subscription = self.shared.subscription.lock();
        topics.iter().for_each(|t| subscription.add_lookup(t));
        drop(subscription);
        self.next_lookup += 1;
        let lookup = Lookup {
            questions: command.targets,
            open,
            found: BTreeMap::new(),
            under_way: 0,
            topics,
            deadline: now.mono.plus_ms(command.timeout_ms),
            retry_at: Nanos(0),
            failures: 0,
            last_error: None,
            reply: command.reply,
        };
        self.lookups.insert(self.next_lookup, lookup);
    }

    fn poll_lookups(&mut self, now: Now, out: &mut Outbox<'_>) -> Option<Deadline> {
        let mut deadline = None;
        for number in self.lookups.keys().copied().collect::<Vec<_>>() {
            deadline = earlier(deadline, self.poll_lookup(now, number, out));
        }
        deadline
    }

    fn poll_lookup(&mut self, now: Now, number: u64, out: &mut Outbox<'_>) -> Option<Deadline> {
        let lookup = self.lookups.get_mut(&number)?;
        if lookup.open.is_empty() && lookup.under_way == 0 {
            self.end(number, None);
            return None;
        }
        if lookup.deadline <= now.mono {
            let error = self.late(number);
            self.end(number, error);
            return None;
        }
        if lookup.retry_at > now.mono {
            return Some(lookup.retry_at.min(lookup.deadline));
        }
        let mut by_node: BTreeMap<NodeId, BTreeMap<TopicPartition, i64>> = BTreeMap::new();
        let mut trouble = None;
        for (name, at) in &lookup.open {
            if let Some(TopicState::Failed(error)) = out.metadata.topic(&name.topic) {
                let error = error.clone();
                self.end(number, Some(error));
                return None;
            }
            match out.metadata.leader(&name.topic, name.partition) {
                // A request names a partition once: other times there are asked for by the next one.
                Some(leader) => _ = by_node.entry(leader.id).or_default().entry(name.clone()).or_insert(*at),
                None => trouble = no_leader(name, out).or(trouble),
            }
        }
        if let Some(error) = trouble {
            lookup.trouble(error);
        }
        let deadline = lookup.deadline;
        for (node, targets) in by_node {
            let request = self.request(node, targets.iter().map(|(name, at)| (name, *at)), out);
            let sent = out.send(now, request);
            if let Some(lookup) = self.lookups.get_mut(&number) {
                lookup.under_way += 1;
                targets.iter().for_each(|(name, at)| _ = lookup.open.remove(&(name.clone(), *at)));
            }
            self.requests.insert(sent, Purpose::Lookup(number, node, targets));
        }
        Some(deadline)
    }

    /// What a call that has no more time is told.
    fn late(&self, number: u64) -> Option<Error> {
        let lookup = self.lookups.get(&number)?;
        let asked = self.requests.values().filter_map(|purpose| match purpose {
            Purpose::Lookup(of, node, targets) if *of == number => Some((*node, targets)),
            _ => None,
        });
        let asked: Vec<_> = asked.collect();
        let open = lookup.open.iter().map(|(name, _)| name);
        let mut left = open.chain(asked.iter().flat_map(|(_, targets)| targets.keys())).peekable();
        let first = left.peek().map_or(String::new(), |p| format!(", {p} among them"));
        let count = left.count();
        let text = format!("the offsets of {count} partitions were not found in time{first}");
        let error = Error::new(Code::TIMED_OUT, text);
        // A broker that has not answered yet; one that something is wrong with before the others.
        let troubled = asked.iter().find(|(node, _)| self.shared.troubles.of(*node).is_some());
        let broker = troubled.or(asked.first()).map(|(node, _)| *node);
        let error = match (broker, &lookup.last_error) {
            (Some(id), None) => error.broker(id),
            _ => error,
        };
        Some(self.shared.troubles.explain(error, lookup.last_error.as_ref(), broker))
    }

    /// Answers a call.
    fn end(&mut self, number: u64, error: Option<Error>) {
        let Some(lookup) = self.lookups.remove(&number) else { return };
        let mut subscription = self.shared.subscription.lock();
        lookup.topics.iter().for_each(|t| subscription.remove_lookup(t));
        drop(subscription);
        if let Some(error) = error {
            return lookup.reply.complete(Err(error));
        }
        let Lookup { questions, found, reply, .. } = lookup;
        let answer = |question: Question| {
            let found = found.get(&question).cloned().flatten();
            (question.0, found)
        };
        reply.complete(Ok(questions.into_iter().map(answer).collect()));
    }

    fn on_lookup(
        &mut self,
        number: u64,
        question: Question,
        found: Found,
        response: &Response,
        out: &mut Outbox<'_>,
    ) {
        let Some(lookup) = self.lookups.get_mut(&number) else { return };
        let code = match found {
            Ok(found) => {
                lookup.found.insert(question, found);
                return;
            }
            // The topic's old record format has no timestamps to look for: what is not found is none.
            Err(Code::UNSUPPORTED_FOR_MESSAGE_FORMAT) => return,
            Err(code) => code,
        };
        let error = lookup_error(code, &question.0, response);
        if is_stale_metadata(code) {
            out.metadata.request_topic_update(&question.0.topic);
        }
        if !error.is_retriable() {
            return self.end(number, Some(error));
        }
        lookup.trouble(error);
        lookup.open.insert(question);
    }

    // ---- requests

    fn request<'a>(
        &self,
        node: NodeId,
        targets: impl Iterator<Item = (&'a TopicPartition, i64)>,
        out: &Outbox<'_>,
    ) -> RequestSpec {
        let mut topics: BTreeMap<Arc<str>, Vec<ListOffsetsPartition>> = BTreeMap::new();
        for (name, timestamp) in targets {
            let known = out.metadata.known(&name.topic).and_then(|t| t.partition(name.partition));
            topics.entry(name.topic.clone()).or_default().push(ListOffsetsPartition {
                partition_index: name.partition,
                current_leader_epoch: known.map_or(-1, |p| p.leader_epoch),
                timestamp,
                ..Default::default()
            });
        }
        // Not behind a fetch that waits for records.
        let target = Target::Node(out.net.prompt(NodeKey::data(node)));
        let timeout_ms = self.settings.request_timeout_ms;
        // Version 0 answers differently; those above 7 bring nothing that is asked for here.
        RequestSpec::new(target, ApiKey::ListOffsets, (1, 7), timeout_ms, move |w, version| {
            let topics = topics
                .iter()
                .map(|(name, partitions)| ListOffsetsTopic { name, partitions: partitions.clone() })
                .collect();
            ListOffsetsRequest { replica_id: -1, isolation_level: 0, topics, ..Default::default() }
                .encode(w, version)
        })
    }

    fn on_success(
        &mut self,
        now: Now,
        purpose: &Purpose,
        response: &Response,
        out: &mut Outbox<'_>,
    ) -> Result<(), Error> {
        let answer = ListOffsetsResponse::decode(&mut Reader::new(&response.body), response.version)
            .map_err(|e| response.unreadable(e))?;
        let mut answers: BTreeMap<TopicPartition, Found> = BTreeMap::new();
        for topic in &answer.topics {
            for partition in &topic.partitions {
                answers.insert(TopicPartition::new(topic.name, partition.partition_index), found(partition));
            }
        }
        let mut answer =
            |name: &TopicPartition| answers.remove(name).unwrap_or(Err(Code::UNKNOWN_SERVER_ERROR));
        match purpose {
            Purpose::Reset(targets) => {
                for (name, (id, epoch)) in targets {
                    self.on_reset(now, name, (*id, *epoch), answer(name), response, out);
                }
            }
            Purpose::Lookup(number, _, targets) => {
                for (name, at) in targets {
                    self.on_lookup(*number, (name.clone(), *at), answer(name), response, out);
                }
                self.request_ended(now, *number, targets);
            }
        }
        Ok(())
    }

    /// A request of a call has ended; what it did not find is asked for again after a pause.
    fn request_ended(&mut self, now: Now, number: u64, targets: &BTreeMap<TopicPartition, i64>) {
        let Some(lookup) = self.lookups.get_mut(&number) else { return };
        lookup.under_way = lookup.under_way.saturating_sub(1);
        if !targets.iter().any(|(name, at)| lookup.open.contains(&(name.clone(), *at))) {
            return;
        }
        lookup.failures = lookup.failures.saturating_add(1);
        let failures = lookup.failures;
        let retry_at = self.pause(now, failures);
        if let Some(lookup) = self.lookups.get_mut(&number) {
            lookup.retry_at = retry_at;
        }
    }

    fn on_failure(&mut self, now: Now, purpose: Purpose, error: &Error) {
        match purpose {
            Purpose::Reset(targets) => {
                for (id, epoch) in targets.into_values() {
                    self.reset_failed(now, id, epoch, error.clone());
                }
            }
            Purpose::Lookup(number, _, targets) => {
                if let Some(lookup) = self.lookups.get_mut(&number) {
                    lookup.trouble(error.clone());
                    lookup.open.extend(targets.clone());
                }
                self.request_ended(now, number, &targets);
            }
        }
    }
}

fn found(partition: &ListOffsetsPartitionResponse) -> Found {
    match Code(i32::from(partition.error_code)) {
        Code::NONE => Ok((partition.offset >= 0).then_some(OffsetAndTimestamp {
            offset: partition.offset,
            timestamp_ms: partition.timestamp,
            leader_epoch: partition.leader_epoch,
        })),
        code => Err(code),
    }
}

fn lookup_error(code: Code, name: &TopicPartition, response: &Response) -> Error {
    refused(code, "the broker refused to tell", name)
        .broker(response.node)
        .address(&*response.address)
        .phase(Phase::Request)
}

fn refused(code: Code, why: &str, name: &TopicPartition) -> Error {
    // An answer that leaves a partition out is as good as one that says "later".
    let retriable = Error::new(code, "").is_retriable() || code == Code::UNKNOWN_SERVER_ERROR;
    Error::new(code, format!("the offset of {name} is not known: {why}")).retriable(retriable)
}

/// Why no leader is known for a partition; nothing before anybody was asked. What the brokers said of the topic comes
/// before what is wrong with some broker, which may have nothing to do with it.
fn no_leader(name: &TopicPartition, out: &Outbox<'_>) -> Option<Error> {
    match out.metadata.topic(&name.topic) {
        Some(TopicState::Known(topic)) if topic.partition(name.partition).is_none() => {
            let text = format!("topic {} has {} partitions, no {name}", name.topic, topic.partitions.len());
            Some(Error::new(Code::UNKNOWN_TOPIC_OR_PARTITION, text))
        }
        Some(TopicState::Known(_)) => {
            Some(refused(Code::LEADER_NOT_AVAILABLE, "no leader is known for it", name))
        }
        Some(TopicState::Failed(error)) => Some(error.clone()),
        Some(TopicState::Unknown { last: Some(error) }) => Some(error.clone()),
        // No broker that can be reached is the reason for not knowing more.
        Some(TopicState::Unknown { last: None }) | None => out.net.troubles().last(),
    }
}

fn is_stale_metadata(code: Code) -> bool {
    matches!(
        code,
        Code::NOT_LEADER_OR_FOLLOWER
            | Code::LEADER_NOT_AVAILABLE
            | Code::REPLICA_NOT_AVAILABLE
            | Code::KAFKA_STORAGE_ERROR
            | Code::FENCED_LEADER_EPOCH
            | Code::UNKNOWN_LEADER_EPOCH
            | Code::UNKNOWN_TOPIC_OR_PARTITION
    )
}

/// Tells that a partition has nowhere to begin; it is looked at again from `retry_at` on.
pub fn no_offset(shared: &Shared, id: PartitionId, epoch: u64, retry_at: Nanos) {
    let mut subscription = shared.subscription.lock();
    let name = subscription.name(id);
    let text = format!("{name} has no committed offset, and auto.offset.reset is none");
    let error = Error::new(Code::NO_OFFSET, text).at(LogPlace {
        topic: name.topic,
        partition: name.partition,
        offset: -1,
        next_offset: -1,
    });
    subscription.back_off(id, epoch, retry_at, Some(error.clone()), None);
    drop(subscription);
    shared.report_of(id, epoch, error);
    shared.answered.raise();
}

impl RequestManager for OffsetsManager {
    fn poll(&mut self, now: Now, out: &mut Outbox<'_>) -> Option<Deadline> {
        while let Some(command) = self.shared.next_offsets_command() {
            self.begin(now, command);
        }
        if self.shared.is_closing() {
            self.lookups.clear();
            return None;
        }
        let mut deadline = self.send_resets(now, out);
        if !self.settings.has_group {
            deadline = earlier(deadline, self.refuse_unplaced(now));
        }
        earlier(deadline, self.poll_lookups(now, out))
    }

    fn on_response(&mut self, now: Now, id: RequestId, result: RequestResult, out: &mut Outbox<'_>) {
        let Some(purpose) = self.requests.remove(&id) else { return };
        let error = match result {
            Ok(r) => match self.on_success(now, &purpose, &r, out) {
                Ok(()) => return,
                Err(error) => error,
            },
            Err(failure) => failure.error,
        };
        self.on_failure(now, purpose, &error);
    }

    fn is_finished(&self) -> bool {
        self.shared.is_closing()
    }

    fn on_fatal(&mut self, error: &Error) {
        for (_, lookup) in std::mem::take(&mut self.lookups) {
            lookup.reply.complete(Err(error.clone()));
        }
    }
}
