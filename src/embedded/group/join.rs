//! Joining a group and synchronizing with it: which requests wait, and which are answered at once.

use super::member::{Member, MemberId, Ticket};
use super::{Completion, Group, GroupState, JoinAnswer, SyncAnswer};
use crate::embedded::errors::*;
use crate::time::Nanos;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;

/// A join request. Protocols are in the member's order of preference.
#[derive(Clone, Debug)]
pub struct JoinParams<'a> {
    /// Empty for a new member.
    pub member_id: &'a str,
    pub instance_id: Option<&'a str>,
    pub client_id: &'a str,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    pub protocol_type: &'a str,
    pub protocols: Vec<(&'a str, &'a [u8])>,
    /// The member must come back with the id that it is given (JoinGroup 4 and newer).
    pub needs_known_id: bool,
    /// The member understands that the leader need not assign (JoinGroup 9).
    pub can_skip_assignment: bool,
    /// The id for it if it is new.
    pub new_id: String,
}

/// A sync request.
#[derive(Clone, Debug, Default)]
pub struct SyncParams<'a> {
    pub member_id: &'a str,
    pub instance_id: Option<&'a str>,
    pub generation: i32,
    /// What the member believes the group to be; nothing where the version does not say it.
    pub protocol_type: Option<&'a str>,
    pub protocol: Option<&'a str>,
    /// From the leader: member id and assignment.
    pub assignments: Vec<(&'a str, &'a [u8])>,
}

impl Group {
    /// A member joins, or joins again. The answer is among the completions, now or after a later call.
    pub fn join(&mut self, now: Nanos, params: &JoinParams<'_>, ticket: Ticket, out: &mut Vec<Completion>) {
        if let Err(answer) = self.try_join(now, params, ticket, out) {
            out.push(Completion::Join(ticket, answer));
        }
        self.advance(now, out);
    }

    fn try_join(
        &mut self,
        now: Nanos,
        p: &JoinParams<'_>,
        ticket: Ticket,
        out: &mut Vec<Completion>,
    ) -> Result<(), JoinAnswer> {
        let refuse = |error| JoinAnswer::error(error, p.member_id);
        let range = self.limits.min_session_timeout_ms..=self.limits.max_session_timeout_ms;
        if !range.contains(&p.session_timeout_ms) {
            return Err(refuse(INVALID_SESSION_TIMEOUT));
        }
        if !self.accepts_protocols(p) {
            return Err(refuse(INCONSISTENT_GROUP_PROTOCOL));
        }
        if p.member_id.is_empty() {
            return self.join_new(now, p, ticket, out);
        }
        if self.pending.remove(p.member_id).is_some() {
            self.add(now, p, p.member_id.into(), ticket, out);
            return Ok(());
        }
        self.identify(p.member_id, p.instance_id, None).map_err(refuse)?;
        self.join_again(now, p, ticket, out)
    }

    /// The member's kind and protocols fit the others'.
    fn accepts_protocols(&self, p: &JoinParams<'_>) -> bool {
        if p.protocols.is_empty() || p.protocol_type.is_empty() {
            return false;
        }
        let others = || self.members.values().filter(|m| *m.id != *p.member_id);
        if others().next().is_none() {
            return true;
        }
        self.protocol_type.as_deref() == Some(p.protocol_type)
            && p.protocols.iter().any(|(name, _)| others().all(|m| m.protocols.iter().any(|o| o.0 == *name)))
    }

    fn join_new(
        &mut self,
        now: Nanos,
        p: &JoinParams<'_>,
        ticket: Ticket,
        out: &mut Vec<Completion>,
    ) -> Result<(), JoinAnswer> {
        let known = p.instance_id.and_then(|i| self.instances.get(i)).cloned();
        if let Some(old) = known {
            return self.replace_static(now, p, &old, ticket, out);
        }
        if self.members.len().saturating_add(self.pending.len()) >= self.limits.max_size {
            return Err(JoinAnswer::error(GROUP_MAX_SIZE_REACHED, ""));
        }
        let id: MemberId = p.new_id.as_str().into();
        if p.needs_known_id && p.instance_id.is_none() {
            let session = u64::try_from(p.session_timeout_ms).unwrap_or(0);
            self.pending.insert(id, now.plus_ms(session));
            return Err(JoinAnswer::error(MEMBER_ID_REQUIRED, &p.new_id));
        }
        self.add(now, p, id, ticket, out);
        Ok(())
    }

    fn add(
        &mut self,
        now: Nanos,
        p: &JoinParams<'_>,
        id: MemberId,
        ticket: Ticket,
        out: &mut Vec<Completion>,
    ) {
        self.joins = self.joins.saturating_add(1);
        let mut member = Member {
            id: id.clone(),
            instance_id: p.instance_id.map(str::to_owned),
            client_id: String::new(),
            session_timeout_ms: 0,
            rebalance_timeout_ms: 0,
            protocols: Vec::new(),
            assignment: Bytes::new(),
            session_deadline: Nanos::NEVER,
            awaiting_join: Some(ticket),
            awaiting_sync: None,
            synced: false,
            order: self.joins,
        };
        member.renew(now, p);
        if let Some(instance) = p.instance_id {
            self.instances.insert(instance.to_owned(), id.clone());
        }
        if self.members.is_empty() {
            self.protocol_type = Some(p.protocol_type.into());
        }
        self.members.insert(id, member);
        if let Some(initial) = &mut self.initial {
            initial.joined_since = true;
        }
        self.rebalance(now, out);
    }

    /// A static member that was restarted comes with no id: it takes the place of its former self.
    fn replace_static(
        &mut self,
        now: Nanos,
        p: &JoinParams<'_>,
        old: &MemberId,
        ticket: Ticket,
        out: &mut Vec<Completion>,
    ) -> Result<(), JoinAnswer> {
        let Some(mut member) = self.members.remove(old) else {
            return Err(JoinAnswer::error(UNKNOWN_MEMBER_ID, ""));
        };
        let id: MemberId = p.new_id.as_str().into();
        if let Some(ticket) = member.awaiting_join.take() {
            out.push(Completion::Join(ticket, JoinAnswer::error(FENCED_INSTANCE_ID, old)));
        }
        if let Some(ticket) = member.awaiting_sync.take() {
            let answer = SyncAnswer { error: FENCED_INSTANCE_ID, ..SyncAnswer::default() };
            out.push(Completion::Sync(ticket, answer));
        }
        let was_leader = self.leader.as_ref() == Some(old);
        if was_leader {
            self.leader = Some(id.clone());
        }
        member.id = id.clone();
        member.renew(now, p);
        if let Some(instance) = p.instance_id {
            self.instances.insert(instance.to_owned(), id.clone());
        }
        self.members.insert(id.clone(), member);
        // As in Kafka: what it subscribes to now is looked at with the next rebalance.
        if self.state == GroupState::Stable && self.choose_protocol().as_deref() == Some(self.protocol()) {
            let mut answer = self.join_answer(&id);
            if was_leader {
                // An old leader must not believe that it has to assign: name it by its former id.
                answer.skip_assignment = p.can_skip_assignment;
                if !p.can_skip_assignment {
                    answer.leader = old.to_string();
                    answer.members.clear();
                }
            }
            return Err(answer);
        }
        if let Some(member) = self.members.get_mut(&id) {
            member.awaiting_join = Some(ticket);
        }
        self.rebalance(now, out);
        Ok(())
    }

    /// A known member joins: that starts a rebalance, unless it only repeats what the group knows already.
    fn join_again(
        &mut self,
        now: Nanos,
        p: &JoinParams<'_>,
        ticket: Ticket,
        out: &mut Vec<Completion>,
    ) -> Result<(), JoinAnswer> {
        let is_leader = self.leader.as_deref() == Some(p.member_id);
        let Some(member) = self.members.get_mut(p.member_id) else {
            return Err(JoinAnswer::error(UNKNOWN_MEMBER_ID, p.member_id));
        };
        let same = member.says_the_same(p);
        let repeats = match self.state {
            GroupState::CompletingRebalance => same,
            GroupState::Stable => same && !is_leader,
            GroupState::Empty | GroupState::PreparingRebalance => false,
        };
        member.renew(now, p);
        if repeats {
            return Err(self.join_answer(p.member_id));
        }
        if let Some(before) = member.awaiting_join.replace(ticket) {
            // The client gave the earlier request up; its connection may still wait.
            out.push(Completion::Join(before, JoinAnswer::error(UNKNOWN_MEMBER_ID, p.member_id)));
        }
        self.rebalance(now, out);
        Ok(())
    }

    /// What a member learns of the generation; the leader also of the members.
    pub(super) fn join_answer(&self, member: &str) -> JoinAnswer {
        let is_leader = self.leader.as_deref() == Some(member);
        let listed = self.members.values().filter(|_| is_leader);
        JoinAnswer {
            error: NONE,
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.as_deref().unwrap_or("").to_owned(),
            member_id: member.to_owned(),
            members: listed
                .map(|m| (m.id.to_string(), m.instance_id.clone(), m.metadata(self.protocol())))
                .collect(),
            skip_assignment: false,
        }
    }

    /// A member asks for its assignment; the leader brings all of them. The answer is among the completions, now
    /// or after a later call.
    pub fn sync(&mut self, now: Nanos, p: &SyncParams<'_>, ticket: Ticket, out: &mut Vec<Completion>) {
        let differs = |asked: Option<&str>, is: &Option<Arc<str>>| asked.is_some() && asked != is.as_deref();
        let answer = if let Err(error) = self.identify(p.member_id, p.instance_id, Some(p.generation)) {
            error
        } else if differs(p.protocol_type, &self.protocol_type) || differs(p.protocol, &self.protocol) {
            INCONSISTENT_GROUP_PROTOCOL
        } else {
            match self.state {
                GroupState::Empty => UNKNOWN_MEMBER_ID,
                GroupState::PreparingRebalance => REBALANCE_IN_PROGRESS,
                GroupState::CompletingRebalance => {
                    self.await_sync(now, p, ticket, out);
                    return;
                }
                GroupState::Stable => {
                    self.touch(now, p.member_id);
                    out.push(Completion::Sync(ticket, self.sync_answer(p.member_id)));
                    return;
                }
            }
        };
        out.push(Completion::Sync(ticket, SyncAnswer { error: answer, ..SyncAnswer::default() }));
    }

    fn await_sync(&mut self, now: Nanos, p: &SyncParams<'_>, ticket: Ticket, out: &mut Vec<Completion>) {
        if let Some(m) = self.members.get_mut(p.member_id) {
            m.synced = true;
            if let Some(before) = m.awaiting_sync.replace(ticket) {
                let answer = SyncAnswer { error: REBALANCE_IN_PROGRESS, ..SyncAnswer::default() };
                out.push(Completion::Sync(before, answer));
            }
        }
        if self.leader.as_deref() != Some(p.member_id) {
            return;
        }
        let given: HashMap<&str, &[u8]> = p.assignments.iter().copied().collect();
        for m in self.members.values_mut() {
            m.assignment = given.get(&*m.id).map_or_else(Bytes::new, |a| Bytes::copy_from_slice(a));
        }
        self.state = GroupState::Stable;
        // Members that did not send their sync yet get their assignment when they do, within their session.
        let waiting: Vec<MemberId> = self.members.keys().cloned().collect();
        for id in waiting {
            let ticket = self.members.get_mut(&id).and_then(|m| m.awaiting_sync.take());
            if let Some(ticket) = ticket {
                self.touch(now, &id);
                out.push(Completion::Sync(ticket, self.sync_answer(&id)));
            }
        }
    }

    fn sync_answer(&self, member: &str) -> SyncAnswer {
        SyncAnswer {
            error: NONE,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment: self.members.get(member).map_or_else(Bytes::new, |m| m.assignment.clone()),
        }
    }
}

impl Member {
    /// Takes over what a join says about the member.
    fn renew(&mut self, now: Nanos, p: &JoinParams<'_>) {
        let session = u64::try_from(p.session_timeout_ms).unwrap_or(0);
        self.client_id = p.client_id.to_owned();
        self.session_timeout_ms = session;
        self.rebalance_timeout_ms = u64::try_from(p.rebalance_timeout_ms).unwrap_or(session);
        self.protocols =
            p.protocols.iter().map(|(n, data)| ((*n).to_owned(), Bytes::copy_from_slice(data))).collect();
        self.touch(now);
    }

    fn says_the_same(&self, p: &JoinParams<'_>) -> bool {
        self.protocols.len() == p.protocols.len()
            && self.protocols.iter().zip(&p.protocols).all(|(a, b)| a.0 == b.0 && a.1 == b.1)
    }
}
