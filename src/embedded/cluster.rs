//! The cluster as a state machine: connections and frames in, answers out, and deadlines in between.
//!
//! A broker takes the requests of a connection strictly one after the other: the next is looked at when the one
//! before is answered, so a fetch that waits or an answer that is delayed holds back what comes behind it.

use super::api;
use super::call::{spoil, spoils_answer, Call, Outcome, Spoiled};
use super::faults::FaultKind;
use super::group::{Completion, Ticket};
use super::settings::ClusterSettings;
use super::world::World;
use crate::error::Error;
use crate::protocol::{decode_request_header, ApiKey, Reader};
use crate::time::{earlier, Deadline, Nanos, Now};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

/// A connection to a broker of the cluster; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerConn(pub u64);

/// What the cluster wants done with a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Bytes for the peer, in order: whole answers with their length in front, unless a fault spoils them.
    Send { conn: ServerConn, segments: Vec<Bytes> },
    /// The end of the connection; nothing comes after it.
    Close { conn: ServerConn },
}

/// The broker does not take connections: it is down, or there is none of that id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// Bytes of requests that wait on one connection at most: more closes it.
const QUEUE_LIMIT: usize = 256 * 1024 * 1024;

/// What the connection is busy with.
#[derive(Debug)]
enum Head {
    Idle,
    /// A request whose answer can't be given yet.
    Waiting {
        frame: Bytes,
        until: Option<Nanos>,
        number: u64,
    },
    /// An answer that is ready and goes out at this time.
    Delayed {
        answer: Spoiled,
        until: Nanos,
    },
    /// A fault has silenced it.
    Silent,
}

#[derive(Debug)]
struct Connection {
    broker: i32,
    queue: VecDeque<Bytes>,
    queued: usize,
    head: Head,
}

/// N brokers in memory. See the [module](super) for how to use it.
#[derive(Debug)]
pub struct EmbeddedCluster {
    pub(super) world: World,
    conns: BTreeMap<ServerConn, Connection>,
    outputs: VecDeque<Output>,
    next_conn: u64,
    next_number: u64,
}

impl EmbeddedCluster {
    /// A cluster with all brokers up and no topics.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for settings out of their range.
    pub fn new(settings: ClusterSettings) -> Result<EmbeddedCluster, Error> {
        settings.check()?;
        Ok(EmbeddedCluster {
            world: World::new(settings),
            conns: BTreeMap::new(),
            outputs: VecDeque::new(),
            next_conn: 1,
            next_number: 1,
        })
    }

    /// Somebody connects to a broker.
    pub fn connect(&mut self, broker: i32) -> Result<ServerConn, Refused> {
        if !self.world.is_up(broker) {
            return Err(Refused);
        }
        let conn = ServerConn(self.next_conn);
        self.next_conn = self.next_conn.wrapping_add(1);
        let connection = Connection { broker, queue: VecDeque::new(), queued: 0, head: Head::Idle };
        self.conns.insert(conn, connection);
        Ok(conn)
    }

    /// A request came: a whole frame without its length. Frames of unknown connections are ignored.
    pub fn on_frame(&mut self, now: Now, conn: ServerConn, frame: Bytes) {
        let Some(connection) = self.conns.get_mut(&conn) else { return };
        connection.queued = connection.queued.saturating_add(frame.len());
        connection.queue.push_back(frame);
        if connection.queued > QUEUE_LIMIT {
            return self.close(conn);
        }
        self.serve(now, conn);
        self.settle(now);
    }

    /// The peer closed the connection.
    pub fn on_disconnect(&mut self, _now: Now, conn: ServerConn) {
        self.conns.remove(&conn);
    }

    /// Whether the broker would look at a request of this connection now. Frames that come earlier are kept, up to
    /// 256 MiB; a server better leaves them in the socket, as Kafka does.
    pub fn takes_frames(&self, conn: ServerConn) -> bool {
        self.conns
            .get(&conn)
            .is_some_and(|c| c.queue.is_empty() && matches!(c.head, Head::Idle) && !self.is_paused(c.broker))
    }

    /// Whether the connection waits for something that may never come: a group, a fetch, the end of a pause.
    pub fn is_stuck(&self, conn: ServerConn) -> bool {
        self.conns.get(&conn).is_some_and(|c| {
            matches!(c.head, Head::Waiting { .. } | Head::Silent) || self.is_paused(c.broker)
        })
    }

    /// Does what is due and says when to call again at the latest.
    pub fn poll(&mut self, now: Now) -> Option<Deadline> {
        let due: Vec<ServerConn> =
            self.conns.iter().filter(|(_, c)| c.is_due(now)).map(|(id, _)| *id).collect();
        for conn in due {
            self.head_is_due(now, conn);
        }
        let mut next = self.poll_groups(now);
        self.settle(now);
        for connection in self.conns.values().filter(|c| !self.is_paused(c.broker)) {
            next = earlier(next, connection.deadline());
        }
        next
    }

    /// The next thing to do for the caller, in order.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_groups(&mut self, now: Now) -> Option<Deadline> {
        let mut next = None;
        let world = &mut self.world;
        let paused: Vec<i32> = world.brokers.iter().filter(|b| b.paused).map(|b| b.id).collect();
        let resting: Vec<String> = match paused.is_empty() {
            true => Vec::new(),
            false => {
                let rests = |id: &&String| world.coordinator(id).is_none_or(|c| paused.contains(&c));
                world.groups.keys().filter(rests).cloned().collect()
            }
        };
        for (id, group) in &mut world.groups {
            if !resting.contains(id) {
                next = earlier(next, group.on_time(now.mono, &mut world.completions));
            }
        }
        next
    }

    pub(super) fn is_paused(&self, broker: i32) -> bool {
        self.world.broker(broker).is_some_and(|b| b.paused)
    }

    /// Connections to a broker, or all.
    pub(super) fn connections_to(&self, broker: Option<i32>) -> Vec<ServerConn> {
        let to = |c: &Connection| broker.is_none_or(|b| b == c.broker);
        self.conns.iter().filter(|(_, c)| to(c)).map(|(id, _)| *id).collect()
    }

    /// Closes a connection from this side.
    pub(super) fn close(&mut self, conn: ServerConn) {
        if self.conns.remove(&conn).is_some() {
            self.outputs.push_back(Output::Close { conn });
        }
    }

    /// Takes the requests of a connection as far as they can be answered.
    pub(super) fn serve(&mut self, now: Now, conn: ServerConn) {
        while let Some(connection) = self.conns.get_mut(&conn) {
            let paused = self.world.broker(connection.broker).is_none_or(|b| b.paused);
            if paused || !matches!(connection.head, Head::Idle) {
                return;
            }
            let Some(frame) = connection.queue.pop_front() else { return };
            connection.queued = connection.queued.saturating_sub(frame.len());
            let number = self.next_number;
            self.next_number = number.wrapping_add(1);
            self.attempt(now, conn, frame, number, None);
        }
    }

    /// Answers what became answerable by what was done before: fetches, joins, syncs.
    pub(super) fn settle(&mut self, now: Now) {
        loop {
            let woken = std::mem::take(&mut self.world.woken);
            let completions = std::mem::take(&mut self.world.completions);
            if woken.is_empty() && completions.is_empty() {
                return;
            }
            for ticket in woken {
                self.retry(now, ticket);
            }
            for completion in completions {
                self.complete(now, completion);
            }
        }
    }

    /// Takes the request that waits under this ticket, if it still does.
    fn take_waiting(&mut self, ticket: Ticket) -> Option<(Bytes, Option<Nanos>)> {
        let connection = self.conns.get_mut(&ticket.conn)?;
        match &connection.head {
            Head::Waiting { number, .. } if *number == ticket.number => {}
            _ => return None,
        }
        match std::mem::replace(&mut connection.head, Head::Idle) {
            Head::Waiting { frame, until, .. } => Some((frame, until)),
            _ => None,
        }
    }

    fn retry(&mut self, now: Now, ticket: Ticket) {
        let broker = self.conns.get(&ticket.conn).map(|c| c.broker);
        if broker.is_none_or(|b| self.is_paused(b)) {
            return;
        }
        if let Some((frame, until)) = self.take_waiting(ticket) {
            self.attempt(now, ticket.conn, frame, ticket.number, until);
            self.serve(now, ticket.conn);
        }
    }

    fn complete(&mut self, now: Now, completion: Completion) {
        let ticket = match &completion {
            Completion::Join(ticket, _) | Completion::Sync(ticket, _) => *ticket,
        };
        let Some((frame, _)) = self.take_waiting(ticket) else { return };
        let mut r = Reader::new(&frame);
        let Ok(header) = decode_request_header(&mut r) else { return self.close(ticket.conn) };
        let (version, correlation) = (header.request_api_version, header.correlation_id);
        let (api, answer) = match completion {
            Completion::Join(_, answer) => {
                (ApiKey::JoinGroup, api::join_group::respond(&answer, version, correlation))
            }
            Completion::Sync(_, answer) => {
                (ApiKey::SyncGroup, api::sync_group::respond(&answer, version, correlation))
            }
        };
        let outcome = answer.map_or(Outcome::Close, Outcome::Answer);
        self.finish(now, ticket, api, frame, outcome);
        self.serve(now, ticket.conn);
    }

    /// The time of a waiting request or of a delayed answer has come.
    pub(super) fn head_is_due(&mut self, now: Now, conn: ServerConn) {
        let Some(connection) = self.conns.get_mut(&conn) else { return };
        if self.world.broker(connection.broker).is_none_or(|b| b.paused) {
            return;
        }
        match &connection.head {
            Head::Waiting { number, .. } => {
                let ticket = Ticket { conn, number: *number };
                self.retry(now, ticket);
            }
            Head::Delayed { .. } => {
                if let Head::Delayed { answer, .. } = std::mem::replace(&mut connection.head, Head::Idle) {
                    self.emit(conn, answer);
                }
                self.serve(now, conn);
            }
            Head::Idle => self.serve(now, conn),
            Head::Silent => {}
        }
    }

    /// Lets a broker handle a request, for the first time or again.
    fn attempt(
        &mut self,
        now: Now,
        conn: ServerConn,
        frame: Bytes,
        number: u64,
        waited_until: Option<Nanos>,
    ) {
        let Some(broker) = self.conns.get(&conn).map(|c| c.broker) else { return };
        let mut r = Reader::new(&frame);
        let header = decode_request_header(&mut r).ok();
        let Some((header, api)) =
            header.and_then(|h| Some((h.clone(), ApiKey::try_from(h.request_api_key).ok()?)))
        else {
            return self.close(conn);
        };
        if waited_until.is_none() {
            let count = self.world.request_counts.entry(header.request_api_key).or_default();
            *count = count.saturating_add(1);
            let before = |kind| kind == FaultKind::DisconnectBefore;
            if self.world.faults.take(broker, api, before).is_some() {
                return self.close(conn);
            }
        }
        let ticket = Ticket { conn, number };
        let mut call = Call {
            world: &mut self.world,
            now,
            broker,
            ticket,
            api,
            version: header.request_api_version,
            correlation: header.correlation_id,
            client_id: header.client_id.unwrap_or(""),
            frame: &frame,
            waited_until,
        };
        let outcome = api::handle(&mut call, r.peek()).unwrap_or(Outcome::Close);
        match outcome {
            Outcome::Wait(_) => self.world.faults.unsettle(),
            _ => self.world.faults.settle(),
        }
        let frame_again = frame.clone();
        self.finish(now, ticket, api, frame_again, outcome);
    }

    fn finish(&mut self, now: Now, ticket: Ticket, api: ApiKey, frame: Bytes, outcome: Outcome) {
        let Some(connection) = self.conns.get_mut(&ticket.conn) else { return };
        let broker = connection.broker;
        let segments = match outcome {
            Outcome::Close => return self.close(ticket.conn),
            Outcome::Wait(until) => {
                connection.head = Head::Waiting { frame, until, number: ticket.number };
                return;
            }
            Outcome::NoAnswer => Vec::new(),
            Outcome::Answer(segments) => segments,
        };
        let faults = &mut self.world.faults;
        let delay = match faults.take(broker, api, |kind| matches!(kind, FaultKind::Delay(_))) {
            Some(FaultKind::Delay(ms)) => Some(ms),
            _ => None,
        };
        let answer = match faults.take(broker, api, spoils_answer) {
            Some(kind) => spoil(kind, segments, &mut self.world.rng),
            None => Spoiled::Send(segments),
        };
        if delay.is_some() || self.is_paused(broker) {
            let until = now.mono.plus_ms(delay.unwrap_or(0));
            if let Some(connection) = self.conns.get_mut(&ticket.conn) {
                connection.head = Head::Delayed { answer, until };
            }
            return;
        }
        self.emit(ticket.conn, answer);
    }

    fn emit(&mut self, conn: ServerConn, answer: Spoiled) {
        match answer {
            Spoiled::Send(segments) if segments.is_empty() => {}
            Spoiled::Send(segments) => self.outputs.push_back(Output::Send { conn, segments }),
            Spoiled::SendAndClose(segments) => {
                self.outputs.push_back(Output::Send { conn, segments });
                self.close(conn);
            }
            Spoiled::Close => self.close(conn),
            Spoiled::Silence => {
                if let Some(connection) = self.conns.get_mut(&conn) {
                    connection.head = Head::Silent;
                }
            }
        }
    }
}

impl Connection {
    fn deadline(&self) -> Option<Deadline> {
        match &self.head {
            Head::Waiting { until, .. } => *until,
            Head::Delayed { until, .. } => Some(*until),
            Head::Idle | Head::Silent => None,
        }
    }

    fn is_due(&self, now: Now) -> bool {
        self.deadline().is_some_and(|at| at <= now.mono)
    }
}
