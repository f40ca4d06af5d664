//! The group's committed offsets: where assigned partitions begin, and what calls ask for.

use super::turn::{verdict, GroupSettings, Purpose, Turn, Verdict};
use crate::client::request::{NodeKey, RequestResult, RequestSpec, Response, Target};
use crate::consumer::commands::Reply;
use crate::consumer::offsets::no_offset;
use crate::consumer::partition_state::{PartitionId, Position};
use crate::consumer::shared::Shared;
use crate::consumer::types::OffsetAndMetadata;
use crate::error::{Code, Error};
use crate::log::{Context, Logger};
use crate::protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use crate::protocol::messages::{OffsetFetchRequest, OffsetFetchResponse};
use crate::protocol::{ApiKey, EncodeError, Message, Reader, Writer};
use crate::serialization::TopicPartition;
use crate::time::{earlier, Deadline, Nanos, Now};
use std::collections::BTreeMap;
use std::sync::Arc;

type Answer = Vec<(TopicPartition, Option<OffsetAndMetadata>)>;
type Found = Result<Option<OffsetAndMetadata>, Code>;

/// A call that is not answered yet.
struct Call {
    partitions: Vec<TopicPartition>,
    deadline: Nanos,
    retry_at: Nanos,
    failures: u32,
    under_way: bool,
    last_error: Option<Error>,
    reply: Reply<Answer>,
}

pub struct CommittedOffsets {
    shared: Arc<Shared>,
    settings: Arc<GroupSettings>,
    log: Logger,
    calls: BTreeMap<u64, Call>,
    last_call: u64,
    /// The partitions whose beginnings are being asked for.
    positions: Option<BTreeMap<TopicPartition, (PartitionId, u64)>>,
    /// Whether partitions wait for the coordinator to be known.
    waits: bool,
    rng: fastrand::Rng,
}

impl CommittedOffsets {
    pub fn new(
        shared: Arc<Shared>,
        settings: Arc<GroupSettings>,
        log: Logger,
        seed: u64,
    ) -> CommittedOffsets {
        CommittedOffsets {
            shared,
            settings,
            log,
            calls: BTreeMap::new(),
            last_call: 0,
            positions: None,
            waits: false,
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    pub fn push(&mut self, now: Now, partitions: Vec<TopicPartition>, timeout_ms: u64, reply: Reply<Answer>) {
        if partitions.is_empty() {
            return reply.complete(Ok(Vec::new()));
        }
        self.last_call += 1;
        let deadline = now.mono.plus_ms(timeout_ms);
        let call = Call {
            partitions,
            deadline,
            retry_at: Nanos(0),
            failures: 0,
            under_way: false,
            last_error: None,
            reply,
        };
        self.calls.insert(self.last_call, call);
    }

    /// Whether the coordinator has to be known for this.
    pub fn wants_coordinator(&self) -> bool {
        self.waits || !self.calls.is_empty()
    }

    pub fn fail_all(&mut self, error: &Error) {
        for (_, call) in std::mem::take(&mut self.calls) {
            call.reply.complete(Err(error.clone()));
        }
    }

    fn pause(&mut self, now: Now, failures: u32) -> Nanos {
        now.mono.plus_ms(self.settings.retry.after(failures.saturating_add(1), self.rng.f64()))
    }

    // ---- sending

    pub fn poll(&mut self, turn: &mut Turn<'_, '_>, coordinator: Option<NodeKey>) -> Option<Deadline> {
        let deadline = self.poll_positions(turn, coordinator);
        earlier(deadline, self.poll_calls(turn, coordinator))
    }

    fn poll_positions(&mut self, turn: &mut Turn<'_, '_>, coordinator: Option<NodeKey>) -> Option<Deadline> {
        if self.positions.is_some() {
            return None;
        }
        let mut subscription = self.shared.subscription.lock();
        let Some(node) = coordinator else {
            self.waits = subscription.needs_offsets();
            return None;
        };
        self.waits = false;
        let (due, next) = subscription.take_needing_offset(turn.now.mono);
        let named: BTreeMap<TopicPartition, (PartitionId, u64)> =
            due.into_iter().map(|(id, epoch)| (subscription.name(id), (id, epoch))).collect();
        drop(subscription);
        if !named.is_empty() {
            let request = self.request(turn.out.net.prompt(node), named.keys());
            turn.send(Purpose::Positions, request);
            self.positions = Some(named);
        }
        next
    }

    fn poll_calls(&mut self, turn: &mut Turn<'_, '_>, coordinator: Option<NodeKey>) -> Option<Deadline> {
        let mut deadline = None;
        for number in self.calls.keys().copied().collect::<Vec<_>>() {
            let Some(call) = self.calls.get_mut(&number) else { continue };
            if call.deadline <= turn.now.mono {
                if let Some(call) = self.calls.remove(&number) {
                    let error = Error::new(Code::TIMED_OUT, "the committed offsets were not told in time");
                    let own = call.last_error.as_ref().or(turn.no_coordinator);
                    let broker = coordinator.map(|node| node.id);
                    call.reply.complete(Err(self.shared.troubles.explain(error, own, broker)));
                }
                continue;
            }
            deadline = earlier(deadline, Some(call.deadline));
            if call.under_way {
                continue;
            }
            if call.retry_at > turn.now.mono {
                deadline = earlier(deadline, Some(call.retry_at));
                continue;
            }
            let Some(node) = coordinator else { continue };
            call.under_way = true;
            let partitions = call.partitions.clone();
            let request = self.request(turn.out.net.prompt(node), partitions.iter());
            turn.send(Purpose::Committed(number), request);
        }
        deadline
    }

    fn request<'a>(
        &self,
        node: NodeKey,
        partitions: impl Iterator<Item = &'a TopicPartition>,
    ) -> RequestSpec {
        let mut topics: BTreeMap<Arc<str>, Vec<i32>> = BTreeMap::new();
        for p in partitions {
            topics.entry(p.topic.clone()).or_default().push(p.partition);
        }
        for indexes in topics.values_mut() {
            // Who asks may name a partition twice.
            indexes.sort_unstable();
            indexes.dedup();
        }
        let (group, timeout_ms) = (self.settings.group_id.clone(), self.settings.request_timeout_ms);
        RequestSpec::new(Target::Node(node), ApiKey::OffsetFetch, (2, 8), timeout_ms, move |w, version| {
            encode(&group, &topics, w, version)
        })
    }

    // ---- answers

    pub fn on_positions(&mut self, now: Now, result: RequestResult) -> Verdict {
        let Some(asked) = self.positions.take() else { return Verdict::Fine };
        let (mut found, response) = match self.read(result) {
            Ok(found) => found,
            Err((error, verdict)) => {
                for (id, epoch) in asked.into_values() {
                    self.position_failed(now, id, epoch, error.clone());
                }
                self.shared.answered.raise();
                return verdict;
            }
        };
        for (name, (id, epoch)) in asked {
            match found.remove(&name).unwrap_or(Err(Code::UNKNOWN_SERVER_ERROR)) {
                Ok(at) => self.position_found(now, &name, id, epoch, at),
                Err(code) => self.position_failed(now, id, epoch, partition_error(code, &name, &response)),
            }
        }
        self.shared.answered.raise();
        Verdict::Fine
    }

    fn position_found(
        &mut self,
        now: Now,
        name: &TopicPartition,
        id: PartitionId,
        epoch: u64,
        at: Option<OffsetAndMetadata>,
    ) {
        let position = at.map(|at| Position { offset: at.offset, leader_epoch: at.leader_epoch });
        let offset = position.map(|p| p.offset);
        let went = self.shared.subscription.lock().on_committed(id, epoch, position);
        match offset {
            Some(offset) => {
                self.log.info(
                    now,
                    Context::Cgrp,
                    format_args!("{name} begins at the committed offset {offset}"),
                );
            }
            None if went => {}
            None => {
                let retry_at = now.mono.plus_ms(self.settings.retry.max_ms);
                no_offset(&self.shared, id, epoch, retry_at);
            }
        }
    }

    fn position_failed(&mut self, now: Now, id: PartitionId, epoch: u64, error: Error) {
        let failures = self.shared.subscription.lock().current(id, epoch).map_or(0, |s| s.failures);
        let retry_at = self.pause(now, failures);
        let report = !is_retried(&error);
        let kept = report.then(|| error.clone());
        self.shared.subscription.lock().back_off(id, epoch, retry_at, kept, Some(&error));
        if report {
            self.shared.report_of(id, epoch, error);
        }
    }

    pub fn on_call(&mut self, now: Now, number: u64, result: RequestResult) -> Verdict {
        let Some(call) = self.calls.get_mut(&number) else { return Verdict::Fine };
        call.under_way = false;
        let (error, verdict) = match self.read(result) {
            Ok((found, response)) => {
                let Some(call) = self.calls.get(&number) else { return Verdict::Fine };
                let answers = call.partitions.iter().map(|p| {
                    let found = found.get(p).cloned().unwrap_or(Err(Code::UNKNOWN_SERVER_ERROR));
                    found.map(|at| (p.clone(), at)).map_err(|code| partition_error(code, p, &response))
                });
                match answers.collect::<Result<Answer, Error>>() {
                    Ok(answer) => {
                        if let Some(call) = self.calls.remove(&number) {
                            call.reply.complete(Ok(answer));
                        }
                        return Verdict::Fine;
                    }
                    Err(error) => (error, Verdict::Fine),
                }
            }
            Err(failed) => failed,
        };
        if !is_retried(&error) && verdict != Verdict::CoordinatorLost {
            if let Some(call) = self.calls.remove(&number) {
                call.reply.complete(Err(error));
            }
            return verdict;
        }
        let failures = self.calls.get(&number).map_or(0, |c| c.failures);
        let retry_at = self.pause(now, failures);
        if let Some(call) = self.calls.get_mut(&number) {
            call.reply.trouble(&error);
            call.last_error = Some(error);
            call.failures = call.failures.saturating_add(1);
            call.retry_at = retry_at;
        }
        verdict
    }

    fn read(
        &self,
        result: RequestResult,
    ) -> Result<(BTreeMap<TopicPartition, Found>, Response), (Error, Verdict)> {
        let response = result.map_err(|e| (e.error, Verdict::CoordinatorLost))?;
        let (code, found) = read(&response).map_err(|e| (e, Verdict::Fine))?;
        if !code.is_ok() {
            let error = response.error(code, "the coordinator did not tell the committed offsets");
            return Err((error, verdict(code)));
        }
        Ok((found, response))
    }
}

fn encode(
    group: &str,
    topics: &BTreeMap<Arc<str>, Vec<i32>>,
    w: &mut Writer,
    version: i16,
) -> Result<(), EncodeError> {
    // What a transaction that is still open may commit is not an offset to begin at (KIP-447).
    let require_stable = version >= 7;
    if version < 8 {
        let topics = topics
            .iter()
            .map(|(name, indexes)| OffsetFetchRequestTopic { name, partition_indexes: indexes.clone() })
            .collect();
        return OffsetFetchRequest {
            group_id: group,
            topics: Some(topics),
            require_stable,
            ..Default::default()
        }
        .encode(w, version);
    }
    let topics = topics.iter().map(|(name, indexes)| OffsetFetchRequestTopics {
        name,
        partition_indexes: indexes.clone(),
        ..Default::default()
    });
    let groups = vec![OffsetFetchRequestGroup {
        group_id: group,
        topics: Some(topics.collect()),
        ..Default::default()
    }];
    OffsetFetchRequest { groups, require_stable, ..Default::default() }.encode(w, version)
}

/// The answer of whichever version, and the error of the whole.
fn read(response: &Response) -> Result<(Code, BTreeMap<TopicPartition, Found>), Error> {
    let answer = OffsetFetchResponse::decode(&mut Reader::new(&response.body), response.version)
        .map_err(|e| response.unreadable(e))?;
    let mut found = BTreeMap::new();
    let mut add = |topic: &str, index: i32, code: i16, offset: i64, epoch: i32, metadata: Option<&str>| {
        let at = match Code(i32::from(code)) {
            Code::NONE => Ok((offset >= 0).then(|| OffsetAndMetadata {
                offset,
                leader_epoch: epoch,
                metadata: metadata.filter(|m| !m.is_empty()).map(Arc::from),
            })),
            code => Err(code),
        };
        found.insert(TopicPartition::new(topic, index), at);
    };
    if response.version < 8 {
        for t in &answer.topics {
            for p in &t.partitions {
                let (offset, epoch) = (p.committed_offset, p.committed_leader_epoch);
                add(t.name, p.partition_index, p.error_code, offset, epoch, p.metadata);
            }
        }
        return Ok((Code(i32::from(answer.error_code)), found));
    }
    let mut code = Code::NONE;
    for g in &answer.groups {
        code = Code(i32::from(g.error_code));
        for t in &g.topics {
            for p in &t.partitions {
                let (offset, epoch) = (p.committed_offset, p.committed_leader_epoch);
                add(t.name, p.partition_index, p.error_code, offset, epoch, p.metadata);
            }
        }
    }
    Ok((code, found))
}

fn partition_error(code: Code, name: &TopicPartition, response: &Response) -> Error {
    response.error(code, format!("the committed offset of {name} is not known"))
}

/// Whether asking again may help. Of the codes that are not retriable as such, an unknown server error may pass.
fn is_retried(error: &Error) -> bool {
    error.is_retriable() || error.code() == Code::UNKNOWN_SERVER_ERROR
}
