//! Commits: those the application asks for and the consumer's own, one after the other.
//!
//! One commit is under way at a time, so that a retry of an earlier one can't undo a later one.

use super::turn::{verdict, GroupSettings, Identity, Purpose, Turn, Verdict};
use crate::client::request::{NodeKey, RequestId, RequestResult, RequestSpec, Response, Target};
use crate::consumer::commands::Reply;
use crate::consumer::shared::Shared;
use crate::consumer::types::{Event, OffsetAndMetadata, Offsets};
use crate::error::{Code, Error};
use crate::log::{Context, Logger};
use crate::protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use crate::protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};
use crate::protocol::{ApiKey, Message, Reader};
use crate::serialization::TopicPartition;
use crate::time::{earlier, Deadline, Nanos, Now};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Who waits for a commit.
pub enum Sink {
    /// A call.
    Reply(Reply<()>),
    /// An event tells the end of it.
    Event,
    /// The consumer itself; a failure that is not retried is an event.
    Own,
    /// The consumer that is being closed; see [`Commits::take_failure`].
    Close,
}

struct Commit {
    offsets: Offsets,
    deadline: Nanos,
    sink: Sink,
    last_error: Option<Error>,
}

#[derive(Clone, Copy)]
struct UnderWay {
    request: RequestId,
    /// By a member of the group. Who is none commits beside the group, which works as long as it has no members.
    by_member: bool,
}

/// What to do about a commit that a rebalance made impossible.
pub const COMMIT_AGAIN: &str = "poll until the assigned event comes, and commit what is still assigned then";

const TAKEN_OUT: &str = "this member was taken out of the group, mostly because it did not poll for \
     max.poll.interval.ms; its partitions may be read by others already";
const BESIDE: &str =
    "the group has members, so who uses assign can't commit for it: give this consumer a group.id \
     of its own, or subscribe";

/// Commits that may wait for the coordinator. Who commits after each record finds out when it does not answer.
const MAX_WAITING: usize = 1000;
/// Brokers before 2.1 forget offsets that were not committed for a day, though the group lives: all are committed
/// again this often.
const EVERYTHING_MS: u64 = 3_600_000;

pub struct Commits {
    shared: Arc<Shared>,
    settings: Arc<GroupSettings>,
    log: Logger,
    /// The first is the one that is under way, if any is.
    queue: VecDeque<Commit>,
    under_way: Option<UnderWay>,
    retry_at: Nanos,
    failures: u32,
    auto_at: Option<Nanos>,
    everything_at: Option<Nanos>,
    failure: Option<Error>,
    rng: fastrand::Rng,
}

impl Commits {
    pub fn new(shared: Arc<Shared>, settings: Arc<GroupSettings>, log: Logger, seed: u64) -> Commits {
        Commits {
            shared,
            settings,
            log,
            queue: VecDeque::new(),
            under_way: None,
            retry_at: Nanos(0),
            failures: 0,
            auto_at: None,
            everything_at: None,
            failure: None,
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    pub fn push(&mut self, now: Now, offsets: Offsets, timeout_ms: u64, sink: Sink) {
        let commit = Commit { offsets, deadline: now.mono.plus_ms(timeout_ms), sink, last_error: None };
        if commit.offsets.is_empty() {
            return self.end(now, commit, true, Ok(()));
        }
        if self.queue.len() >= MAX_WAITING && !matches!(commit.sink, Sink::Close) {
            let error =
                Error::new(Code::BUSY, format!("{MAX_WAITING} commits wait for the group's coordinator"))
                    .hint("commit less often, or wait for the commits");
            return self.end(now, commit, true, Err(error));
        }
        self.queue.push_back(commit);
    }

    /// Commits what former polls handed out, if the consumer is to do that by itself.
    pub fn push_own(&mut self, now: Now) {
        if self.settings.auto_commit_ms.is_none() {
            return;
        }
        self.auto_at = None;
        let everything = self.everything_at.is_some_and(|at| at <= now.mono);
        if everything || self.everything_at.is_none() {
            self.everything_at = Some(now.mono.plus_ms(EVERYTHING_MS));
        }
        let offsets = self.shared.subscription.lock().take_uncommitted(everything);
        if !offsets.is_empty() {
            self.push(now, offsets, self.settings.api_timeout_ms, Sink::Own);
        }
    }

    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Why the commit of a consumer that is being closed failed, if it did.
    pub fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    /// Ends all commits with this error.
    pub fn fail_all(&mut self, now: Now, error: &Error) {
        self.under_way = None;
        self.fail_waiting(now, error);
    }

    /// As [`Commits::fail_all`] without the one that is under way: its answer decides, and has a time limit.
    pub fn fail_waiting(&mut self, now: Now, error: &Error) {
        for commit in self.queue.split_off(usize::from(self.under_way.is_some()).min(self.queue.len())) {
            self.end(now, commit, true, Err(error.clone()));
        }
    }

    /// `by_member`: what is wrong with the membership mends by itself.
    fn end(&mut self, now: Now, commit: Commit, by_member: bool, result: Result<(), Error>) {
        let Commit { offsets, sink, .. } = commit;
        match (sink, result) {
            (Sink::Reply(reply), result) => reply.complete(result),
            (Sink::Event, result) => self.shared.notify(Event::Committed { offsets, error: result.err() }),
            (Sink::Own | Sink::Close, Ok(())) => {}
            (Sink::Close, Err(error)) => self.failure = Some(error),
            (Sink::Own, Err(error)) => {
                let partitions = offsets.iter().map(|(partition, _)| partition.clone());
                self.shared.subscription.lock().put_back_uncommitted(partitions);
                self.log.warning(
                    now,
                    Context::Cgrp,
                    format_args!("the consumer's own commit failed: {error}"),
                );
                // What a rebalance or a pause mends by itself comes with the next commit.
                let mends = by_member && verdict(error.code()) != Verdict::Fine;
                if !error.is_retriable() && !mends {
                    self.shared.notify(Event::Committed { offsets, error: Some(error) });
                }
            }
        }
    }

    // ---- sending

    /// `member` is nothing when this consumer is in no group, or not at the moment: then `outside` says why.
    pub fn poll(
        &mut self,
        turn: &mut Turn<'_, '_>,
        coordinator: Option<NodeKey>,
        member: Option<&Identity>,
        outside: Option<Error>,
    ) -> Option<Deadline> {
        self.expire(turn.now, turn.no_coordinator, coordinator);
        let mut deadline = None;
        if outside.is_none() {
            deadline = self.tick(turn.now);
        }
        // The one under way is ended by its answer.
        let waiting = self.queue.iter().skip(usize::from(self.under_way.is_some()));
        deadline = earlier(deadline, waiting.map(|c| c.deadline).min());
        if self.under_way.is_some() {
            return deadline;
        }
        if let Some(error) = outside.filter(|_| !self.queue.is_empty()) {
            self.fail_all(turn.now, &error);
            return deadline;
        }
        let (Some(node), Some(commit)) = (coordinator, self.queue.front()) else { return deadline };
        if self.retry_at > turn.now.mono {
            return earlier(deadline, Some(self.retry_at));
        }
        let generation = member.map_or(-1, |m| m.generation);
        // Not behind a join that waits for other members.
        let request = self.request(turn.out.net.prompt(node), member, &commit.offsets);
        let request = turn.send(Purpose::Commit(generation), request);
        self.under_way = Some(UnderWay { request, by_member: member.is_some() });
        deadline
    }

    /// The consumer's own commit, an interval after there was something to commit first.
    fn tick(&mut self, now: Now) -> Option<Deadline> {
        let interval = self.settings.auto_commit_ms?;
        if !self.shared.subscription.lock().has_uncommitted() {
            return None;
        }
        let at = *self.auto_at.get_or_insert(now.mono.plus_ms(interval));
        if at > now.mono {
            return Some(at);
        }
        let waits = self.queue.iter().any(|c| matches!(c.sink, Sink::Own));
        if !waits {
            self.push_own(now);
        }
        None
    }

    fn expire(&mut self, now: Now, no_coordinator: Option<&Error>, coordinator: Option<NodeKey>) {
        // The one under way is decided by its answer, which has a time limit of its own.
        let mut at = usize::from(self.under_way.is_some());
        while let Some(commit) = self.queue.get(at) {
            if commit.deadline > now.mono {
                at += 1;
                continue;
            }
            let Some(commit) = self.queue.remove(at) else { return };
            let error = Error::new(Code::TIMED_OUT, "the offsets were not committed in time");
            let own = commit.last_error.as_ref().or(no_coordinator);
            let error = self.shared.troubles.explain(error, own, coordinator.map(|node| node.id));
            self.end(now, commit, true, Err(error));
        }
    }

    fn request(&self, node: NodeKey, member: Option<&Identity>, offsets: &Offsets) -> RequestSpec {
        let mut topics: BTreeMap<Arc<str>, Vec<(i32, OffsetAndMetadata)>> = BTreeMap::new();
        for (partition, offset) in offsets {
            topics.entry(partition.topic.clone()).or_default().push((partition.partition, offset.clone()));
        }
        let (settings, member) = (self.settings.clone(), member.cloned());
        let timeout_ms = settings.request_timeout_ms;
        RequestSpec::new(Target::Node(node), ApiKey::OffsetCommit, (2, 8), timeout_ms, move |w, version| {
            let topics = topics.iter().map(|(name, partitions)| OffsetCommitRequestTopic {
                name,
                partitions: partitions.iter().map(|(index, at)| partition(*index, at)).collect(),
                ..Default::default()
            });
            OffsetCommitRequest {
                group_id: &settings.group_id,
                generation_id_or_member_epoch: member.as_ref().map_or(-1, |m| m.generation),
                member_id: member.as_ref().map_or("", |m| &m.member_id),
                // Only a member has it, and only with brokers that know it.
                group_instance_id: member.as_ref().and(settings.instance_id.as_deref()),
                topics: topics.collect(),
                ..Default::default()
            }
            .encode(w, version)
        })
    }

    // ---- answers

    /// `moved_on`: the member joins a newer generation than the commit was for, or has done so. Returns the error,
    /// too, if there is one.
    pub fn on_response(
        &mut self,
        now: Now,
        id: RequestId,
        moved_on: bool,
        result: RequestResult,
    ) -> (Verdict, Option<Error>) {
        let Some(UnderWay { by_member, .. }) = self.under_way.take_if(|u| u.request == id) else {
            return (Verdict::Fine, None);
        };
        let Some(commit) = self.queue.front() else { return (Verdict::Fine, None) };
        let (answered, verdict) = match result {
            Ok(response) => match read(&response, &commit.offsets, by_member) {
                Ok(()) => (Ok(()), Verdict::Fine),
                // Nothing is lost by that: the rebalance was faster than the commit.
                Err(error) if moved_on && error.code() == Code::ILLEGAL_GENERATION => {
                    (Err(overtaken(&error)), Verdict::Fine)
                }
                Err(error) => {
                    let verdict = verdict(error.code());
                    (Err(error), verdict)
                }
            },
            Err(failure) => (Err(failure.error), Verdict::CoordinatorLost),
        };
        let error = answered.as_ref().err().cloned();
        let again = match &answered {
            Ok(()) => None,
            Err(error) => Some(error).filter(|e| is_retried(e.code()) || verdict == Verdict::CoordinatorLost),
        };
        match again.cloned() {
            None => {
                self.failures = 0;
                self.retry_at = now.mono;
                if let Some(commit) = self.queue.pop_front() {
                    self.end(now, commit, by_member, answered);
                }
            }
            Some(error) => {
                self.failures = self.failures.saturating_add(1);
                self.retry_at = now.mono.plus_ms(self.settings.retry.after(self.failures, self.rng.f64()));
                if let Some(commit) = self.queue.front_mut() {
                    if let Sink::Reply(reply) = &commit.sink {
                        reply.trouble(&error);
                    }
                    commit.last_error = Some(error);
                }
                self.expire(now, None, None);
            }
        }
        (verdict, error)
    }
}

/// A commit that came too late for its generation.
fn overtaken(by: &Error) -> Error {
    let text = "the offsets were not committed: the group was rebalanced in that moment";
    Error::new(Code::REBALANCE_IN_PROGRESS, text).hint(COMMIT_AGAIN).retriable(true).caused_by(by)
}

fn partition(index: i32, at: &OffsetAndMetadata) -> OffsetCommitRequestPartition<'_> {
    OffsetCommitRequestPartition {
        partition_index: index,
        committed_offset: at.offset,
        committed_leader_epoch: at.leader_epoch,
        committed_metadata: Some(at.metadata.as_deref().unwrap_or("")),
        ..Default::default()
    }
}

/// Whether a commit that failed so may be tried again as it is.
fn is_retried(code: Code) -> bool {
    matches!(
        code,
        Code::COORDINATOR_LOAD_IN_PROGRESS
            | Code::COORDINATOR_NOT_AVAILABLE
            | Code::NOT_COORDINATOR
            | Code::REQUEST_TIMED_OUT
            | Code::UNKNOWN_TOPIC_OR_PARTITION
            | Code::UNKNOWN_SERVER_ERROR
    )
}

/// The first error of an answer, if there is one.
fn read(response: &Response, offsets: &Offsets, by_member: bool) -> Result<(), Error> {
    let answer = OffsetCommitResponse::decode(&mut Reader::new(&response.body), response.version)
        .map_err(|e| response.unreadable(e))?;
    let partitions = answer.topics.iter().flat_map(|t| t.partitions.iter().map(move |p| (t.name, p)));
    let mut answered = 0usize;
    let mut worst: Option<Error> = None;
    for (topic, p) in partitions {
        answered += 1;
        let code = Code(i32::from(p.error_code));
        if code.is_ok() {
            continue;
        }
        let name = TopicPartition::new(topic, p.partition_index);
        let mut error = response.error(code, format!("the offset of {name} was not committed"));
        if matches!(verdict(code), Verdict::MemberLost(_)) {
            error = error.hint(if by_member { TAKEN_OUT } else { BESIDE });
        }
        if code == Code::REBALANCE_IN_PROGRESS {
            error = error.hint(COMMIT_AGAIN).retriable(true);
        }
        // One that is final decides over those that could be tried again.
        if worst.as_ref().is_none_or(|w| is_retried(w.code()) && !is_retried(code)) {
            worst = Some(error);
        }
    }
    if worst.is_none() && answered < offsets.len() {
        let text = format!("the broker answered for {answered} of {} offsets to commit", offsets.len());
        worst = Some(response.error(Code::PROTOCOL, text));
    }
    worst.map_or(Ok(()), Err)
}
