//! `NetworkClient`: sends each request to its broker, over a connection it makes when one is needed, and gives
//! each request exactly one result.

use super::connection_states::{Backoff, Connection, State};
use super::in_flight::{InFlight, InFlightRequests};
use super::request::{
    FailureKind, NodeId, NodeKey, Owner, RequestError, RequestId, RequestResult, RequestSpec, Response,
    Target,
};
use super::wire::{Closed, ConnId, JobId, NetOp, SocketOptions};
use super::{frames, handshake};
use crate::error::{Code, Error, Phase};
use crate::log::{Context, Level, Logger, RequestLine};
use crate::protocol::versions::{BrokerVersions, VersionRange};
use crate::protocol::{ApiKey, Writer};
use crate::time::{earlier, Deadline, Nanos, Now};
use bytes::Bytes;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

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
    /// When the timer heap looks at this node next; `NEVER` when it is not in the heap.
    scheduled: Nanos,
}

pub struct NetworkClient {
    settings: Settings,
    nodes: Map<NodeKey, Node>,
    brokers: Map<NodeId, (Arc<str>, u16)>,
    conns: Map<ConnId, NodeKey>,
    jobs: Map<JobId, NodeKey>,
    /// Requests for any broker while none can be tried.
    unassigned: VecDeque<Waiting>,
    timers: BinaryHeap<Reverse<(Nanos, NodeKey)>>,
    ops: VecDeque<NetOp>,
    completed: VecDeque<(Owner, RequestId, RequestResult)>,
    /// Set when a connection that worked was lost: the picture of the cluster may be out of date.
    lost_connection: bool,
    last_error: Option<Error>,
    next_id: u64,
    rng: fastrand::Rng,
}

impl NetworkClient {
    pub fn new(settings: Settings, seed: u64) -> NetworkClient {
        let hasher = foldhash::fast::RandomState::default;
        let mut client = NetworkClient {
            nodes: Map::with_hasher(hasher()),
            brokers: Map::with_hasher(hasher()),
            conns: Map::with_hasher(hasher()),
            jobs: Map::with_hasher(hasher()),
            unassigned: VecDeque::new(),
            timers: BinaryHeap::new(),
            ops: VecDeque::new(),
            completed: VecDeque::new(),
            lost_connection: false,
            last_error: None,
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

    /// The last failure to talk to a broker, if it was not followed by success there.
    pub fn last_error(&self) -> Option<&Error> {
        self.last_error.as_ref()
    }

    /// `host:port` of a broker, if it is known.
    pub fn address_of(&self, id: NodeId) -> Option<String> {
        let (host, port) = self.brokers.get(&id)?;
        Some(Connection::new(NodeKey::data(id), host.clone(), *port).address())
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
            self.nodes.remove(&key);
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
        while let Some(&Reverse((at, key))) = self.timers.peek() {
            if at > now.mono {
                break;
            }
            self.timers.pop();
            self.check_node(now, key, at);
        }
        let retry = self.poll_unassigned(now);
        earlier(self.timers.peek().map(|t| t.0 .0), retry)
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
        self.connection_failed(now, key, Phase::Dns, error);
    }

    pub fn on_connected(&mut self, now: Now, conn: ConnId) {
        let Some(&key) = self.conns.get(&conn) else { return };
        let setup_ms = self.setup_timeout_ms(key);
        let Some(node) = self.nodes.get_mut(&key) else { return };
        let deadline = now.mono.plus_ms(setup_ms);
        node.connection.state = State::Handshaking { conn, deadline };
        self.send_handshake(now, key, conn, handshake::FIRST_VERSION);
        self.schedule(key, deadline);
    }

    pub fn on_frame(&mut self, now: Now, conn: ConnId, frame: Bytes) {
        let Some(&key) = self.conns.get(&conn) else { return };
        let Some(node) = self.nodes.get_mut(&key) else { return };
        node.connection.last_used = now.mono;
        let Some(request) = node.in_flight.pop() else {
            let text = format!("a response of {} bytes came that no request asked for", frame.len());
            return self.protocol_error(now, key, Error::new(Code::PROTOCOL, text));
        };
        self.log_request(now, key, &request, frame.len() + 4, "");
        match frames::response_body(request.api, request.version, request.correlation, &frame) {
            Ok(body) => match request.owner {
                Some((owner, id)) => self.complete(key, owner, id, &request, body),
                None => self.on_handshake(now, key, conn, request.version, &body),
            },
            Err(error) => {
                if let Some(node) = self.nodes.get_mut(&key) {
                    node.in_flight.push_front(request);
                }
                self.protocol_error(now, key, error);
            }
        }
        self.flush_waiting(now, key);
    }

    pub fn on_closed(&mut self, now: Now, conn: ConnId, closed: Closed) {
        let Some(key) = self.conns.remove(&conn) else { return };
        self.connection_failed(now, key, closed.phase, closed.error);
    }

    // ---- inside

    fn complete(&mut self, key: NodeKey, owner: Owner, id: RequestId, request: &InFlight, body: Bytes) {
        let response =
            Response { api: request.api, version: request.version, node: key.id, body, sent: request.sent };
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
                    let error = error.broker(key.id).address(node.connection.address());
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
        let written = frames::begin_request(&mut writer, api, version, correlation, &self.settings.client_id)
            .and_then(|()| (waiting.spec.encode)(&mut writer, version))
            .map(|()| writer.len())
            .and_then(|bytes| Ok((bytes, writer.finish_frame()?)));
        let (bytes, segments) = match written {
            Ok(frame) => frame,
            Err(e) => {
                let text = format!("{} version {version} could not be written: {e}", api.name());
                let error = Error::new(Code::INVALID_ARGUMENT, text).broker(key.id);
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
        };
        node.connection.last_used = now.mono;
        self.ops.push_back(NetOp::Send { conn, segments });
        if waiting.spec.answered {
            let deadline = request.deadline;
            node.in_flight.push(request);
            self.schedule(key, deadline);
        } else {
            self.complete(key, waiting.owner, waiting.id, &request, Bytes::new());
        }
    }

    fn setup_timeout_ms(&mut self, key: NodeKey) -> u64 {
        let failures = self.nodes.get(&key).map_or(0, |n| n.connection.failures);
        self.settings.setup_timeout.after(failures + 1, self.rng.f64())
    }

    /// Opens the connection of an idle node, or resolves its name first.
    fn start_connecting(&mut self, now: Now, key: NodeKey) {
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
    }

    fn send_handshake(&mut self, now: Now, key: NodeKey, conn: ConnId, version: i16) {
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
                });
                self.ops.push_back(NetOp::Send { conn, segments });
            }
            Err(e) => {
                let text = format!("ApiVersions could not be written: {e}");
                self.protocol_error(now, key, Error::new(Code::INVALID_ARGUMENT, text));
            }
        }
    }

    /// One line a request at debug level: all that is known of it, and nothing of its content.
    fn log_request(&self, now: Now, key: NodeKey, request: &InFlight, received: usize, error: &str) {
        let logger = &self.settings.logger;
        if !logger.enabled(Level::Debug, Context::Protocol) {
            return;
        }
        let address = self.nodes.get(&key).map_or_else(String::new, |n| n.connection.address());
        logger.request(
            now,
            &RequestLine {
                api: request.api.name(),
                version: request.version,
                broker: key.id,
                address: &address,
                correlation_id: request.correlation,
                sent: request.bytes,
                received,
                duration: now.mono.since(request.sent),
                error,
            },
        );
    }

    /// A broker that can't be reached is one change of state: told once, not with every attempt.
    fn log_failure(&self, now: Now, key: NodeKey, error: &Error) {
        let known = self.nodes.get(&key).and_then(|n| n.connection.last_error.as_ref());
        let again = known.is_some_and(|k| k.code() == error.code() && k.cause_text() == error.cause_text());
        let level = if again { Level::Debug } else { Level::Warning };
        self.settings.logger.log(now, level, Context::Broker, format_args!("{error}"));
    }

    fn on_handshake(&mut self, now: Now, key: NodeKey, conn: ConnId, version: i16, body: &[u8]) {
        match handshake::answer(version, body) {
            Ok(handshake::Answer::Versions(versions)) => {
                if let Some(node) = self.nodes.get_mut(&key) {
                    node.connection.ready(now.mono, conn, versions);
                }
                self.last_error = None;
                if let Some(idle) = self.settings.idle_ms {
                    self.schedule(key, now.mono.plus_ms(idle));
                }
            }
            Ok(handshake::Answer::TryVersion(lower)) => self.send_handshake(now, key, conn, lower),
            Err(error) => self.protocol_error(now, key, error),
        }
    }

    /// The peer broke the protocol: nothing on this connection can be trusted any more.
    fn protocol_error(&mut self, now: Now, key: NodeKey, error: Error) {
        if let Some(conn) = self.nodes.get(&key).and_then(|n| n.connection.state.conn()) {
            self.conns.remove(&conn);
            self.ops.push_back(NetOp::Close { conn });
        }
        self.connection_failed(now, key, Phase::Request, error);
    }

    /// Ends a connection that failed: what it carried fails, and the node waits before the next attempt.
    fn connection_failed(&mut self, now: Now, key: NodeKey, phase: Phase, error: Error) {
        let chance = self.rng.f64();
        let Some(node) = self.nodes.get_mut(&key) else { return };
        let was_ready = node.connection.is_ready();
        let handshaking = matches!(node.connection.state, State::Handshaking { .. });
        let phase = match phase {
            Phase::Tcp | Phase::Request if handshaking => Phase::ApiVersions,
            Phase::Tcp if was_ready && !node.in_flight.is_empty() => Phase::Request,
            other => other,
        };
        let error = error.broker(key.id).address(node.connection.address()).phase(phase);
        let error = if handshaking { handshake::explain(error) } else { error };
        // More addresses of the same name are tried at once; only a whole round of failures backs off.
        let idle = was_ready && node.in_flight.is_empty() && node.waiting.is_empty();
        let more = !was_ready && node.connection.next_address < node.connection.addresses.len();
        if idle {
            // Brokers close connections that are idle for long: no error, and nothing to wait for.
            self.settings.logger.debug(
                now,
                Context::Broker,
                format_args!("closed by the broker while idle: {error}"),
            );
        } else {
            self.log_failure(now, key, &error);
        }
        let Some(node) = self.nodes.get_mut(&key) else { return };
        node.connection.failed(now.mono, self.settings.reconnect, chance, error.clone());
        if more {
            node.connection.retry_at = now.mono;
        }
        let retry_at = node.connection.retry_at;
        self.lost_connection |= was_ready || !more;
        self.last_error = Some(error.clone());
        self.drop_connection(key, FailureKind::Disconnected, error);
        self.schedule(key, retry_at);
    }

    /// Forgets a node's connection; fails what was sent with `kind`, and what waited as not sent.
    fn drop_connection(&mut self, key: NodeKey, kind: FailureKind, error: Error) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        if let Some(conn) = node.connection.state.conn() {
            self.conns.remove(&conn);
            self.ops.push_back(NetOp::Close { conn });
        }
        node.connection.state = State::Idle;
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

    fn schedule(&mut self, key: NodeKey, at: Nanos) {
        if let Some(node) = self.nodes.get_mut(&key) {
            if at < node.scheduled {
                node.scheduled = at;
                self.timers.push(Reverse((at, key)));
            }
        }
    }

    /// Looks at one node whose timer came up, and schedules the next look.
    fn check_node(&mut self, now: Now, key: NodeKey, at: Nanos) {
        match self.nodes.get_mut(&key) {
            Some(node) if node.scheduled == at => node.scheduled = Nanos::NEVER,
            _ => return,
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

    fn next_check(&self, key: NodeKey) -> Option<Nanos> {
        let node = self.nodes.get(&key)?;
        let connection = &node.connection;
        let mut next = earlier(connection.state.deadline(), node.in_flight.deadline());
        next = earlier(next, node.waiting.iter().map(|w| w.deadline).min());
        if !node.waiting.is_empty() && matches!(connection.state, State::Idle) {
            next = earlier(next, Some(connection.retry_at));
        }
        if let (true, Some(idle)) = (connection.is_ready(), self.settings.idle_ms) {
            next = earlier(next, Some(connection.last_used.plus_ms(idle)));
        }
        next
    }

    fn expire_waiting(&mut self, now: Now, key: NodeKey) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        if !node.waiting.iter().any(|w| w.deadline <= now.mono) {
            return;
        }
        let address = node.connection.address();
        let last = node.connection.last_error.clone();
        let (late, rest): (VecDeque<_>, VecDeque<_>) =
            node.waiting.drain(..).partition(|w| w.deadline <= now.mono);
        node.waiting = rest;
        for w in late {
            let text = format!("{} was not sent within {} ms", w.spec.api.name(), w.spec.timeout_ms);
            let mut error = Error::new(Code::TIMED_OUT, text).broker(key.id).address(address.clone());
            if let Some(last) = &last {
                error = error.cause(last.to_string());
            }
            self.fail(w.owner, w.id, FailureKind::NotSent, error);
        }
    }

    /// Gives up a step of connecting that takes too long.
    fn expire_step(&mut self, now: Now, key: NodeKey) {
        let Some(node) = self.nodes.get(&key) else { return };
        if node.connection.state.deadline().is_none_or(|d| d > now.mono) {
            return;
        }
        let (phase, what) = match node.connection.state {
            State::Resolving { .. } => (Phase::Dns, "the host name was not resolved in time"),
            State::Connecting { .. } => (Phase::Tcp, "the connection was not made in time"),
            _ => (Phase::ApiVersions, "the broker did not answer ApiVersions in time"),
        };
        let hint =
            "check that the address is reachable from here, or raise socket.connection.setup.timeout.ms";
        self.connection_failed(now, key, phase, Error::new(Code::TIMED_OUT, what).hint(hint));
    }

    /// A request without an answer in time ends its connection: answers come in order, so all behind it wait too.
    fn expire_in_flight(&mut self, now: Now, key: NodeKey) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        if !node.connection.is_ready() || node.in_flight.deadline().is_none_or(|d| d > now.mono) {
            return;
        }
        let address = node.connection.address();
        let late: Vec<InFlight> = node.in_flight.take_late(now.mono);
        let mut last = None;
        for request in late {
            let ms = now.mono.ms_since(request.sent);
            let text = format!("{} got no answer within {ms} ms", request.api.name());
            let error = Error::new(Code::TIMED_OUT, text)
                .broker(key.id)
                .address(address.clone())
                .phase(Phase::Request)
                .hint("the broker or the network is slow or stuck; if it is only slow, raise request.timeout.ms");
            self.log_request(now, key, &request, 0, "TIMED_OUT");
            if let Some((owner, id)) = request.owner {
                self.fail(owner, id, FailureKind::TimedOut, error.clone());
            }
            last = Some(error);
        }
        if let Some(error) = last {
            self.connection_failed(now, key, Phase::Request, error);
        }
    }

    fn expire_idle(&mut self, now: Now, key: NodeKey) {
        let Some(idle) = self.settings.idle_ms else { return };
        let Some(node) = self.nodes.get(&key) else { return };
        let unused = node.connection.is_ready() && node.in_flight.is_empty() && node.waiting.is_empty();
        if unused && now.mono >= node.connection.last_used.plus_ms(idle) {
            let error = Error::new(Code::TRANSPORT, "the connection was closed because it was idle");
            self.drop_connection(key, FailureKind::Disconnected, error);
        }
    }

    /// The broker to ask when any will do: a ready one with the fewest requests in flight, else one that is
    /// being connected to, else one that may be tried now. Bootstrap addresses come last, once brokers are known.
    fn least_loaded(&mut self, now: Now) -> Option<NodeKey> {
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
        Some(NodeKey::data(best.1))
    }

    fn poll_unassigned(&mut self, now: Now) -> Option<Deadline> {
        for _ in 0..self.unassigned.len() {
            let Some(w) = self.unassigned.pop_front() else { break };
            if w.deadline <= now.mono {
                let text = format!("{} found no broker within {} ms", w.spec.api.name(), w.spec.timeout_ms);
                let mut error = Error::new(Code::TIMED_OUT, text).hint(
                    "check bootstrap.servers, and that a broker runs there and can be reached from here",
                );
                if let Some(last) = &self.last_error {
                    error = error.cause(last.to_string());
                }
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
