//! What the coordinator answers to joins, syncs and heartbeats, and what becomes of the member by it.

use super::requests::{self, JoinFailed, Joined, RawMember};
use super::{protocol, ClassicMember, State, ELECTION_MS};
use crate::client::request::{FailureKind, NodeKey, RequestError, RequestId, RequestResult};
use crate::consumer::assignor::Member;
use crate::consumer::coordinator::turn::{verdict, Turn, Verdict, FENCED};
use crate::consumer::types::Event;
use crate::error::{Code, Error};
use crate::log::Context;
use crate::serialization::TopicPartition;
use crate::time::Now;
use std::collections::BTreeSet;
use std::sync::Arc;

impl ClassicMember {
    pub fn on_join(&mut self, turn: &mut Turn<'_, '_>, id: RequestId, result: RequestResult) -> Verdict {
        if self.request != Some(id) {
            return Verdict::Fine;
        }
        self.request = None;
        if !matches!(self.state, State::Joining) {
            return Verdict::Fine;
        }
        let response = match result {
            Ok(response) => response,
            Err(failure) => return self.request_failed(turn.now, failure),
        };
        match requests::read_join(&response) {
            Ok(joined) => self.joined(turn, NodeKey::coordinator(response.node), joined),
            Err(failed) => self.join_failed(turn.now, failed),
        }
    }

    /// A join or sync got no answer.
    fn request_failed(&mut self, now: Now, failure: RequestError) -> Verdict {
        match failure.kind {
            // This broker will never take it: static membership, for example, is newer than the broker.
            FailureKind::NoCommonVersion | FailureKind::Invalid => {
                let error = match self.settings.instance_id.is_some() {
                    true => {
                        failure.error.hint("group.instance.id needs brokers of 2.3 or newer: leave it out")
                    }
                    false => failure.error,
                };
                self.fail(error);
                Verdict::Fine
            }
            _ => self.again(now, Verdict::CoordinatorLost),
        }
    }

    fn joined(&mut self, turn: &mut Turn<'_, '_>, node: NodeKey, joined: Joined) -> Verdict {
        let chosen = self.settings.assignors.iter().find(|a| a.protocol_name() == joined.protocol);
        let Some(protocol) = chosen.copied() else {
            let text = format!(
                "the group chose the assignor {:?}, which this member did not offer",
                joined.protocol
            );
            self.fail(Error::new(Code::INCONSISTENT_GROUP_PROTOCOL, text));
            return Verdict::Fine;
        };
        self.protocol = protocol;
        self.member_id = joined.member_id;
        self.generation = joined.generation;
        match joined.members {
            Some(members) if !joined.skip_assignment => self.elected(turn.now, &members),
            members => {
                // A leader that came back keeps an eye on the topics of its former assignment.
                let members = members.map(|members| decode(&members)).transpose().unwrap_or_default();
                self.led = members.as_deref().map(topics_of);
                let topics = self.led.clone().unwrap_or_default();
                self.shared.subscription.lock().set_group_topics(topics);
                self.take_up_lead(turn.out.metadata);
                self.send_sync(turn, node, Vec::new());
            }
        }
        Verdict::Fine
    }

    /// This member is the leader.
    fn elected(&mut self, now: Now, members: &[RawMember]) {
        match decode(members) {
            Ok(members) => {
                let topics = topics_of(&members);
                self.shared.subscription.lock().set_group_topics(topics);
                self.state = State::Electing { members, until: now.mono.plus_ms(ELECTION_MS) };
            }
            Err(error) => {
                self.shared.report(error);
                self.again(now, Verdict::Fine);
            }
        }
    }

    fn join_failed(&mut self, now: Now, failed: JoinFailed) -> Verdict {
        let JoinFailed { error, member_id } = failed;
        let verdict = verdict(error.code());
        match error.code() {
            Code::MEMBER_ID_REQUIRED => {
                self.member_id = member_id.unwrap_or_else(|| "".into());
                return Verdict::Fine;
            }
            Code::UNKNOWN_MEMBER_ID | Code::ILLEGAL_GENERATION => {
                // A member that kept partitions through the rebalance has lost them now.
                self.on_member_lost(now, error.code(), self.generation);
                self.member_id = "".into();
            }
            Code::INCONSISTENT_GROUP_PROTOCOL
            | Code::INVALID_SESSION_TIMEOUT
            | Code::INVALID_GROUP_ID
            | Code::FENCED_INSTANCE_ID
            | Code::UNSUPPORTED_VERSION => {
                self.fail(join_hint(error));
                return Verdict::Fine;
            }
            _ if error.is_retriable() => {}
            _ => self.shared.report(error),
        }
        self.again(now, verdict)
    }

    /// Joins again after a pause.
    fn again(&mut self, now: Now, verdict: Verdict) -> Verdict {
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now.mono.plus_ms(self.settings.retry.after(self.failures, self.rng.f64()));
        self.state = State::Joining;
        match verdict {
            Verdict::CoordinatorLost => verdict,
            _ => Verdict::Fine,
        }
    }

    pub fn on_sync(&mut self, now: Now, id: RequestId, result: RequestResult) -> Verdict {
        if self.request != Some(id) {
            return Verdict::Fine;
        }
        self.request = None;
        if !matches!(self.state, State::Syncing) {
            return Verdict::Fine;
        }
        let answer = match result {
            Ok(response) => requests::read_sync(&response),
            Err(failure) => return self.request_failed(now, failure),
        };
        let error = match answer.and_then(|bytes| protocol::decode_assignment(&bytes)) {
            Ok(assigned) => {
                self.failures = 0;
                self.heartbeat_at = now.mono.plus_ms(self.settings.heartbeat_interval_ms);
                self.take_over(now, assigned);
                return Verdict::Fine;
            }
            Err(error) => error,
        };
        let verdict = verdict(error.code());
        match verdict {
            Verdict::Fenced => {
                self.fail(error);
                return Verdict::Fine;
            }
            Verdict::MemberLost(code) => self.on_member_lost(now, code, self.generation),
            Verdict::Rebalance => {
                // The others have come already: no reason to let them wait.
                self.state = State::Joining;
                return Verdict::Fine;
            }
            _ if error.is_retriable() => {}
            _ => self.shared.report(error),
        }
        self.again(now, verdict)
    }

    fn take_over(&mut self, now: Now, mut assigned: Vec<TopicPartition>) {
        assigned.sort();
        assigned.dedup();
        let mut subscription = self.shared.subscription.lock();
        if subscription.session() != self.session {
            return;
        }
        let owned: BTreeSet<TopicPartition> = subscription.owned().into_iter().collect();
        let kept: BTreeSet<&TopicPartition> = assigned.iter().collect();
        let gone: Vec<TopicPartition> = owned.iter().filter(|p| !kept.contains(p)).cloned().collect();
        let new: Vec<TopicPartition> = assigned.iter().filter(|p| !owned.contains(p)).cloned().collect();
        subscription.add_from_group(&new);
        drop(subscription);
        let (all, new_ones, lost) = (assigned.len(), new.len(), gone.len());
        let (generation, group) = (self.generation, &self.settings.group_id);
        self.log.info(
            now,
            Context::Cgrp,
            format_args!(
                "generation {generation} of {group}: {all} partitions, {new_ones} of them new, {lost} to give up"
            ),
        );
        self.state = State::Stable;
        if !gone.is_empty() {
            self.reason = "partitions were given up";
            self.give_up(gone);
        }
        self.shared.notify(Event::Assigned(new));
        if matches!(self.state, State::Stable) {
            self.rejoin_if_changed(now);
        }
    }

    pub fn on_heartbeat(&mut self, now: Now, generation: i32, result: RequestResult) -> Verdict {
        self.heartbeat_under_way = false;
        let response = result.map_err(|e| e.error);
        let Ok((code, response)) = response.and_then(|r| Ok((requests::read_heartbeat(&r)?, r))) else {
            self.heartbeat_at = now.mono;
            return Verdict::CoordinatorLost;
        };
        if generation != self.generation {
            return Verdict::Fine;
        }
        match verdict(code) {
            Verdict::CoordinatorLost => {
                self.heartbeat_at = now.mono;
                return Verdict::CoordinatorLost;
            }
            Verdict::Rebalance => self.on_rebalance(now),
            Verdict::MemberLost(code) => self.on_member_lost(now, code, generation),
            Verdict::Fenced => self.fail(response.error(code, FENCED)),
            Verdict::Fine if code.is_ok() || code.is_retriable() => {}
            Verdict::Fine => self.shared.report(response.error(code, "the coordinator refused a heartbeat")),
        }
        Verdict::Fine
    }
}

fn decode(members: &[RawMember]) -> Result<Vec<Member>, Error> {
    let decoded = members
        .iter()
        .map(|(id, instance, metadata)| protocol::decode_subscription(id, instance.as_deref(), metadata));
    decoded.collect()
}

fn topics_of(members: &[Member]) -> BTreeSet<Arc<str>> {
    members.iter().flat_map(|m| m.topics.iter().cloned()).collect()
}

fn join_hint(error: Error) -> Error {
    match error.code() {
        Code::INCONSISTENT_GROUP_PROTOCOL => error.hint(
            "the members of the group share no assignor: give all of them the same partition.assignment.strategy",
        ),
        Code::INVALID_SESSION_TIMEOUT => error.hint(
            "session.timeout.ms must lie between the broker's group.min.session.timeout.ms and \
             group.max.session.timeout.ms",
        ),
        _ => error,
    }
}
