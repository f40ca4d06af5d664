//! The phases of a rebalance: waiting for the members to join, starting a generation, dropping who does not come.

use super::member::MemberId;
use super::{Completion, Group, GroupState, InitialDelay, JoinAnswer, SyncAnswer};
use crate::embedded::errors::*;
use crate::time::Nanos;
use bytes::Bytes;
use std::collections::BTreeMap;

impl Group {
    /// Begins the join phase, unless it is under way.
    pub(super) fn rebalance(&mut self, now: Nanos, out: &mut Vec<Completion>) {
        if self.state == GroupState::PreparingRebalance {
            return;
        }
        if self.state == GroupState::CompletingRebalance {
            for m in self.members.values_mut() {
                m.assignment = Bytes::new();
                if let Some(ticket) = m.awaiting_sync.take() {
                    m.session_deadline = now.plus_ms(m.session_timeout_ms);
                    let answer = SyncAnswer { error: REBALANCE_IN_PROGRESS, ..SyncAnswer::default() };
                    out.push(Completion::Sync(ticket, answer));
                }
            }
        }
        let timeout = self.members.values().map(|m| m.rebalance_timeout_ms).max().unwrap_or(0);
        let delay = self.limits.initial_rebalance_delay_ms.min(timeout);
        if self.state == GroupState::Empty && delay > 0 {
            let (until, last) = (now.plus_ms(delay), now.plus_ms(timeout));
            self.initial = Some(InitialDelay { until, last, joined_since: false });
        }
        self.phase_deadline = now.plus_ms(timeout);
        self.state = GroupState::PreparingRebalance;
    }

    /// Ends the phase if it can be ended.
    pub(super) fn advance(&mut self, now: Nanos, out: &mut Vec<Completion>) {
        match self.state {
            GroupState::PreparingRebalance => {
                if let Some(initial) = &mut self.initial {
                    if now < initial.until {
                        return;
                    }
                    if initial.joined_since && initial.until < initial.last {
                        let more = now.plus_ms(self.limits.initial_rebalance_delay_ms);
                        initial.until = more.min(initial.last);
                        initial.joined_since = false;
                        return;
                    }
                    self.initial = None;
                }
                let all = self.pending.is_empty() && self.members.values().all(|m| m.awaiting_join.is_some());
                if all || now >= self.phase_deadline {
                    self.begin_generation(now, out);
                }
            }
            GroupState::CompletingRebalance if now >= self.phase_deadline => {
                let silent: Vec<MemberId> =
                    self.members.values().filter(|m| !m.synced).map(|m| m.id.clone()).collect();
                for id in silent {
                    self.drop_member(&id, out);
                }
                self.rebalance_or_empty(now, out);
            }
            _ => {}
        }
    }

    /// All members that will come have joined: the next generation begins.
    fn begin_generation(&mut self, now: Nanos, out: &mut Vec<Completion>) {
        let missing: Vec<MemberId> = self
            .members
            .values()
            .filter(|m| m.awaiting_join.is_none() && m.instance_id.is_none())
            .map(|m| m.id.clone())
            .collect();
        for id in missing {
            self.drop_member(&id, out);
        }
        if self.members.is_empty() {
            return self.become_empty();
        }
        let joined = || self.members.values().filter(|m| m.awaiting_join.is_some());
        let Some(first) = joined().min_by_key(|m| m.order).map(|m| m.id.clone()) else {
            // Only static members that are away: wait for them until their sessions end.
            let timeout = self.members.values().map(|m| m.rebalance_timeout_ms).max().unwrap_or(0);
            self.phase_deadline = now.plus_ms(timeout.max(1));
            return;
        };
        if !joined().any(|m| Some(&m.id) == self.leader.as_ref()) {
            self.leader = Some(first);
        }
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        self.protocol = self.choose_protocol().map(Into::into);
        self.state = GroupState::CompletingRebalance;
        let timeout = self.members.values().map(|m| m.rebalance_timeout_ms).max().unwrap_or(0);
        self.phase_deadline = now.plus_ms(timeout);
        let ids: Vec<MemberId> = self.members.keys().cloned().collect();
        for id in ids {
            let answer = self.join_answer(&id);
            let Some(member) = self.members.get_mut(&id) else { continue };
            member.synced = false;
            if let Some(ticket) = member.awaiting_join.take() {
                member.session_deadline = now.plus_ms(member.session_timeout_ms);
                out.push(Completion::Join(ticket, answer));
            }
        }
    }

    /// Each member votes for the first protocol of its list that all know.
    pub(super) fn choose_protocol(&self) -> Option<String> {
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        let all_know = |name: &str| self.members.values().all(|m| m.protocols.iter().any(|p| p.0 == name));
        for member in self.members.values() {
            if let Some((name, _)) = member.protocols.iter().find(|(name, _)| all_know(name)) {
                let count = votes.entry(name).or_default();
                *count = count.saturating_add(1);
            }
        }
        votes.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name.to_owned())
    }

    /// Takes a member out, because it left or was silent; the others rebalance.
    pub(super) fn remove(&mut self, now: Nanos, id: &MemberId, out: &mut Vec<Completion>) {
        self.drop_member(id, out);
        match self.state {
            GroupState::Stable | GroupState::CompletingRebalance => self.rebalance_or_empty(now, out),
            GroupState::PreparingRebalance if self.members.is_empty() && self.pending.is_empty() => {
                self.become_empty();
            }
            GroupState::PreparingRebalance | GroupState::Empty => {}
        }
        self.advance(now, out);
    }

    fn drop_member(&mut self, id: &MemberId, out: &mut Vec<Completion>) {
        let Some(member) = self.members.remove(id) else { return };
        if let Some(instance) = &member.instance_id {
            self.instances.remove(instance);
        }
        if let Some(ticket) = member.awaiting_join {
            out.push(Completion::Join(ticket, JoinAnswer::error(UNKNOWN_MEMBER_ID, id)));
        }
        if let Some(ticket) = member.awaiting_sync {
            let answer = SyncAnswer { error: UNKNOWN_MEMBER_ID, ..SyncAnswer::default() };
            out.push(Completion::Sync(ticket, answer));
        }
        if self.leader.as_ref() == Some(id) {
            self.leader = None;
        }
    }

    fn rebalance_or_empty(&mut self, now: Nanos, out: &mut Vec<Completion>) {
        if self.members.is_empty() {
            self.become_empty();
        } else {
            self.rebalance(now, out);
        }
    }

    fn become_empty(&mut self) {
        self.state = GroupState::Empty;
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        self.initial = None;
        self.leader = None;
        self.protocol = None;
        self.phase_deadline = Nanos::NEVER;
    }
}
