//! What comes up by time: requests and steps of connecting that take too long, idle connections, new attempts.

use super::connecting::UNREACHABLE;
use super::NetworkClient;
use crate::client::connection_states::State;
use crate::client::in_flight::InFlight;
use crate::client::request::{FailureKind, NodeKey};
use crate::error::{Code, Error, Phase};
use crate::time::{earlier, Nanos, Now};
use std::collections::VecDeque;

impl NetworkClient {
    pub(super) fn schedule(&mut self, key: NodeKey, at: Nanos) {
        if let Some(node) = self.nodes.get_mut(&key) {
            self.timers.schedule(key, &mut node.scheduled, at);
        }
    }

    /// Looks at one node whose timer came up, and schedules the next look.
    pub(super) fn check_node(&mut self, now: Now, key: NodeKey) {
        match self.nodes.get_mut(&key) {
            Some(node) => node.scheduled = Nanos::NEVER,
            None => return,
        }
        self.expire_waiting(now, key);
        self.expire_step(now, key);
        self.expire_in_flight(now, key);
        self.expire_idle(now, key);
        let Some(node) = self.nodes.get(&key) else { return };
        if !node.waiting.is_empty() && node.connection.can_connect(now.mono) {
            self.start_connecting(now, key);
        }
        if let Some(next) = self.next_check(key) {
            self.schedule(key, next);
        }
    }

    /// When there will be something to do with a node. Never a time that has passed: what was due has been done.
    fn next_check(&self, key: NodeKey) -> Option<Nanos> {
        let node = self.nodes.get(&key)?;
        let connection = &node.connection;
        let mut next = earlier(connection.state.deadline(), node.in_flight.deadline());
        next = earlier(next, node.waiting.iter().map(|w| w.deadline).min());
        if !node.waiting.is_empty() && matches!(connection.state, State::Idle) {
            next = earlier(next, Some(connection.retry_at));
        }
        match self.settings.idle_ms {
            // While something is under way, the time of that comes up, and then this is looked at again.
            Some(idle) if node.is_unused() => earlier(next, Some(connection.last_used.plus_ms(idle))),
            _ => next,
        }
    }

    fn expire_waiting(&mut self, now: Now, key: NodeKey) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        if !node.waiting.iter().any(|w| w.deadline <= now.mono) {
            return;
        }
        let address = node.connection.address().clone();
        let last = self.settings.troubles.of_connection(key);
        let (late, rest): (VecDeque<_>, VecDeque<_>) =
            node.waiting.drain(..).partition(|w| w.deadline <= now.mono);
        node.waiting = rest;
        for w in late {
            let text = format!("{} was not sent within {} ms", w.spec.api.name(), w.spec.timeout_ms);
            let error = Error::new(Code::TIMED_OUT, text).broker(key.id).address(&*address);
            let error = self.settings.troubles.explain(error, last.as_ref(), Some(key.id));
            self.fail(w.owner, w.id, FailureKind::NotSent, error);
        }
    }

    /// Gives up a step of connecting that takes too long.
    fn expire_step(&mut self, now: Now, key: NodeKey) {
        let Some(node) = self.nodes.get(&key) else { return };
        if node.connection.state.deadline().is_none_or(|d| d > now.mono) {
            return;
        }
        let Some((phase, step)) = node.connection.state.step() else { return };
        let error = Error::new(Code::TIMED_OUT, format!("{step} in time")).hint(UNREACHABLE);
        self.connection_failed(now, key, phase, None, error);
    }

    /// A request without an answer in time ends its connection: answers come in order, so all behind it wait too.
    fn expire_in_flight(&mut self, now: Now, key: NodeKey) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        if !node.connection.is_ready() || node.in_flight.deadline().is_none_or(|d| d > now.mono) {
            return;
        }
        let address = node.connection.address().clone();
        let late: Vec<InFlight> = node.in_flight.take_late(now.mono);
        let (mut last, asked) = (None, late.last().map(|r| r.api));
        for request in late {
            let ms = now.mono.ms_since(request.sent);
            let what = if request.answered { "got no answer" } else { "could not be written" };
            let text = format!("{} {what} within {ms} ms", request.api.name());
            let error = Error::new(Code::TIMED_OUT, text)
                .broker(key.id)
                .address(&*address)
                .phase(Phase::Request)
                .hint("the broker or the network is slow or stuck; if it is only slow, raise request.timeout.ms");
            self.log_request(now, key, &request, 0, "TIMED_OUT");
            if let Some((owner, id)) = request.owner {
                self.fail(owner, id, FailureKind::TimedOut, error.clone());
            }
            last = Some(error);
        }
        if let Some(error) = last {
            self.connection_failed(now, key, Phase::Request, asked, error);
        }
    }

    fn expire_idle(&mut self, now: Now, key: NodeKey) {
        let Some(idle) = self.settings.idle_ms else { return };
        let Some(node) = self.nodes.get(&key) else { return };
        if node.is_unused() && now.mono >= node.connection.last_used.plus_ms(idle) {
            let error = Error::new(Code::TRANSPORT, "the connection was closed because it was idle");
            self.drop_connection(key, FailureKind::Disconnected, error);
        }
    }
}
