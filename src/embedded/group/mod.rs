//! A consumer group of the classic protocol, as its coordinator sees it.
//!
//! ```text
//! Empty ──join──▶ PreparingRebalance ──all (or the deadline) joined──▶ CompletingRebalance
//!   ▲                  ▲      ▲                                             │ the leader's sync
//!   │ last member left │      └── join, leave, expiry ◀── Stable ◀──────────┘
//! ```
//! A join and a sync may have to wait; their answers come out as [`Completion`]s, at once or later. Time enters by
//! [`Group::on_time`], which also says when it wants to be called next.

mod join;
mod member;
mod offsets;
mod rebalance;
#[cfg(test)]
mod tests;

pub(super) use join::{JoinParams, SyncParams};
pub(super) use member::{Member, Ticket};
pub(super) use offsets::CommittedOffset;

use super::errors::*;
use crate::time::{earlier, Deadline, Nanos};
use bytes::Bytes;
use member::MemberId;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Where the group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupState {
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
}

impl GroupState {
    /// Kafka's name of the state.
    pub fn name(self) -> &'static str {
        match self {
            GroupState::Empty => "Empty",
            GroupState::PreparingRebalance => "PreparingRebalance",
            GroupState::CompletingRebalance => "CompletingRebalance",
            GroupState::Stable => "Stable",
        }
    }
}

/// The answer to a join.
#[derive(Clone, Debug, Default)]
pub(super) struct JoinAnswer {
    pub error: i16,
    pub generation: i32,
    pub protocol_type: Option<Arc<str>>,
    pub protocol: Option<Arc<str>>,
    pub leader: String,
    pub member_id: String,
    /// Filled for the leader only: member id, instance id, metadata.
    pub members: Vec<(String, Option<String>, Bytes)>,
    /// The leader need not assign: the group goes on as it was (KIP-814).
    pub skip_assignment: bool,
}

impl JoinAnswer {
    fn error(error: i16, member_id: &str) -> JoinAnswer {
        JoinAnswer { error, generation: -1, member_id: member_id.to_owned(), ..JoinAnswer::default() }
    }
}

/// The answer to a sync.
#[derive(Clone, Debug, Default)]
pub(super) struct SyncAnswer {
    pub error: i16,
    pub protocol_type: Option<Arc<str>>,
    pub protocol: Option<Arc<str>>,
    pub assignment: Bytes,
}

/// A request that can be answered now.
#[derive(Clone, Debug)]
pub(super) enum Completion {
    Join(Ticket, JoinAnswer),
    Sync(Ticket, SyncAnswer),
}

/// What the cluster's settings say about groups.
#[derive(Clone, Copy, Debug)]
pub(super) struct GroupLimits {
    pub initial_rebalance_delay_ms: u64,
    pub min_session_timeout_ms: i32,
    pub max_session_timeout_ms: i32,
    pub max_size: usize,
}

/// The first rebalance of a group that was empty waits for more members until `until`, or no longer than `last`.
#[derive(Clone, Copy, Debug)]
struct InitialDelay {
    until: Nanos,
    last: Nanos,
    joined_since: bool,
}

/// One group.
#[derive(Debug)]
pub(super) struct Group {
    limits: GroupLimits,
    state: GroupState,
    generation: i32,
    protocol_type: Option<Arc<str>>,
    protocol: Option<Arc<str>>,
    leader: Option<MemberId>,
    members: BTreeMap<MemberId, Member>,
    /// Static members (KIP-345): instance id to member id.
    instances: HashMap<String, MemberId>,
    /// Member ids that were handed out and not used yet (KIP-394), until when.
    pending: BTreeMap<MemberId, Nanos>,
    initial: Option<InitialDelay>,
    /// The end of the join phase, or of the sync phase.
    phase_deadline: Nanos,
    joins: u64,
    offsets: BTreeMap<String, BTreeMap<i32, CommittedOffset>>,
}

impl Group {
    pub fn new(limits: GroupLimits) -> Group {
        Group {
            limits,
            state: GroupState::Empty,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            instances: HashMap::new(),
            pending: BTreeMap::new(),
            initial: None,
            phase_deadline: Nanos::NEVER,
            joins: 0,
            offsets: BTreeMap::new(),
        }
    }

    pub fn state(&self) -> GroupState {
        self.state
    }
    pub fn generation(&self) -> i32 {
        self.generation
    }
    /// "consumer" for consumers; empty before the first member.
    pub fn protocol_type(&self) -> &str {
        self.protocol_type.as_deref().unwrap_or("")
    }
    /// The chosen protocol (assignor); empty before the first generation.
    pub fn protocol(&self) -> &str {
        self.protocol.as_deref().unwrap_or("")
    }
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }
    pub fn has_members(&self) -> bool {
        !self.members.is_empty()
    }
    /// Whether nothing would be lost by forgetting the group.
    pub fn is_dead(&self) -> bool {
        self.members.is_empty() && self.pending.is_empty() && self.offsets.is_empty()
    }

    /// Finds out who speaks: checks member and instance id against each other, and the generation where given.
    fn identify(&self, member: &str, instance: Option<&str>, generation: Option<i32>) -> Result<(), i16> {
        if let Some(instance) = instance {
            match self.instances.get(instance) {
                None => return Err(UNKNOWN_MEMBER_ID),
                Some(id) if **id != *member => return Err(FENCED_INSTANCE_ID),
                Some(_) => {}
            }
        }
        if !self.members.contains_key(member) {
            return Err(UNKNOWN_MEMBER_ID);
        }
        match generation {
            Some(generation) if generation != self.generation => Err(ILLEGAL_GENERATION),
            _ => Ok(()),
        }
    }

    fn touch(&mut self, now: Nanos, member: &str) {
        if let Some(member) = self.members.get_mut(member) {
            member.touch(now);
        }
    }

    /// A member says that it is alive; the error code is the answer.
    pub fn heartbeat(&mut self, now: Nanos, member: &str, instance: Option<&str>, generation: i32) -> i16 {
        if let Err(error) = self.identify(member, instance, Some(generation)) {
            return error;
        }
        self.touch(now, member);
        match self.state {
            GroupState::PreparingRebalance => REBALANCE_IN_PROGRESS,
            GroupState::Empty => UNKNOWN_MEMBER_ID,
            GroupState::CompletingRebalance | GroupState::Stable => NONE,
        }
    }

    /// A member leaves, named by its id or, with an empty id, by its instance.
    pub fn leave(
        &mut self,
        now: Nanos,
        member: &str,
        instance: Option<&str>,
        out: &mut Vec<Completion>,
    ) -> i16 {
        if self.pending.remove(member).is_some() {
            self.advance(now, out);
            return NONE;
        }
        let id = match instance {
            Some(instance) => match self.instances.get(instance) {
                None => return UNKNOWN_MEMBER_ID,
                Some(id) if !member.is_empty() && **id != *member => return FENCED_INSTANCE_ID,
                Some(id) => id.clone(),
            },
            None => member.into(),
        };
        if !self.members.contains_key(&id) {
            return UNKNOWN_MEMBER_ID;
        }
        self.remove(now, &id, out);
        NONE
    }

    /// Does what is due: ends phases, drops members that were silent too long. Gives the time of the next call.
    pub fn on_time(&mut self, now: Nanos, out: &mut Vec<Completion>) -> Option<Deadline> {
        self.pending.retain(|_, until| *until > now);
        while let Some(id) = self.members.values().find(|m| m.is_expired(now)).map(|m| m.id.clone()) {
            self.remove(now, &id, out);
        }
        self.advance(now, out);
        let sessions = self.members.values().filter(|m| !m.is_waiting()).map(|m| m.session_deadline);
        let next = sessions.chain(self.pending.values().copied()).min();
        match self.state {
            GroupState::PreparingRebalance => {
                let initial = self.initial.map(|i| i.until);
                earlier(next, Some(initial.unwrap_or(self.phase_deadline)))
            }
            GroupState::CompletingRebalance => earlier(next, Some(self.phase_deadline)),
            GroupState::Empty | GroupState::Stable => next,
        }
    }
}
