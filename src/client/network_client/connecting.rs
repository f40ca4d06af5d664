//! Connections: how they are made, and what their end means for what they carried.

use super::{NetworkClient, Waiting};
use crate::client::connection_states::State;
use crate::client::handshake;
use crate::client::in_flight::InFlight;
use crate::client::request::{FailureKind, NodeKey, Owner, RequestId, Target};
use crate::client::wire::{ConnId, JobId, NetOp};
use crate::error::{Code, Error, Phase};
use crate::log::{Context, Level};
use crate::protocol::ApiKey;
use crate::time::{Nanos, Now};
use bytes::Bytes;
use std::net::{IpAddr, SocketAddr};

/// What to do when a step of connecting takes long.
pub(super) const UNREACHABLE: &str =
    "check that the address is reachable from here, or raise socket.connection.setup.timeout.ms";

impl NetworkClient {
    /// Opens the connection of an idle node, or resolves its name first.
    pub(super) fn start_connecting(&mut self, now: Now, key: NodeKey) {
        let deadline = now.mono.plus_ms(self.setup_timeout_ms(key));
        self.next_id += 1;
        let unique = self.next_id;
        let Some(node) = self.nodes.get_mut(&key) else { return };
        let connection = &mut node.connection;
        if let Ok(literal) = connection.host.parse::<IpAddr>() {
            connection.addresses = vec![literal];
            connection.next_address = 0;
        }
        match connection.take_address() {
            Some(ip) => {
                let conn = ConnId(unique);
                connection.state = State::Connecting { conn, deadline };
                let addr = SocketAddr::new(ip, connection.port);
                self.conns.insert(conn, key);
                self.ops.push_back(NetOp::Connect { conn, addr, options: self.settings.socket });
            }
            None => {
                let job = JobId(unique);
                connection.state = State::Resolving { job, deadline };
                self.jobs.insert(job, key);
                self.ops.push_back(NetOp::Resolve { job, host: connection.host.clone() });
            }
        }
        self.schedule(key, deadline);
        self.awaits_next_step(key);
    }

    /// Notes what the connection that is being made waits for.
    pub(super) fn awaits_next_step(&self, key: NodeKey) {
        let Some(connection) = self.nodes.get(&key).map(|node| &node.connection) else { return };
        let Some((phase, step)) = connection.state.step() else { return };
        let error = Error::new(Code::TIMED_OUT, format!("{step} until then"));
        let error = error.broker(key.id).address(&**connection.address()).phase(phase).hint(UNREACHABLE);
        self.settings.troubles.awaits(key, error);
    }

    pub(super) fn setup_timeout_ms(&mut self, key: NodeKey) -> u64 {
        let failures = self.nodes.get(&key).map_or(0, |n| n.connection.failures);
        self.settings.setup_timeout.after(failures + 1, self.rng.f64())
    }

    pub(super) fn send_handshake(&mut self, now: Now, key: NodeKey, conn: ConnId, version: i16) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        let correlation = node.in_flight.next_correlation();
        match handshake::request(version, correlation, &self.settings.client_id) {
            Ok(segments) => {
                let deadline = node.connection.state.deadline().unwrap_or(Nanos::NEVER);
                node.in_flight.push(InFlight {
                    correlation,
                    owner: None,
                    api: ApiKey::ApiVersions,
                    version,
                    sent: now.mono,
                    deadline,
                    bytes: segments.iter().map(Bytes::len).sum(),
                    answered: true,
                });
                self.ops.push_back(NetOp::Send { conn, segments });
            }
            Err(e) => {
                let text = format!("ApiVersions could not be written: {e}");
                self.connection_failed(
                    now,
                    key,
                    Phase::Request,
                    None,
                    Error::new(Code::INVALID_ARGUMENT, text),
                );
            }
        }
    }

    pub(super) fn on_handshake(&mut self, now: Now, key: NodeKey, conn: ConnId, version: i16, body: &[u8]) {
        match handshake::answer(version, body) {
            Ok(handshake::Answer::Versions(versions)) => {
                if let Some(node) = self.nodes.get_mut(&key) {
                    node.connection.ready(now.mono, conn, versions);
                }
                self.settings.troubles.connected(key);
                if let Some(idle) = self.settings.idle_ms {
                    self.schedule(key, now.mono.plus_ms(idle));
                }
            }
            Ok(handshake::Answer::TryVersion(lower)) => self.send_handshake(now, key, conn, lower),
            Err(error) => self.connection_failed(now, key, Phase::Request, None, error),
        }
    }

    /// Ends a connection that failed, closes what is open of it: what it carried fails, and the node waits before
    /// the next attempt. `asked`: the API of the request that it failed of, if that is not the first in flight.
    pub(super) fn connection_failed(
        &mut self,
        now: Now,
        key: NodeKey,
        phase: Phase,
        asked: Option<ApiKey>,
        error: Error,
    ) {
        let chance = self.rng.f64();
        let Some(node) = self.nodes.get(&key) else { return };
        let connection = &node.connection;
        let was_ready = connection.is_ready();
        let asked = asked.or_else(|| node.in_flight.apis().next()).filter(|_| was_ready);
        let handshaking = matches!(connection.state, State::Handshaking { .. });
        // Brokers close connections that are idle for long: no error.
        let idle = was_ready && phase == Phase::Tcp && node.in_flight.is_empty() && node.waiting.is_empty();
        let phase = match phase {
            Phase::Tcp | Phase::Request if handshaking => Phase::ApiVersions,
            Phase::Tcp if was_ready && !node.in_flight.is_empty() => Phase::Request,
            other => other,
        };
        // Another connection may do better, whatever was wrong with this one.
        let error = error.broker(key.id).address(&**connection.address()).phase(phase).retriable(true);
        let error = if handshaking { handshake::explain(error) } else { error };
        // More addresses of the same name are tried at once; only a whole round of failures backs off.
        let more = !was_ready && connection.next_address < connection.addresses.len();
        self.lost_connection |= was_ready || !more;
        if idle {
            let log = &self.settings.logger;
            log.debug(now, Context::Broker, format_args!("closed by the broker while idle: {error}"));
        } else {
            self.note_failure(now, key, asked, &error);
        }
        self.drop_connection(key, FailureKind::Disconnected, error);
        let Some(node) = self.nodes.get_mut(&key) else { return };
        node.connection.failed(now.mono, self.settings.reconnect, chance);
        if more {
            node.connection.retry_at = now.mono;
        }
        let retry_at = node.connection.retry_at;
        self.schedule(key, retry_at);
    }

    /// Remembers what went wrong with a broker, and tells it: when it is something new, not with every attempt.
    pub(super) fn note_failure(&mut self, now: Now, key: NodeKey, api: Option<ApiKey>, error: &Error) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        let level = if node.connection.note(now.mono, error) { Level::Warning } else { Level::Debug };
        self.settings.logger.log(now, level, Context::Broker, format_args!("{error}"));
        self.settings.troubles.note(now.mono, key, api, error);
    }

    /// What was answered works, unless whoever asked found the answer to be of no use.
    pub(super) fn count_answers(&mut self, now: Now) {
        let mut heard = std::mem::take(&mut self.heard);
        for (received, key, api) in heard.drain(..) {
            self.settings.troubles.answered(received, key, api);
            if api == ApiKey::Produce {
                self.let_rest(now, key);
            }
        }
        self.heard = heard;
    }

    /// A broker's answer that came is of no use: its connection is given up, so that another broker is asked.
    pub fn note_answer(&mut self, now: Now, key: NodeKey, api: ApiKey, error: Error) {
        self.connection_failed(now, key, Phase::Request, Some(api), error);
    }

    /// Closes and forgets a node's connection; fails what was sent with `kind`, and what waited as not sent.
    pub(super) fn drop_connection(&mut self, key: NodeKey, kind: FailureKind, error: Error) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        let state = std::mem::replace(&mut node.connection.state, State::Idle);
        if let Some(conn) = state.conn().filter(|conn| self.conns.remove(conn).is_some()) {
            self.ops.push_back(NetOp::Close { conn });
        }
        let sent: Vec<(Owner, RequestId)> = node.in_flight.drain().filter_map(|r| r.owner).collect();
        let waiting: Vec<Waiting> = node.waiting.drain(..).collect();
        for (owner, id) in sent {
            self.fail(owner, id, kind, error.clone());
        }
        for w in waiting {
            match w.spec.target {
                Target::Any => self.unassigned.push_back(w),
                Target::Node(_) => self.fail(w.owner, w.id, FailureKind::NotSent, error.clone()),
            }
        }
    }
}
