//! A member of a group.

use crate::embedded::ServerConn;
use crate::time::Nanos;
use bytes::Bytes;
use std::sync::Arc;

pub(super) type MemberId = Arc<str>;

/// A request that waits at the head of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub conn: ServerConn,
    /// The number of the request on its cluster, so that an answer can't reach another request.
    pub number: u64,
}

#[derive(Debug)]
pub struct Member {
    pub id: MemberId,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    pub client_id: String,
    pub session_timeout_ms: u64,
    pub rebalance_timeout_ms: u64,
    /// Supported protocols, the preferred one first, with what the member says to the leader in each.
    pub protocols: Vec<(String, Bytes)>,
    pub assignment: Bytes,
    pub(super) session_deadline: Nanos,
    pub(super) awaiting_join: Option<Ticket>,
    pub(super) awaiting_sync: Option<Ticket>,
    /// Whether it sent its sync of this generation.
    pub(super) synced: bool,
    /// The how manyth join into the group made it a member.
    pub(super) order: u64,
}

impl Member {
    /// What it said in the given protocol; empty if it does not know it.
    pub fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols.iter().find(|(name, _)| name == protocol).map_or_else(Bytes::new, |p| p.1.clone())
    }

    pub(super) fn touch(&mut self, now: Nanos) {
        self.session_deadline = now.plus_ms(self.session_timeout_ms);
    }

    /// A member with a waiting request is alive as long as the request waits.
    pub(super) fn is_waiting(&self) -> bool {
        self.awaiting_join.is_some() || self.awaiting_sync.is_some()
    }

    pub(super) fn is_expired(&self, now: Nanos) -> bool {
        !self.is_waiting() && self.session_deadline <= now
    }
}
