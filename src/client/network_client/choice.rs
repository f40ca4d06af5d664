//! Which broker is asked when any will do.

use super::{NetworkClient, Node};
use crate::client::connection_states::State;
use crate::client::request::{FailureKind, NodeId, NodeKey};
use crate::error::{Code, Error};
use crate::time::{earlier, Deadline, Now};

impl NetworkClient {
    /// The connection to `key`'s broker on which an answer takes no longer than a round trip: that one, unless the
    /// broker holds an answer back there. Brokers work on one request of a connection at a time. A broker that does
    /// not take one more connection is asked on that for data, where the answer waits for the fetch before it.
    pub fn prompt(&self, key: NodeKey) -> NodeKey {
        if !self.nodes.get(&key).is_some_and(Node::is_held_up) {
            return key;
        }
        let lookup = NodeKey::lookup(key.id);
        match self.nodes.get(&lookup).is_some_and(|node| node.connection.failures > 0) {
            true => NodeKey::data(key.id),
            false => lookup,
        }
    }

    /// The broker to ask when any will do: a ready one with the fewest requests in flight, else one that is
    /// being connected to, else one that may be tried now. Bootstrap addresses come last, once brokers are known.
    pub(super) fn least_loaded(&mut self, now: Now) -> Option<NodeKey> {
        let mut ids: Vec<NodeId> = self.brokers.keys().copied().collect();
        ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
        let known = ids.iter().take_while(|id| **id >= 0).count();
        if let Some(real) = ids.get_mut(..known) {
            self.rng.shuffle(real);
        }
        if let Some(bootstrap) = ids.get_mut(known..) {
            self.rng.shuffle(bootstrap);
        }
        let rank = |id: &NodeId| -> Option<(u8, usize)> {
            let Some(node) = self.nodes.get(&NodeKey::data(*id)) else {
                return Some((2 + u8::from(*id < 0), 0));
            };
            match node.connection.state {
                State::Ready { .. } => Some((0, node.in_flight.len() + node.waiting.len())),
                State::Connecting { .. } | State::Handshaking { .. } | State::Resolving { .. } => {
                    Some((1, node.waiting.len()))
                }
                State::Idle if node.connection.can_connect(now.mono) => Some((2 + u8::from(*id < 0), 0)),
                State::Idle => None,
            }
        };
        let best = ids.iter().filter_map(|id| rank(id).map(|r| (r, *id))).min_by_key(|(r, _)| *r)?;
        Some(self.prompt(NodeKey::data(best.1)))
    }

    pub(super) fn poll_unassigned(&mut self, now: Now) -> Option<Deadline> {
        for _ in 0..self.unassigned.len() {
            let Some(w) = self.unassigned.pop_front() else { break };
            if w.deadline <= now.mono {
                let text = format!("{} found no broker within {} ms", w.spec.api.name(), w.spec.timeout_ms);
                let error = Error::new(Code::TIMED_OUT, text).hint(
                    "check bootstrap.servers, and that a broker runs there and can be reached from here",
                );
                let error = self.settings.troubles.explain(error, None, None);
                self.fail(w.owner, w.id, FailureKind::NotSent, error);
                continue;
            }
            match self.least_loaded(now) {
                Some(key) => self.assign(now, key, w),
                None => self.unassigned.push_back(w),
            }
        }
        if self.unassigned.is_empty() {
            return None;
        }
        let retry = self.nodes.values().map(|n| n.connection.retry_at).filter(|at| *at > now.mono).min();
        earlier(retry, self.unassigned.iter().map(|w| w.deadline).min())
    }
}
