//! What the parts of the group's manager share.

use crate::client::connection_states::Backoff;
use crate::client::request::{Outbox, RequestId, RequestSpec};
use crate::config::Assignor;
use crate::error::{Code, Error};
use crate::time::Now;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a member of a group is configured with. Times are in milliseconds.
#[derive(Clone, Debug)]
pub struct GroupSettings {
    pub group_id: Arc<str>,
    pub instance_id: Option<Arc<str>>,
    pub session_timeout_ms: u64,
    pub heartbeat_interval_ms: u64,
    pub max_poll_interval_ms: u64,
    pub assignors: Vec<Assignor>,
    /// The interval of the consumer's own commits.
    pub auto_commit_ms: Option<u64>,
    pub request_timeout_ms: u64,
    /// For the consumer's own commits.
    pub api_timeout_ms: u64,
    pub retry: Backoff,
}

impl GroupSettings {
    /// Whether partitions stay with a member through a rebalance: only if all assignors can do it (KIP-429).
    pub fn is_cooperative(&self) -> bool {
        self.assignors.iter().all(|a| matches!(a, Assignor::CooperativeSticky))
    }
}

/// Which part of the manager a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Find,
    Join,
    Sync,
    /// Of this generation.
    Heartbeat(i32),
    Leave,
    /// Of this generation.
    Commit(i32),
    /// Of the call with this number.
    Committed(u64),
    Positions,
}

/// A poll or an answer that is being worked on.
pub struct Turn<'a, 'b> {
    pub now: Now,
    pub out: &'a mut Outbox<'b>,
    pub requests: &'a mut BTreeMap<RequestId, Purpose>,
    /// Why the coordinator is not known, while it is searched for in vain.
    pub no_coordinator: Option<&'a Error>,
}

impl Turn<'_, '_> {
    pub fn send(&mut self, purpose: Purpose, request: RequestSpec) -> RequestId {
        let id = self.out.send(self.now, request);
        self.requests.insert(id, purpose);
        id
    }
}

/// This member as it is known to the coordinator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub member_id: Arc<str>,
    pub generation: i32,
}

/// What an answer says about the group, beyond what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    /// The broker is not the coordinator, or not to be had.
    CoordinatorLost,
    /// The group rebalances.
    Rebalance,
    /// The coordinator does not know this member, or not in this generation any more.
    MemberLost(Code),
    /// Another consumer took this member's `group.instance.id` over.
    Fenced,
}

/// What [`Verdict::Fenced`] says.
pub const FENCED: &str = "another consumer has this group.instance.id";

/// What a code means for the group, whatever the request.
pub fn verdict(code: Code) -> Verdict {
    match code {
        Code::NOT_COORDINATOR | Code::COORDINATOR_NOT_AVAILABLE => Verdict::CoordinatorLost,
        Code::REBALANCE_IN_PROGRESS => Verdict::Rebalance,
        Code::UNKNOWN_MEMBER_ID | Code::ILLEGAL_GENERATION => Verdict::MemberLost(code),
        Code::FENCED_INSTANCE_ID => Verdict::Fenced,
        _ => Verdict::Fine,
    }
}
