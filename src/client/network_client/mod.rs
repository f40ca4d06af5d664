//! `NetworkClient`: sends each request to its broker, over a connection it makes when one is needed, and gives
//! each request exactly one result.

mod choice;
mod connecting;
mod pace;
#[cfg(test)]
mod tests;
mod timeouts;

use self::pace::Pace;
use super::connection_states::{Backoff, Connection, State};
use super::in_flight::{InFlight, InFlightRequests};
use super::request::{
    FailureKind, NodeId, NodeKey, Owner, RequestError, RequestId, RequestResult, RequestSpec, Response,
    Target,
};
use super::timers::Timers;
use super::troubles::Troubles;
use super::wire::{Closed, ConnId, JobId, NetOp, SocketOptions};
use super::{frames, handshake};
use crate::error::{Code, Error, Phase};
use crate::log::{Context, Level, Logger, RequestLine};
use crate::protocol::versions::{BrokerVersions, VersionRange};
use crate::protocol::{begin_request, ApiKey, Writer};
use crate::time::{earlier, Deadline, Nanos, Now};
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// What a `NetworkClient` is configured with.
#[derive(Clone, Debug)]
pub struct Settings {
    pub client_id: Arc<str>,
    pub bootstrap: Vec<(Arc<str>, u16)>,
    pub socket: SocketOptions,
    /// Requests on one connection that may await their answers (`max.in.flight.requests.per.connection`).
    pub max_in_flight: usize,
    pub reconnect: Backoff,
    /// How long connecting and the handshake may take, doubled with each failure up to a bound.
    pub setup_timeout: Backoff,
    /// A connection unused for so long is closed; `None` keeps it.
    pub idle_ms: Option<u64>,
    pub logger: Logger,
    /// What last went wrong with which broker.
    pub troubles: Arc<Troubles>,
}

/// A request that waits for its connection.
struct Waiting {
    owner: Owner,
    id: RequestId,
    deadline: Nanos,
    spec: RequestSpec,
}

struct Node {
    connection: Connection,
    waiting: VecDeque<Waiting>,
    in_flight: InFlightRequests,
    pace: Pace,
    /// When its timer comes up; `NEVER` when it has none.
    scheduled: Nanos,
}

impl Node {
    /// Its connection is there for nothing at the moment.
    fn is_unused(&self) -> bool {
        self.connection.is_ready() && self.in_flight.is_empty() && self.waiting.is_empty()
    }

    /// A request is under way that brokers answer when they have something, or when others have come.
    fn is_held_up(&self) -> bool {
        let is_held = |api: ApiKey| matches!(api, ApiKey::Fetch | ApiKey::JoinGroup | ApiKey::SyncGroup);
        self.in_flight.apis().any(is_held) || self.waiting.iter().any(|w| is_held(w.spec.api))
    }
}

pub struct NetworkClient {
    settings: Settings,
    nodes: Map<NodeKey, Node>,
    brokers: Map<NodeId, (Arc<str>, u16)>,
    conns: Map<ConnId, NodeKey>,
    jobs: Map<JobId, NodeKey>,
    /// Requests for any broker while none can be tried.
    unassigned: VecDeque<Waiting>,
    timers: Timers<NodeKey>,
    ops: VecDeque<NetOp>,
    completed: VecDeque<(Owner, RequestId, RequestResult)>,
    /// Set when a connection that worked was lost: the picture of the cluster may be out of date.
    lost_connection: bool,
    /// Who answered what since the last poll.
    heard: Vec<(Nanos, NodeKey, ApiKey)>,
    next_id: u64,
    rng: fastrand::Rng,
}

impl NetworkClient {
    pub fn new(settings: Settings, seed: u64) -> NetworkClient {
        // The order in which a map is walked is left to chance too.
        let hasher = || foldhash::fast::FixedState::with_seed(seed);
        let mut client = NetworkClient {
            nodes: Map::with_hasher(hasher()),
            brokers: Map::with_hasher(hasher()),
            conns: Map::with_hasher(hasher()),
            jobs: Map::with_hasher(hasher()),
            unassigned: VecDeque::new(),
            timers: Timers::default(),
            ops: VecDeque::new(),
            completed: VecDeque::new(),
            lost_connection: false,
            heard: Vec::new(),
            next_id: 0,
            rng: fastrand::Rng::with_seed(seed),
            settings,
        };
        for (i, (host, port)) in client.settings.bootstrap.iter().enumerate() {
            // Bootstrap addresses are brokers -1, -2, … until metadata names the real ones.
            let id = -1 - i32::try_from(i).unwrap_or(i32::MAX - 1);
            client.brokers.insert(id, (host.clone(), *port));
        }
        client
    }

    // ---- for the managers

    /// Hands over a request. Its result comes out of [`NetworkClient::next_completed`], exactly once.
    pub fn send(&mut self, now: Now, owner: Owner, spec: RequestSpec) -> RequestId {
        self.next_id += 1;
        let id = RequestId(self.next_id);
        let waiting = Waiting { owner, id, deadline: now.mono.plus_ms(spec.timeout_ms), spec };
        match waiting.spec.target {
            Target::Node(key) => self.assign(now, key, waiting),
            Target::Any => match self.least_loaded(now) {
                Some(key) => self.assign(now, key, waiting),
                None => self.unassigned.push_back(waiting),
            },
        }
        id
    }

    /// Whether a request to this node would go out at once.
    pub fn is_ready(&self, key: NodeKey) -> bool {
        self.nodes
            .get(&key)
            .is_some_and(|n| n.connection.is_ready() && n.in_flight.len() < self.settings.max_in_flight)
    }

    /// Begins to connect when that is due. Returns when it may next be tried, while it may not be yet.
    pub fn connect(&mut self, now: Now, key: NodeKey) -> Option<Deadline> {
        if !self.ensure_node(key) {
            return None;
        }
        let node = self.nodes.get(&key)?;
        if node.connection.can_connect(now.mono) {
            self.start_connecting(now, key);
            return None;
        }
        matches!(node.connection.state, State::Idle).then_some(node.connection.retry_at)
    }

    /// What this broker speaks, once the handshake with it is done.
    pub fn versions_of(&self, key: NodeKey) -> Option<&BrokerVersions> {
        match &self.nodes.get(&key)?.connection.state {
            State::Ready { versions, .. } => Some(versions),
            _ => None,
        }
    }

    /// What last went wrong with which broker.
    pub fn troubles(&self) -> &Arc<Troubles> {
        &self.settings.troubles
    }

    // ---- for the client's core

    /// Takes over the brokers that metadata names; the bootstrap addresses stay as a way back.
    pub fn update_brokers<'a>(&mut self, brokers: impl Iterator<Item = (NodeId, &'a Arc<str>, u16)>) {
        let mut known: Map<NodeId, (Arc<str>, u16)> = Map::with_hasher(Default::default());
        known.extend(self.brokers.iter().filter(|b| *b.0 < 0).map(|(id, at)| (*id, at.clone())));
        known.extend(brokers.map(|(id, host, port)| (id, (host.clone(), port))));
        self.brokers = known;
        let moved: Vec<NodeKey> =
            self.nodes.iter().filter(|(key, n)| self.has_moved(key.id, n)).map(|n| *n.0).collect();
        for key in moved {
            let error = Error::new(Code::TRANSPORT, "the broker left the cluster or changed its address");
            self.drop_connection(key, FailureKind::Disconnected, error);
            if let Some(mut node) = self.nodes.remove(&key) {
                self.timers.cancel(key, &mut node.scheduled);
            }
            self.settings.troubles.forget(key);
        }
    }

    fn has_moved(&self, id: NodeId, node: &Node) -> bool {
        match self.brokers.get(&id) {
            Some((host, port)) => *host != node.connection.host || *port != node.connection.port,
            // A broker that is down leaves the metadata for a while: what it still works on may finish.
            None => !node.connection.is_ready(),
        }
    }

    pub fn next_op(&mut self) -> Option<NetOp> {
        self.ops.pop_front()
    }

    pub fn next_completed(&mut self) -> Option<(Owner, RequestId, RequestResult)> {
        self.completed.pop_front()
    }

    pub fn has_completed(&self) -> bool {
        !self.completed.is_empty()
    }

    pub fn take_lost_connection(&mut self) -> bool {
        std::mem::take(&mut self.lost_connection)
    }

    /// Acts on the time-outs that are due, gives waiting requests to brokers, and says when to be polled next.
    pub fn poll(&mut self, now: Now) -> Option<Deadline> {
        self.count_answers(now);
        while let Some(key) = self.timers.pop_due(now.mono) {
            self.check_node(now, key);
        }
        let retry = self.poll_unassigned(now);
        earlier(self.timers.next(), retry)
    }

    /// Closes every connection and fails what is still under way.
    pub fn close(&mut self, error: &Error) {
        let keys: Vec<NodeKey> = self.nodes.keys().copied().collect();
        for key in keys {
            self.drop_connection(key, FailureKind::Disconnected, error.clone());
        }
        while let Some(w) = self.unassigned.pop_front() {
            self.fail(w.owner, w.id, FailureKind::NotSent, error.clone());
        }
    }

    // ---- events

    pub fn on_resolved(&mut self, now: Now, job: JobId, result: Result<Vec<IpAddr>, Error>) {
        let Some(key) = self.jobs.remove(&job) else { return };
        let Some(node) = self.nodes.get_mut(&key) else { return };
        if !matches!(node.connection.state, State::Resolving { job: j, .. } if j == job) {
            return;
        }
        node.connection.state = State::Idle;
        let error = match result {
            Ok(addresses) if !addresses.is_empty() => {
                node.connection.addresses = addresses;
                node.connection.next_address = 0;
                return self.start_connecting(now, key);
            }
            Ok(_) => Error::new(Code::NAME_NOT_RESOLVED, "the host name has no address"),
            Err(error) => error,
        };
        self.connection_failed(now, key, Phase::Dns, None, error);
    }

    pub fn on_connected(&mut self, now: Now, conn: ConnId) {
        let Some(&key) = self.conns.get(&conn) else { return };
        let setup_ms = self.setup_timeout_ms(key);
        let Some(node) = self.nodes.get_mut(&key) else { return };
        if !matches!(node.connection.state, State::Connecting { conn: c, .. } if c == conn) {
            return;
        }
        let deadline = now.mono.plus_ms(setup_ms);
        node.connection.state = State::Handshaking { conn, deadline };
        self.awaits_next_step(key);
        self.send_handshake(now, key, conn, handshake::FIRST_VERSION);
        self.schedule(key, deadline);
    }

    pub fn on_frame(&mut self, now: Now, conn: ConnId, frame: Bytes) {
        let Some(&key) = self.conns.get(&conn) else { return };
        let Some(node) = self.nodes.get_mut(&key) else { return };
        node.connection.last_used = now.mono;
        let Some(request) = node.in_flight.pop() else {
            let text = format!("a response of {} bytes came that no request asked for", frame.len());
            return self.connection_failed(now, key, Phase::Request, None, Error::new(Code::PROTOCOL, text));
        };
        if request.api == ApiKey::Produce {
            node.pace.answered();
        }
        self.log_request(now, key, &request, frame.len() + 4, "");
        let Some(node) = self.nodes.get_mut(&key) else { return };
        match frames::response_body(request.api, request.version, request.correlation, frame) {
            Ok(body) => match request.owner {
                Some((owner, id)) => {
                    // Whether the answer is of use, only who asked can say.
                    self.heard.push((now.mono, key, request.api));
                    self.complete(now, key, owner, id, &request, body);
                }
                None => self.on_handshake(now, key, conn, request.version, &body),
            },
            Err(error) => {
                node.in_flight.push_front(request);
                // The peer broke the protocol: nothing on this connection can be trusted any more.
                self.connection_failed(now, key, Phase::Request, None, error);
            }
        }
        self.flush_waiting(now, key);
    }

    /// What a `NetOp::TellWritten` asked for.
    pub fn on_written(&mut self, now: Now, conn: ConnId) {
        let Some(&key) = self.conns.get(&conn) else { return };
        let Some(node) = self.nodes.get_mut(&key) else { return };
        let Some(request) = node.in_flight.pop_unanswered() else { return };
        self.log_request(now, key, &request, 0, "");
        if let Some((owner, id)) = request.owner {
            self.complete(now, key, owner, id, &request, Bytes::new());
        }
        self.flush_waiting(now, key);
    }

    pub fn on_closed(&mut self, now: Now, conn: ConnId, closed: Closed) {
        let Some(key) = self.conns.remove(&conn) else { return };
        self.connection_failed(now, key, closed.phase, None, closed.error);
    }

    // ---- inside

    fn complete(
        &mut self,
        now: Now,
        key: NodeKey,
        owner: Owner,
        id: RequestId,
        request: &InFlight,
        body: Bytes,
    ) {
        let address = self.nodes.get(&key).map_or_else(|| "".into(), |n| n.connection.address().clone());
        let response = Response {
            api: request.api,
            version: request.version,
            node: key.id,
            address,
            lane: key.lane,
            troubles: self.settings.troubles.clone(),
            received: now.mono,
            body,
            sent: request.sent,
        };
        self.completed.push_back((owner, id, Ok(response)));
    }

    fn fail(&mut self, owner: Owner, id: RequestId, kind: FailureKind, error: Error) {
        self.completed.push_back((owner, id, Err(RequestError { kind, error })));
    }

    fn ensure_node(&mut self, key: NodeKey) -> bool {
        if self.nodes.contains_key(&key) {
            return true;
        }
        let Some((host, port)) = self.brokers.get(&key.id) else { return false };
        let connection = Connection::new(key, host.clone(), *port);
        let node = Node {
            connection,
            waiting: VecDeque::new(),
            in_flight: InFlightRequests::default(),
            pace: Pace::default(),
            scheduled: Nanos::NEVER,
        };
        self.nodes.insert(key, node);
        true
    }

    fn assign(&mut self, now: Now, key: NodeKey, waiting: Waiting) {
        if !self.ensure_node(key) {
            let text = format!("broker {} is not in the cluster's metadata", key.id);
            return self.fail(
                waiting.owner,
                waiting.id,
                FailureKind::NotSent,
                Error::new(Code::TRANSPORT, text),
            );
        }
        let deadline = waiting.deadline;
        let Some(node) = self.nodes.get_mut(&key) else { return };
        node.waiting.push_back(waiting);
        if node.connection.is_ready() {
            self.flush_waiting(now, key);
        } else if node.connection.can_connect(now.mono) {
            self.start_connecting(now, key);
        } else {
            let at = node.connection.retry_at;
            if matches!(node.connection.state, State::Idle) {
                self.schedule(key, at);
            }
        }
        self.schedule(key, deadline);
    }

    /// Sends what waits, as far as the connection takes it.
    fn flush_waiting(&mut self, now: Now, key: NodeKey) {
        loop {
            let Some(node) = self.nodes.get_mut(&key) else { return };
            if node.in_flight.len() >= self.settings.max_in_flight {
                return;
            }
            let State::Ready { conn, ref versions } = node.connection.state else { return };
            let Some(mut waiting) = node.waiting.pop_front() else { return };
            let (min, max) = waiting.spec.versions;
            match versions.pick(waiting.spec.api, VersionRange { min, max }) {
                Ok(version) => self.transmit(now, key, conn, version, &mut waiting),
                Err(error) => {
                    let error = error.broker(key.id).address(&**node.connection.address());
                    self.note_failure(now, key, Some(waiting.spec.api), &error);
                    self.fail(waiting.owner, waiting.id, FailureKind::NoCommonVersion, error);
                }
            }
        }
    }

    fn transmit(&mut self, now: Now, key: NodeKey, conn: ConnId, version: i16, waiting: &mut Waiting) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        let correlation = node.in_flight.next_correlation();
        let api = waiting.spec.api;
        let mut writer = Writer::frame();
        let written = begin_request(&mut writer, api, version, correlation, Some(&self.settings.client_id))
            .and_then(|()| (waiting.spec.encode)(&mut writer, version))
            .map(|()| writer.len())
            .and_then(|bytes| Ok((bytes, writer.finish_frame()?)));
        let (bytes, segments) = match written {
            Ok(frame) => frame,
            Err(e) => {
                let text = format!("{} version {version} could not be written: {e}", api.name());
                let error = Error::new(Code::INVALID_ARGUMENT, text)
                    .broker(key.id)
                    .address(&**node.connection.address())
                    .phase(Phase::Request);
                return self.fail(waiting.owner, waiting.id, FailureKind::Invalid, error);
            }
        };
        let request = InFlight {
            correlation,
            owner: Some((waiting.owner, waiting.id)),
            api,
            version,
            sent: now.mono,
            deadline: waiting.deadline,
            bytes,
            answered: waiting.spec.answered,
        };
        let deadline = request.deadline;
        node.connection.last_used = now.mono;
        if node.in_flight.is_empty() {
            node.pace.begins(now.mono);
        }
        node.in_flight.push(request);
        self.ops.push_back(NetOp::Send { conn, segments });
        if !waiting.spec.answered {
            self.ops.push_back(NetOp::TellWritten { conn });
        }
        self.schedule(key, deadline);
    }

    /// One line a request at debug level: all that is known of it, and nothing of its content.
    fn log_request(&self, now: Now, key: NodeKey, request: &InFlight, received: usize, error: &str) {
        let logger = &self.settings.logger;
        if !logger.enabled(Level::Debug, Context::Protocol) {
            return;
        }
        let address = self.nodes.get(&key).map_or("", |n| n.connection.address());
        logger.request(
            now,
            &RequestLine {
                api: request.api.name(),
                version: request.version,
                broker: key.id,
                address,
                correlation_id: request.correlation,
                sent: request.bytes,
                received,
                duration: now.mono.since(request.sent),
                error,
            },
        );
    }
}
